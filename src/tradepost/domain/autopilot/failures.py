"""What can be wrong with how an autopilot is switched on."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class AutopilotUnusable(Failure):
    """The autopilot cannot be switched on like that: its pace is 1 to 3600, its seed like that of the clock."""

    name: str
    value: str
