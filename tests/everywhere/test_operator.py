"""The operator's service: bodies that cannot be taken, lists from page to page, and what is whose."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.everywhere.test_sweeps import bad_values
from tests.support.answer import Answer
from tests.support.calls import ENDPOINTS, GOOD_BODIES, INFRACTIONS, ORDERS, PARCELS, RINGS, TICKETS
from tests.support.market import Market
from tests.support.operator_calls import BODIES, MERCHANTS, PREFIX, SHIPPERS, USD
from tests.support.places import changed
from tradepost.domain.parcels.booking import wish_id
from tradepost.surfaces.operator_v1.vocabulary import Id
from tradepost.wire.bodies import Member, Shape
from tradepost.wire.endpoint import Endpoint

WRITES = [e for service, e in ENDPOINTS if service == "operator" and e.kind == "write"]
every_write = pytest.mark.parametrize("endpoint", WRITES, ids=lambda endpoint: str(endpoint.path))
Path = tuple[str | int, ...]


def send(market: Market, path: str, body: object) -> Answer:
    headers = {"content-type": "application/json"}
    return market.request("POST", path, "operator:desk", json.dumps(body).encode(), headers)


def named(path: Path) -> str:
    """A place as a refusal names it: items[0].sku."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def members(shape: Shape, before: Path = ()) -> Iterator[tuple[Path, Member]]:
    """Every field of a body with where it stands in the good one."""
    for member in shape.members:
        here: Path = (*before, member.name)
        yield here, member
        if member.shape is not None:
            yield from members(member.shape, (*here, 0) if member.many else here)


def shape_of(endpoint: Endpoint) -> Shape:
    assert endpoint.body is not None
    return Shape(endpoint.body[1].reader.type, strict=True)


def content(market: Market) -> Any:
    """Whatever an operator could change."""
    tables = ("merchant", "product", "variation", "stock", "orders", "order_refund", "ticket", "ticket_reply")
    more = ("infraction", "notification", "parcel", "tracking_scan", "operator_act", "event", "system_update")
    return [
        market.sql(f"select coalesce(string_agg(t::text, '' order by t::text), '') from {table} t")
        for table in (*tables, *more)
    ]


@every_write
def test_a_good_body_has_everything(endpoint: Endpoint) -> None:
    """So that the sweeps leave nothing out; and everything has a meaning."""
    for path, member in members(shape_of(endpoint)):
        at = GOOD_BODIES[endpoint.path]
        for step in path:
            at = at[step]
        assert at is not None
        assert member.doc


@every_write
def test_what_is_missing_or_means_nothing_is_named(market: Market, endpoint: Endpoint) -> None:
    good, before = GOOD_BODIES[endpoint.path], content(market)
    for path, member in members(shape_of(endpoint)):
        if member.required:
            for nothing in (NotImplemented, None, ""):
                answer = send(market, endpoint.path, changed(good, path, nothing))
                assert (answer.status, answer.code, answer.data) == (400, 1001, named(path))
        beside = (*path[:-1], "nonsense")
        answer = send(market, endpoint.path, changed(good, beside, 1))
        assert (answer.status, answer.code, answer.data) == (400, 1000, named(beside))
        assert answer.json["type"] == "unknown_name"
    assert content(market) == before


@every_write
def test_what_cannot_be_is_named(market: Market, endpoint: Endpoint) -> None:
    good, before = GOOD_BODIES[endpoint.path], content(market)
    for path, member in members(shape_of(endpoint)):
        wrong: list[Any] = [7.5 if member.many else {"a": 1}]
        place = path
        if member.many is not None:
            wrong.append([{}] * (member.many.most + 1))
            for bad in wrong:
                answer = send(market, endpoint.path, changed(good, path, bad))
                assert (answer.status, answer.data) == (400, named(path)), (path, bad, answer.body)
            place, wrong = (*path, 0), [[1], *([{"a": 1}] if member.reader else [])]
        if member.reader is not None:
            ids = ["7", "g" * 24, "A" * 24] if isinstance(member.reader, Id) else []
            wrong += [*bad_values(member.reader), *ids, ["a"]]
        else:
            wrong = ["a", 1]
        for bad in wrong:
            answer = send(market, endpoint.path, changed(good, place, bad))
            assert (answer.status, answer.code, answer.data) == (400, 1000, named(place)), (place, bad, answer.body)
    assert content(market) == before


