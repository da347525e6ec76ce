"""Answers that several chapters share."""

from __future__ import annotations

import msgspec


class Nothing(msgspec.Struct):
    """An answer that says only that it is done: an empty object."""


class Success(msgspec.Struct):
    """An answer that says only that it is done; `success` is a JSON boolean."""

    success: bool


DONE = Nothing()
SUCCESS = Success(True)
