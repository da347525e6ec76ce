"""The people who sign in to the pages, for a shop or as a user of the logistics service."""

from tradepost.domain.people.operations import (
    check_password,
    close_session,
    find_person,
    find_session,
    first_of,
    forget_sessions,
    open_session,
)
from tradepost.domain.people.person import ABSOLUTE_HOURS, IDLE_MINUTES, Person, Signed

__all__ = [
    "ABSOLUTE_HOURS",
    "IDLE_MINUTES",
    "Person",
    "Signed",
    "check_password",
    "close_session",
    "find_person",
    "find_session",
    "first_of",
    "forget_sessions",
    "open_session",
]
