"""What can be subscribed to, and which of our events are told under it (facts, section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

API_VERSION: Final = "v3"
"""What `Wish-API-Version` says of everything that is sent."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to be told about."""

    id: str
    name: str
    events: Mapping[str, str]
    """The events told under it, each with what must be true of it, "" for nothing."""

    def tells(self, event: str, about: Mapping[str, Any]) -> bool:
        """Whether an event is told under this topic."""
        flag = self.events.get(event)
        return flag is not None and (not flag or bool(about.get(flag)))


def _read() -> tuple[Topic, ...]:
    lines = (resources.files(__package__) / "topics.tsv").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        if not line.startswith("#"):
            topic_id, name, events = line.split("\t")
            pairs = (event.partition(":") for event in events.split())
            found.append(Topic(topic_id, name, {event: flag for event, _, flag in pairs}))
    return tuple(found)


TOPICS: Final = _read()
BY_ID: Final = {topic.id: topic for topic in TOPICS}
BY_NAME: Final = {topic.name: topic for topic in TOPICS}


def topics_of(event: str, about: Mapping[str, Any]) -> list[str]:
    """The names of the topics that an event is told under."""
    return [topic.name for topic in TOPICS if topic.tells(event, about)]
