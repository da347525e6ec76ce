"""The world itself: what time it is in it, and where its ids come from."""

from tradepost.domain.world.chance import ForetoldIds
from tradepost.domain.world.clock import Clock, read_move
from tradepost.domain.world.failures import ClockUnusable, SeedUnusable
from tradepost.domain.world.operations import (
    announce,
    begin,
    begin_anew,
    enter,
    freeze_clock,
    move_clock,
    read_clock,
    read_era,
    reset_clock,
    set_clock,
    set_seed,
)
from tradepost.domain.world.rows import CHANNEL

__all__ = [
    "CHANNEL",
    "Clock",
    "ClockUnusable",
    "ForetoldIds",
    "SeedUnusable",
    "announce",
    "begin",
    "begin_anew",
    "enter",
    "freeze_clock",
    "move_clock",
    "read_clock",
    "read_era",
    "read_move",
    "reset_clock",
    "set_clock",
    "set_seed",
]