@every_write
def test_what_is_optional_can_be_left_out_or_null(market: Market, endpoint: Endpoint) -> None:
    good = GOOD_BODIES[endpoint.path]
    left_out, nulls = copy.deepcopy(good), copy.deepcopy(good)
    for path, member in members(shape_of(endpoint)):
        if not member.required and len(path) == 1 and path not in NEEDED_HERE.get(endpoint.name, ()):
            left_out = changed(left_out, path, NotImplemented)
            nulls = changed(nulls, path, None)
    for body in (left_out, nulls):
        savepoint = market.connection.transaction()
        market.run(savepoint.start())
        assert send(market, endpoint.path, body).status == 200
        market.run(savepoint.rollback())


# Rules that no declaration tells: a rejection has a reason, a ticket is about something.
NEEDED_HERE: dict[str, set[Path]] = {
    "review_product": {("reason",)},
    "open_ticket": {("order_ids",)},
}

THEIRS = {
    "order_id": ORDERS["cny"]["open"],
    "product_id": RINGS["cny"][0],
    "ticket_id": TICKETS["cny"][4],
    "infraction_id": INFRACTIONS["cny"][1],
    "tracking_number": "TR1234CNY",
    "number": wish_id(PARCELS["ada"]["numbered"]),
    "sku": "lantern",
}
ABOUT = [(e, name) for e in WRITES for name in THEIRS if name in GOOD_BODIES[e.path]]


@pytest.mark.parametrize(("endpoint", "name"), ABOUT, ids=[f"{e.path}:{name}" for e, name in ABOUT])
def test_what_is_anothers_is_not_there(market: Market, endpoint: Endpoint, name: str) -> None:
    """An operator sees every merchant; what he does to one cannot hit another."""
    before = content(market)
    body = GOOD_BODIES[endpoint.path] | {name: THEIRS[name]}
    answer = send(market, endpoint.path, body)
    assert (answer.status, answer.code, answer.data) == (404, 1004, name)
    assert content(market) == before


