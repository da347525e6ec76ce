"""What can become of a ticket, all of it without a database.

| | awaiting merchant | awaiting buyer | awaiting support | closed |
|---|---|---|---|---|
| the buyer writes | stays | the merchant's turn | stays | the merchant's turn |
| the merchant writes | the buyer's turn | stays | stays | refused |
| support writes | stays | the merchant's turn | the merchant's turn | refused |
| the merchant appeals to support | support's turn | support's turn | refused | refused |
| anybody closes | closed | closed | closed | refused |
| the merchant opens it again | refused | refused | refused | the buyer's turn |

Whatever the platform writes by itself counts as support's.
"""

from __future__ import annotations

from typing import Final, Literal

TicketState = Literal["awaiting_merchant", "awaiting_buyer", "awaiting_support", "closed"]
Sender = Literal["buyer", "merchant", "support", "automatic"]

AWAITING_MERCHANT: Final = "awaiting_merchant"
AWAITING_BUYER: Final = "awaiting_buyer"
AWAITING_SUPPORT: Final = "awaiting_support"
CLOSED: Final = "closed"
STATES: Final = (AWAITING_MERCHANT, AWAITING_BUYER, AWAITING_SUPPORT, CLOSED)

BUYER: Final = "buyer"
MERCHANT: Final = "merchant"
SUPPORT: Final = "support"
AUTOMATIC: Final = "automatic"
SENDERS: Final = (BUYER, MERCHANT, SUPPORT, AUTOMATIC)


def answered(state: TicketState, sender: Sender) -> TicketState | None:
    """What a ticket becomes when somebody writes; None where it is closed and only the buyer may."""
    if sender == BUYER:
        return AWAITING_SUPPORT if state == AWAITING_SUPPORT else AWAITING_MERCHANT
    if state == CLOSED:
        return None
    if sender == MERCHANT:
        return AWAITING_SUPPORT if state == AWAITING_SUPPORT else AWAITING_BUYER
    return AWAITING_MERCHANT


def appealed(state: TicketState) -> TicketState | None:
    """What a ticket becomes when the merchant asks support to step in; None where it cannot."""
    return None if state in (AWAITING_SUPPORT, CLOSED) else AWAITING_SUPPORT


def closed(state: TicketState) -> TicketState | None:
    """What a ticket becomes when somebody closes it; None where it is closed."""
    return None if state == CLOSED else CLOSED


def reopened(state: TicketState) -> TicketState | None:
    """What a ticket becomes when the merchant opens it again and tells the buyer why; None where it is open."""
    return AWAITING_BUYER if state == CLOSED else None
