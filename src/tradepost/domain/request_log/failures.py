"""What can be wrong with looking into the request log."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class CallUnknown(Failure):
    """No call of this id is kept: there was none, it is somebody else's, or it is too long ago."""

    request_id: str
