"""All that depends on time follows the clock of the sandbox, which is read, set and moved over HTTP and by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.jobs import link_of, start_download
from tests.support.program import Client, Program, serving, wait_until
from tests.support.sandbox import asked, control, read
from tradepost.sandbox.outside import picture

LINK_EXPIRED, TOKEN_EXPIRED = 4010, 1015


@pytest.fixture
def running() -> Iterator[Program]:
    """A sandbox whose clock nobody has touched."""
    with serving() as found:
        yield found


@pytest.fixture
def ada(running: Program) -> dict[str, str]:
    """The first shop."""
    return running.credentials()["merchants"][0]


@pytest.fixture
def client(running: Program, ada: dict[str, str]) -> Iterator[Client]:
    """Somebody who calls for her."""
    with Client(running.merchant, ada["access_token"]) as opened:
        yield opened


def now(client: Client) -> datetime:
    """What time it is in the world."""
    return datetime.fromisoformat(read(client, "clock")["now"])


def order_of(client: Client, order_id: str) -> dict[str, Any]:
    """An order as the merchant sees it."""
    found: dict[str, Any] = client.get(f"/api/v2/order?id={order_id}").data["Order"]
    return found


def test_five_days_after_which_an_order_is_refunded(running: Program, client: Client, ada: dict[str, str]) -> None:
    """Just before they are over the order still waits; then it is refunded at once, and an infraction."""
    placed = running.told("order", "place", ada["id"], a_sku(client), "--country", "US")
    order_id = placed.split()[-1]
    before = client.get("/api/v2/count/infractions?stage=1").data
    control(client, "clock", move="+4d23h")
    assert order_of(client, order_id)["state"] == "APPROVED"
    control(client, "clock", move="+1h")
    wait_until(lambda: order_of(client, order_id)["state"] == "REFUNDED", 60, "the refund")
    assert client.get("/api/v2/count/infractions?stage=1").data != before


def a_sku(client: Client) -> str:
    """A variation of a reviewed product that has stock."""
    for listed in client.get("/api/v2/product/multi-get?limit=50").data:
        product = listed["Product"]
        for one in product["variants"]:
            if product["review_status"] == "approved" and int(one["Variant"]["inventory"]) > 5:
                return str(one["Variant"]["sku"])
    raise AssertionError("nothing is for sale")


def test_a_download_link_of_72_hours(client: Client) -> None:
    control(client, "clock", set="2021-05-19T16:37:00Z", frozen=True)
    job_id = start_download(client)
    wait_until(lambda: link_of(client, job_id) is not None, what="the file")
    link = link_of(client, job_id)
    assert link is not None
    path = urlsplit(link).path + "?" + urlsplit(link).query
    control(client, "clock", move="+71h59m59s")
    assert client.get(path).status == 200
    control(client, "clock", move="+1s")
    gone = client.get(path)
    assert (gone.status, gone.code) == (410, LINK_EXPIRED)


def test_a_picture_link_of_60_minutes(running: Program, client: Client, ada: dict[str, str]) -> None:
    control(client, "clock", frozen=True)
    file = running.folder / "broken.png"
    file.write_bytes(picture("broken"))
    product = client.get("/api/v2/product/multi-get?limit=1").data[0]["Product"]["id"]
    told = running.told("ticket", "open", ada["id"], "Broken", "It is broken.", "--product", product,
                        "--picture", str(file))  # fmt: skip
    ticket = client.get(f"/api/v2/ticket?id={told.strip()}").data["Ticket"]
    (path,) = re.findall(r"/ticket-pictures/[^\"']*", json.dumps(ticket))
    control(client, "clock", move="+59m59s")
    assert client.get(path).status == 200
    control(client, "clock", move="+1s")
    gone = client.get(path)
    assert (gone.status, gone.code) == (410, LINK_EXPIRED)


def test_a_token_of_30_days(client: Client) -> None:
    """It was issued when the world was seeded, a moment ago."""
    control(client, "clock", move="+29d23h")
    assert client.get("/api/v2/auth_test").status == 200
    control(client, "clock", move="+1h")
    refused = client.get("/api/v2/auth_test")
    assert (refused.status, refused.code) == (401, TOKEN_EXPIRED)
    control(client, "clock", real=True)
    assert client.get("/api/v2/auth_test").status == 200


def test_the_clock_is_read_set_moved_frozen_and_let_run(running: Program, client: Client) -> None:
    told = control(client, "clock", set="2021-05-19T16:37:00Z", frozen=True)
    assert told["ahead_seconds"] is None
    assert (told["now"], told["frozen"], told["seed"]) == ("2021-05-19T16:37:00+00:00", True, None)
    assert running.told("sandbox", "clock") == "2021-05-19T16:37:00+00:00  frozen\n"
    assert running.told("sandbox", "clock", "move", "-1h30m").startswith("2021-05-19T15:07:00+00:00  frozen")
    with Client(running.wishpost) as other:
        assert now(other) == now(client) == datetime(2021, 5, 19, 15, 7, tzinfo=UTC)
    assert running.told("sandbox", "clock", "run").endswith("running\n")
    assert now(client) > datetime(2021, 5, 19, 15, 7, tzinfo=UTC)
    assert running.told("sandbox", "clock", "set", "2022-01-01T00:00:00").startswith("2022-01-01T00:00:00")
    running.told("sandbox", "clock", "real")
    assert abs(now(client) - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"move": "5d"}, "+5d"),
        ({"move": "+999999999d"}, "+5d"),
        ({"set": "1999-12-31T23:59:59Z"}, "2000-01-01"),
        ({"set": "yesterday"}, "$.set"),
        ({"frozen": 1}, "$.frozen"),
        ({"moev": "+5d"}, "moev"),
        ({"seed": "a b"}, "seed"),
    ],
)
def test_what_the_clock_cannot_say_is_refused(served: Client, body: dict[str, object], named: str) -> None:
    before = read(served, "clock")["ahead_seconds"]
    refused = asked(served, "clock", **body)
    assert refused.status == 400
    assert named in refused.json["message"]
    assert read(served, "clock")["ahead_seconds"] == before


@pytest.fixture(scope="module")
def served() -> Iterator[Client]:
    """A sandbox that refuses what it is told."""
    with serving() as found, Client(found.merchant) as opened:
        yield opened


def test_what_the_sandbox_refuses_whatever_it_is_about(served: Client) -> None:
    assert served.get("/sandbox/nothing").status == 404
    assert served.get("/sandboxes").status == 404
    assert served.get("/sandbox/clock", headers={"Origin": "https://evil.example"}).status == 403
    assert served.post_body("/sandbox/clock", b"{").status == 400
    assert served.post_body("/sandbox/clock", b" " * 70_000).status == 413
    assert served.head("/sandbox/clock").status == 405
    assert {"method": "GET", "path": "/sandbox/clock"}.items() <= read(served, "")["calls"][0].items()
