"""Which queues a worker takes: so that nobody waits for whoever is slow, and none of the slow is forgotten."""

from __future__ import annotations

from tradepost.worker.hands import (
    AT_ONCE,
    AT_ONCE_SLOW,
    FAILING_SLOTS,
    MOST_KNOWN,
    SLOTS,
    SLOW_SLOTS,
    Hands,
)


def full(hands: Hands, first: int = 0) -> int:
    """Take queues in hand until there is room for no more; gives how many that were."""
    taken = 0
    while hands.has_room:
        hands.take(f"queue {first + taken}", False)
        taken += 1
    return taken


def test_whoever_keeps_a_message_waiting_gives_his_place_to_another() -> None:
    hands = Hands()
    assert full(hands) == SLOTS
    hands.note_slow("queue 0")
    assert full(hands, SLOTS) == 1
    for number in range(SLOTS):
        hands.note_slow(f"queue {number}")
    assert full(hands, 2 * SLOTS) == SLOW_SLOTS - 1
    hands.put_down("queue 1")
    assert hands.has_room


def test_those_known_to_be_slow_are_left_out_while_there_are_enough_of_them_in_hand() -> None:
    hands = Hands()
    for number in range(SLOW_SLOTS):
        assert hands.left_out == []
        hands.note_slow(f"queue {number}")
        hands.take(f"queue {number}", False)
    hands.note_slow("another")
    assert set(hands.left_out) == {"another", *(f"queue {number}" for number in range(SLOW_SLOTS))}
    assert full(hands, SLOW_SLOTS) == SLOTS
    hands.put_down("queue 3")
    assert hands.left_out == []


def test_whoever_answers_quickly_is_slow_no_more() -> None:
    hands = Hands()
    for number in range(SLOW_SLOTS + 1):
        hands.note_slow(f"queue {number}")
        hands.take(f"queue {number}", False)
    for number in (0, 1):
        hands.note_quick(f"queue {number}")
    assert hands.left_out == []


def test_those_that_fail_have_half_of_the_places_and_slow_ones_do_not_count_among_them() -> None:
    hands = Hands()
    for number in range(FAILING_SLOTS):
        assert hands.even_failing
        hands.take(f"queue {number}", True)
    assert not hands.even_failing
    hands.note_slow("queue 0")
    assert hands.even_failing


def test_the_first_message_goes_alone() -> None:
    hands = Hands()
    hands.note_slow("slow")
    assert [hands.at_once("quick", False, answered) for answered in (0, 1, 5)] == [1, AT_ONCE, AT_ONCE]
    assert [hands.at_once("slow", False, answered) for answered in (0, 1)] == [1, AT_ONCE_SLOW]
    assert [hands.at_once("fails", True, answered) for answered in (0, 1)] == [1, 1]


def test_what_is_remembered_has_an_end() -> None:
    hands = Hands()
    for number in range(MOST_KNOWN + 1):
        hands.note_slow(f"queue {number}")
    for number in range(SLOW_SLOTS):
        hands.take(f"queue {number + 1}", False)
    assert "queue 0" not in hands.left_out
    assert len(hands.left_out) == MOST_KNOWN
