"""Faults on demand: what calls meet, which calls, how many, and that a world without faults pays nothing."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace

import pytest

from tests.support.program import Client, Program, serving
from tests.support.sandbox import asked, control, read
from tradepost.domain.context import Ctx
from tradepost.sandbox.conditions import Conditions
from tradepost.surfaces.sandbox.troubles import Troubles

PATH = "/api/v2/auth_test"
OTHER = "/api/v2/product/multi-get?limit=1"


@pytest.fixture(scope="module")
def running() -> Iterator[Program]:
    """A sandbox of two processes, which all hear of a fault."""
    with serving("--workers", "2") as found:
        yield found


@pytest.fixture
def client(running: Program) -> Iterator[Client]:
    """Somebody who calls for the first shop, in a world without faults."""
    with Client(running.merchant, running.credentials()["merchants"][0]["access_token"]) as opened:
        control(opened, "drop-faults")
        yield opened
        control(opened, "drop-faults")


def set_fault(client: Client, **fault: object) -> str:
    """Set a fault, and give the other process a moment to hear of it."""
    made: str = control(client, "fault", **fault)["id"]
    time.sleep(0.3)
    return made


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("limited", 429, 1056), ("broken", 500, 9000), ("unavailable", 503, 9003), ("expired", 401, 1015)],
)
def test_the_next_calls_fail_and_then_no_more(client: Client, kind: str, status: int, code: int) -> None:
    fault = set_fault(client, kind=kind, path=PATH, calls=2)
    assert client.get(OTHER).status == 200
    for _ in range(2):
        met = client.get(PATH)
        assert (met.status, met.json["code"]) == (status, code)
        assert met.headers["tradepost-fault"] == f"{kind}; id={fault}"
    fine = client.get(PATH)
    assert fine.status == 200
    assert "tradepost-fault" not in fine.headers
    (told,) = read(client, "faults")["faults"]
    assert (told["seen"], told["met"], told["remaining"]) == (2, 2, 0)


def test_a_share_of_the_calls(client: Client) -> None:
    set_fault(client, kind="unavailable", path=PATH, share=25)
    assert [client.get(PATH).status for _ in range(8)] == [200, 200, 200, 503] * 2


def test_slow_and_cut(client: Client) -> None:
    set_fault(client, kind="slow", path=PATH, calls=1, seconds=1.5)
    began = time.monotonic()
    assert client.get(PATH).status == 200
    assert time.monotonic() - began >= 1.5
    set_fault(client, kind="cut", path=PATH, calls=1)
    with pytest.raises(http.client.IncompleteRead):
        client.get(PATH)
    assert client.get(PATH).status == 200


def test_only_one_shop_or_one_app(running: Program, client: Client) -> None:
    ada, lan = running.credentials()["merchants"][:2]
    with Client(running.merchant, lan["access_token"]) as other:
        set_fault(client, kind="unavailable", account=lan["id"])
        assert (client.get(PATH).status, other.get(PATH).status) == (200, 503)
        control(client, "drop-faults")
        set_fault(client, kind="unavailable", app=ada["client_id"])
        assert (client.get(PATH).status, other.get(PATH).status) == (503, 200)


@pytest.mark.parametrize(
    ("kind", "status"), [("limited", 429), ("broken", 500), ("unavailable", 503), ("expired", 401), ("slow", 200)]
)
def test_operators_calls_meet_their_own(running: Program, client: Client, kind: str, status: int) -> None:
    """They are met by nobody else's, and theirs by nobody else."""
    path = "/api/operator/v1/merchants"
    running.run("operator", "add", "faults")
    with Client(running.merchant, running.told("operator", "token", "issue", "faults").strip()) as operator:
        set_fault(client, kind=kind, seconds=0.1)
        assert "tradepost-fault" not in operator.get(path).headers
        control(client, "drop-faults")
        fault = set_fault(client, kind=kind, service="operator", path=path, calls=1, seconds=0.1)
        assert "tradepost-fault" not in client.get(PATH).headers
        met = operator.get(path)
        assert (met.status, met.headers["tradepost-fault"]) == (status, f"{kind}; id={fault}")
        assert operator.get(path).status == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("limited", 429, 4291), ("broken", 500, 9000), ("unavailable", 503, 9000), ("expired", 200, 1007)],
)
@pytest.mark.parametrize("path", ["/api/v2/auth_test", None])
def test_a_service_is_all_its_generations(
    running: Program, client: Client, kind: str, status: int, code: int, path: str | None
) -> None:
    """A fault of WishPost is met by calls of version 2, and by no call of the merchants' path of that name."""
    token = running.credentials()["wishpost"][0]["access_token"]
    with Client(running.wishpost, token) as sender:
        fault = set_fault(client, kind=kind, service="wishpost", path=path, calls=1)
        assert "tradepost-fault" not in client.get(PATH).headers
        met = sender.post_body("/api/v2/auth_test", f"<root><access_token>{token}</access_token></root>".encode())
        assert (met.status, met.headers["tradepost-fault"]) == (status, f"{kind}; id={fault}")
        assert f"<status>{code}</status>" in met.body.decode()


