"""The audit log: who gave or took which rights, and when. Rows are chained, so that nobody changes the past unseen.

Whoever does such a thing calls `record` in the same transaction. Ids and plain words are kept, never a secret.
"""

from tradepost.domain.audit.failures import AnchorUnusable
from tradepost.domain.audit.operations import find_head, list_records, record, verify
from tradepost.domain.audit.record import Anchor, Record, Verdict, read_anchor

__all__ = [
    "Anchor",
    "AnchorUnusable",
    "Record",
    "Verdict",
    "find_head",
    "list_records",
    "read_anchor",
    "record",
    "verify",
]
