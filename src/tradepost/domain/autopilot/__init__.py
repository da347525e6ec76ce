"""The autopilot: the pace at which a sandbox's world goes on by itself; only a sandbox has any."""

from tradepost.domain.autopilot.autopilot import MOST_AT_ONCE, MOST_PACE, Autopilot, Beat
from tradepost.domain.autopilot.failures import AutopilotUnusable
from tradepost.domain.autopilot.operations import (
    attempt,
    count_due,
    read_autopilot,
    switch_off,
    switch_on,
    take_beat,
)

__all__ = [
    "MOST_AT_ONCE",
    "MOST_PACE",
    "Autopilot",
    "AutopilotUnusable",
    "Beat",
    "attempt",
    "count_due",
    "read_autopilot",
    "switch_off",
    "switch_on",
    "take_beat",
]