def test_a_limited_call_is_told_the_limit_that_holds(running: Program, client: Client) -> None:
    with Client(running.wishpost, running.credentials()["wishpost"][0]["access_token"]) as sender:
        set_fault(client, kind="limited", service="wishpost", calls=1)
        met = sender.get("/api/v3/channels")
        assert met.json["message"].startswith("This api can be called no more than 30000 times per minute per user")


def test_on_the_command_line(running: Program, client: Client) -> None:
    fault = running.told("sandbox", "fault", "broken", "--path", PATH, "--calls", "1").strip()
    time.sleep(0.3)
    assert f"{fault}  broken       merchant {PATH}  met 0, 1 left" in running.told("sandbox", "fault")
    assert client.get(PATH).status == 500
    assert running.told("sandbox", "fault", "--drop") == "forgotten: 1\n"


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        ({"kind": "odd"}, "$.kind"),
        ({"kind": "slow", "seconds": 61}, "seconds"),
        ({"kind": "cut", "share": 0}, "share"),
        ({"kind": "cut", "calls": 0}, "calls"),
        ({"kind": "cut", "path": "order"}, "path"),
        ({"kind": "cut", "path": "/order\0"}, "path"),
        ({"kind": "cut", "path": "/api/v2/order?id=1"}, "path"),
        ({"kind": "cut", "account": "\0"}, "$.account"),
        ({"kind": "cut", "account": ""}, "$.account"),
        ({"kind": "cut", "app": "a" * 24 + "\n"}, "$.app"),
        ({"kind": "cut", "app": "a" * 24, "service": "operator"}, "app"),
        ({"kind": "cut", "service": "owl"}, "$.service"),
    ],
)
def test_what_no_fault_can_be(client: Client, wish: dict[str, object], named: str) -> None:
    refused = asked(client, "fault", **wish)
    assert refused.status == 400
    assert named in refused.json["message"]
    assert asked(client, "drop-faults", id="0" * 24).status == 404


@pytest.mark.parametrize(
    ("verb", "wish"),
    [
        ("drop-faults", {"id": "\0"}),
        ("generate", {"orders": 1, "merchant_id": "\0"}),
        ("scene", {"name": "open-order", "merchant_id": "\0"}),
    ],
)
def test_what_no_id_can_be(client: Client, verb: str, wish: dict[str, object]) -> None:
    refused = asked(client, verb, **wish)
    assert refused.status == 400
    assert "id" in refused.json["message"]


def test_without_faults_nothing_is_asked(client: Client) -> None:
    """No statement, no transaction, no connection: a look at an empty list."""

    async def never(verb: Callable[[Ctx], Awaitable[bool]]) -> bool:
        raise AssertionError("somebody asked the database")

    troubles = Troubles(Conditions(), never)
    caller = SimpleNamespace(actor=SimpleNamespace(id="a" * 24), token_id=None)

    async def many() -> None:
        for _ in range(1000):
            assert await troubles.meet("merchant", PATH, (), caller) is None

    asyncio.run(many())
