"""The story of the README, played from the page: twice from one seed, on another installation, and from a snapshot.

Every answer is the same each time, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.program import Client, Program, serving
from tests.support.sandbox import control, read
from tests.whole.test_readme import blocks, table, typed

KEYS = json.dumps(["the same key of links on every installation"])
BEGINNING, _, REST = blocks("A story", "sh")[0].partition("\ncall order/get-fulfill")
STORY = f"call order/get-fulfill{REST}"
SETTING = BEGINNING.partition("\nworld ")[0]


@pytest.fixture(scope="module")
def running() -> Iterator[Program]:
    """An installation with keys of its own choice."""
    with serving(link_keys=KEYS) as found:
        yield found


def play(running: Program, script: str, form: str = "json") -> str:
    """All that a part of the story prints, and the file of orders; whatever names this installation is left out."""
    token = running.credentials()["merchants"][0]["access_token"]
    told = typed(running, f"TOKEN={token}\n" + script.replace("FORMAT=json", f"FORMAT={form}"))
    return "\n".join((*told, *flows(running))).replace(running.merchant, "http://shop.example")


def flows(running: Program) -> list[str]:
    """What money of each user of the logistics service has moved, in the order of its ids."""
    told = []
    for sender in running.credentials()["wishpost"]:
        with Client(running.wishpost, sender["access_token"]) as client:
            reply = client.get("/api/v3/payments/cash_flow?sort_by=id.asc&limit=500")
            assert (reply.status, bool(reply.json["data"])) == (200, True), reply.body
            told.append(reply.body.decode())
    return told


def file_of(running: Program) -> bytes:
    """The orders that the story downloads."""
    return (running.folder / "orders.csv").read_bytes().replace(running.merchant.encode(), b"http://shop.example")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_two_runs_of_one_seed_and_one_on_another_installation(running: Program, form: str) -> None:
    first = play(running, f"{BEGINNING}\n{STORY}", form), file_of(running)
    again = play(running, f"{BEGINNING}\n{STORY}", form), file_of(running)
    assert again == first
    with serving(link_keys=KEYS) as elsewhere:
        assert (play(elsewhere, f"{BEGINNING}\n{STORY}", form), file_of(elsewhere)) == first
    assert play(running, f"{BEGINNING.replace('story', 'other')}\n{STORY}", form) != first[0]


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_snapshot_restored_goes_on_with_the_same_answers(running: Program, form: str) -> None:
    """Taken in the middle of the world's life; restored after the story, and after a reset to something else."""
    play(running, BEGINNING, form)
    tell(running, "snapshot", name="before")
    first = play(running, f"{SETTING}\n{STORY}", form), file_of(running)
    tell(running, "restore", name="before")
    assert (play(running, f"{SETTING}\n{STORY}", form), file_of(running)) == first
    tell(running, "reset")
    tell(running, "restore", name="before")
    with Client(running.merchant) as client:
        assert read(client, "clock")["now"] == "2021-05-19T16:37:00+00:00"
    assert (play(running, f"{SETTING}\n{STORY}", form), file_of(running)) == first


def tell(running: Program, verb: str, **body: object) -> None:
    """Do something to the world, on a connection of its own: a story takes longer than an idle one is kept."""
    with Client(running.merchant, timeout=60) as client:
        control(client, verb, **body)


def test_it_tells_what_it_says(running: Program) -> None:
    told = play(running, f"{BEGINNING}\n{STORY}")
    answers = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert all(answer["code"] == 0 for answer in answers)
    (order,) = [one["data"]["Order"] for one in answers if "Order" in one["data"]]
    assert (order["state"], order["tracking_number"]) == ("REFUNDED", "1Z0000000000000002")
    assert "Es ist noch nicht da." in told
    assert "It has not arrived yet." in told
    rows = table(running.folder / "orders.csv")
    assert len(rows) > 50
    assert any(order["order_id"] in row for row in rows)
