"""What can be wrong with a question to the audit log."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class AnchorUnusable(Failure):
    """An anchor is a number, a colon and 64 hex digits, as `tradepost audit verify` prints it."""

    anchor: str
