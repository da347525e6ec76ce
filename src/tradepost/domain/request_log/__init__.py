"""The request log: every call of the public services, without its secrets, for 30 days."""

from tradepost.domain.request_log.call import (
    BYTES_PER_CALL,
    KEPT_DAYS,
    MOST_LIMIT,
    MOST_SEEN,
    Call,
    Found,
    Kept,
    Line,
    Owner,
    Said,
    Search,
    Shown,
    Tally,
    is_id,
    least_id,
    moment_of,
)
from tradepost.domain.request_log.failures import CallUnknown
from tradepost.domain.request_log.operations import (
    find_call,
    forget_old_calls,
    keep_packs,
    list_tallies,
    owners_of,
    search_calls,
)
from tradepost.domain.request_log.packing import MOST_SECONDS, Pack, PackMaker

__all__ = [
    "BYTES_PER_CALL",
    "KEPT_DAYS",
    "MOST_LIMIT",
    "MOST_SECONDS",
    "MOST_SEEN",
    "Call",
    "CallUnknown",
    "Found",
    "Kept",
    "Line",
    "Owner",
    "Pack",
    "PackMaker",
    "Said",
    "Search",
    "Shown",
    "Tally",
    "find_call",
    "forget_old_calls",
    "is_id",
    "keep_packs",
    "least_id",
    "list_tallies",
    "moment_of",
    "owners_of",
    "search_calls",
]