LISTS = {
    "merchants": ("merchants", {}),
    "senders": ("senders", {}),
    "orders": ("orders", USD),
    "products": ("products", USD),
    "products/pending": ("products", {}),
    "tickets": ("tickets", USD),
    "tickets/awaiting-support": ("tickets", {}),
    "infractions": ("infractions", USD | {"stage": "1"}),
    "infractions/awaiting-marketplace": ("infractions", {}),
    "parcels": ("parcels", {"sender_id": SHIPPERS["lan"]}),
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_from_page_to_page_is_the_whole_list(market: Market, path: str) -> None:
    under, query = LISTS[path]
    whole = market.get(f"{PREFIX}/{path}", "operator:desk", **query, limit=200).data
    assert whole["next"] is None
    assert len(whole[under]) > 1
    found: list[Any] = []
    more: dict[str, str] = {}
    while True:
        page = market.get(f"{PREFIX}/{path}", "operator:desk", **query, limit=1, **more).data
        assert len(page[under]) == 1
        found += page[under]
        if page["next"] is None:
            break
        more = {"after": page["next"]}
    assert found == whole[under]


@pytest.mark.parametrize("path", LISTS)
def test_a_page_is_cut_out_of_an_index(market: Market, path: str) -> None:
    """One statement besides the gate's and who it is about; no sequential scan of what is listed."""
    _, query = LISTS[path]
    market.get(f"{PREFIX}/{path}", "operator:desk", **query)
    seen: list[tuple[str, Any]] = []
    market.connection.add_query_logger(lambda record: seen.append((record.query, record.args)))
    assert market.get(f"{PREFIX}/{path}", "operator:desk", **query).status == 200
    asked = [each for each in seen if " limit $" in each[0] and "admit" not in each[0]]
    assert len(asked) == 1
    market.sql("set local enable_seqscan = off")
    market.sql("set local enable_sort = off")
    statement, values = asked[0]
    plan = "\n".join(row[0] for row in market.run(market.connection.fetch(f"explain {statement}", *values)))
    assert "Seq Scan" not in plan, plan
    assert "Sort" not in plan, plan


def test_a_merchant_that_is_suspended_is_kept_out_and_told(market: Market) -> None:
    assert market.get("/api/v2/auth_test").status == 200
    assert send(market, f"{PREFIX}/merchants/suspend", USD).data == {**USD, "suspended": True}
    assert market.get("/api/v2/auth_test").status == 403
    assert market.get("/api/v2/auth_test", "cny").status == 200
    assert send(market, f"{PREFIX}/merchants/reinstate", USD).data == {**USD, "suspended": False}
    assert market.get("/api/v2/auth_test").status == 200
    shown = market.get("/api/v2/noti/fetch-unviewed").data
    titles = [line["GetNotiResponse"]["title"] for line in shown]
    assert {"Your account is suspended", "Your account is open again"} <= set(titles)


def test_a_rejected_product_is_off_sale_and_its_merchant_reads_why(market: Market) -> None:
    review = BODIES["products/review"]
    cart = BODIES["orders/place"]
    assert send(market, f"{PREFIX}/products/review", review).status == 200
    assert send(market, f"{PREFIX}/orders/place", cart).json["type"] == "not_for_sale"
    told = market.get("/api/v2/noti/fetch-unviewed").body.decode()
    assert "did not pass its review. The picture shows another scarf." in told
    assert send(market, f"{PREFIX}/products/review", review | {"verdict": "approved"}).status == 200
    assert send(market, f"{PREFIX}/orders/place", cart).status == 200
    product = market.get("/api/v2/product", parent_sku="scarf").data["Product"]
    assert (product["review_status"], product["category"]) == ("approved", "Fashion")


def test_what_a_storefront_sells_a_merchant_can_ship(market: Market) -> None:
    placed = send(market, f"{PREFIX}/orders/place", BODIES["orders/place"]).data
    waiting = market.get("/api/v2/order/get-fulfill").data
    ours = [line["Order"] for line in waiting if line["Order"]["transaction_id"] == placed["transaction_id"]]
    assert {order["order_id"] for order in ours} == {order["id"] for order in placed["orders"]}
    order_id = placed["orders"][0]["id"]
    form = {"id": order_id, "tracking_provider": "USPS", "tracking_number": "NEW1"}
    assert market.post("/api/v2/order/fulfill-one", **form).status == 200
    scan = USD | {"tracking_number": "new1", "kind": "delivered"}
    assert send(market, f"{PREFIX}/tracking/record", scan).status == 200
    told = market.get(f"{PREFIX}/orders/get", "operator:desk", **USD, order_id=order_id).data
    assert (told["state"], told["tracking_number"], told["delivered_at"]) == (
        "shipped",
        "NEW1",
        "2021-05-19T16:37:00",
    )


def test_the_service_is_nowhere_else(market: Market) -> None:
    """At the merchant service's addresses only, under its own path, and with its own tokens."""
    assert market.get(f"https://wishpost.cn{PREFIX}/operator", "operator:desk").status == 404
    assert market.get(f"{PREFIX}/operator", "usd").status == 401
    assert market.get("/api/v2/auth_test", "operator:desk").status == 401
    assert {who: grant.account_id for who, grant in market.world.merchants.items()} == MERCHANTS
    assert {who: grant.account_id for who, grant in market.world.senders.items()} == SHIPPERS
