"""What can be wrong with what goes out."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class NotThere(Failure):
    """There is no such event or letter: it was forgotten in the meantime."""
