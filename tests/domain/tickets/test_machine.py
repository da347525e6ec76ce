"""The table of what can become of a ticket, without a database."""

from __future__ import annotations

import pytest

from tradepost.domain.tickets import SENDERS, STATES, Sender, TicketState, machine

MERCHANTS, BUYERS, SUPPORTS, CLOSED = STATES
# What happens, and what it makes of each state in the order of STATES; None is refused.
TABLE: dict[str, tuple[str | None, str | None, str | None, str | None]] = {
    "buyer": (MERCHANTS, MERCHANTS, SUPPORTS, MERCHANTS),
    "merchant": (BUYERS, BUYERS, SUPPORTS, None),
    "support": (MERCHANTS, MERCHANTS, MERCHANTS, None),
    "automatic": (MERCHANTS, MERCHANTS, MERCHANTS, None),
    "appeal": (SUPPORTS, SUPPORTS, None, None),
    "close": (CLOSED, CLOSED, CLOSED, None),
    "re-open": (None, None, None, BUYERS),
}


@pytest.mark.parametrize("place", range(len(STATES)), ids=STATES)
@pytest.mark.parametrize("sender", SENDERS)
def test_somebody_writes(sender: Sender, place: int) -> None:
    assert machine.answered(STATES[place], sender) == TABLE[sender][place]


@pytest.mark.parametrize("place", range(len(STATES)), ids=STATES)
def test_what_the_merchant_does_besides(place: int) -> None:
    state: TicketState = STATES[place]
    assert machine.appealed(state) == TABLE["appeal"][place]
    assert machine.closed(state) == TABLE["close"][place]
    assert machine.reopened(state) == TABLE["re-open"][place]


def test_nothing_is_a_dead_end() -> None:
    """From every state every other can be reached."""
    moves = {state: {row[place] for row in TABLE.values()} - {None} for place, state in enumerate(STATES)}
    for start in STATES:
        reached: set[str | None] = {start}
        for _ in STATES:
            reached |= {found for state in reached for found in moves[str(state)]}
        assert reached == set(STATES)
