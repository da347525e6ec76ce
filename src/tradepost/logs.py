"""How all processes write their log."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Final

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import ExcInfo

from tradepost.settings import Settings

# Without the values of variables: there are secrets among them.
_frames = ExceptionDictTransformer(show_locals=False)
# What a fault was about stands in quotes as a rule, in what PostgreSQL tells on lines of its own.
_ABOUT: Final = re.compile(
    r"""'(?:[^'\\]|\\.)*(?:'|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z)|(?:mp_[a-z]{2}_|whsec_)[\w+/=-]+"""
    r"""|\n(?:DETAIL|CONTEXT|QUERY):.*\Z""",
    re.ASCII | re.DOTALL,
)


def configure_logging(settings: Settings) -> None:
    """One JSON line per event on standard error."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            ExceptionRenderer(told_without_values),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def told_without_values(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """An exception as the log has it: where it was raised, and its words without what they are about."""
    told = _frames(exc_info)
    _take_values(told)
    return told


def _take_values(told: list[dict[str, Any]]) -> None:
    for one in told:
        one["exc_value"] = without_values(one["exc_value"])
        one["exc_notes"] = [without_values(note) for note in one.get("exc_notes", [])]
        for group in one.get("exceptions", []):
            _take_values(group)


def without_values(text: str) -> str:
    """What somebody wrote may be a password: of an exception's words, those that are not the program's go."""
    return _ABOUT.sub("***", text)


def configure_warnings() -> None:
    """What a verb of the command line has to warn of stands on standard error, beside what it prints."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
