"""Answers that several chapters share."""

from __future__ import annotations

import msgspec


class Nothing(msgspec.Struct):
    """An answer that says only that it is done: an empty object."""


DONE = Nothing()
