"""Changing stock and sale of up to 100,000 variations with one call, done by a job."""

from tradepost.domain.bulk_updates.failures import MOST_INVENTORY, RowFailure
from tradepost.domain.bulk_updates.operations import (
    FAILED_TOPIC,
    KIND,
    NOTE_KIND,
    cancel_update,
    find_update,
    list_failures,
    list_successes,
    note_later,
    report_parked,
    start_update,
    take_note_step,
    take_step,
)
from tradepost.domain.bulk_updates.update import (
    MOST_ROWS,
    PACK_ROWS,
    Pack,
    Row,
    Updates,
    pack_rows,
)

__all__ = [
    "FAILED_TOPIC",
    "KIND",
    "MOST_INVENTORY",
    "MOST_ROWS",
    "NOTE_KIND",
    "PACK_ROWS",
    "Pack",
    "Row",
    "RowFailure",
    "Updates",
    "cancel_update",
    "find_update",
    "list_failures",
    "list_successes",
    "note_later",
    "pack_rows",
    "report_parked",
    "start_update",
    "take_note_step",
    "take_step",
]
