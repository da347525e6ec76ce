"""Small types that every layer may use.

Nothing here knows HTTP, SQL or a marketplace rule.
"""

from __future__ import annotations

import dataclasses
import enum
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, dataclass_transform


class NotGiven(enum.Enum):
    """The type of NOT_GIVEN: a value that the caller did not send, which is not the same as an empty one."""

    NOT_GIVEN = "not given"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN


@dataclass_transform(kw_only_default=True)
class Fact(Exception):
    """Something that went differently than asked, told without a code and without a sentence.

    A subclass is one fact; its annotated attributes are what a sentence about it may mention:

        class SkuTaken(Failure):
            sku: str

        raise SkuTaken(sku="ring-7")

    What a fact is called on the wire stands in the failure table of each surface.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()
    keeps: ClassVar[bool] = False
    """Whether what a call did before it met this fact stays, such as taking back what was stolen."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclasses.dataclass(kw_only=True, eq=False, repr=False)(cls)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.blanks().items())
        return f"{type(self).__name__}({told})"

    def blanks(self) -> dict[str, Any]:
        """What this fact can tell, by the name of the blank in a sentence."""
        return {name: getattr(self, name) for name in self.blank_names()}

    @classmethod
    def blank_names(cls) -> tuple[str, ...]:
        """The names of everything that a sentence about this fact may mention."""
        return tuple(f.name for f in dataclasses.fields(cls)) if dataclasses.is_dataclass(cls) else ()


def in_words(fact: Fact) -> str:
    """What happened, by the first line of the fact's own description, and with what."""
    told = (type(fact).__doc__ or type(fact).__name__).partition("\n")[0]
    blanks = ", ".join(f"{name} {value!s}" for name, value in fact.blanks().items() if value is not None)
    return f"{told} ({blanks})" if blanks else told


class Words(str):
    """Words of ours inside a fact, which a sentence repeats in full; a caller's are cut."""

    __slots__ = ()


class TryLater(Fact):
    """A fact that time mends by itself."""

    reset: datetime | None = None
    """When trying again makes sense, if that is known."""


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list: `limit` items from the offset `start` (0 is the first)."""

    start: int
    limit: int


@dataclasses.dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a page of a list ended: the time and the id of its last item. The next page begins behind it."""

    at: datetime
    id: str


FIRST: Final = Bookmark(datetime(1, 1, 2, tzinfo=UTC), "")
"""Before everything, in a list that begins with the oldest."""
LAST: Final = Bookmark(datetime(9999, 12, 30, tzinfo=UTC), "~")
"""After everything, in a list that begins with the newest."""
