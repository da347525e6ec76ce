"""What can be wrong with somebody who signs in."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class PersonUnknown(Failure):
    """Nobody signs in for this account."""

    account_id: str
