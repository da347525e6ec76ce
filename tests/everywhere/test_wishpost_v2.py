"""WishPost API v2 over all its endpoints: tokens, scopes, what is required, and what every refusal says."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest

from tests.support.answer import Answer
from tests.support.calls import PARCELS
from tests.support.market import Market
from tests.support.older import BOOK, FLAT_ORDER, GOOD, LAMP, ORDER, PICKUP, read, send, to_xml
from tradepost.domain.access import new_token
from tradepost.domain.parcels.booking import wish_id
from tradepost.surfaces.wishpost_v2.chapters import api
from tradepost.surfaces.wishpost_v2.order_shapes import MOST_ORDERS
from tradepost.surfaces.wishpost_v3.surface import LOCALES
from tradepost.wire.bodies import Shape
from tradepost.wire.endpoint import Endpoint
from tradepost.wire.failures import load_table

every_endpoint = pytest.mark.parametrize("endpoint", api.endpoints, ids=lambda endpoint: str(endpoint.path))
every_with_token = pytest.mark.parametrize(
    "endpoint", [e for e in api.endpoints if not e.open], ids=lambda endpoint: str(endpoint.path)
)
CREATE, LABEL, DOWNLOAD = "/api/v2/create_order", "/api/v2/generate_label", "/api/v2/download_label"
TRACK, TEST = "/api/v2/tracking", "/api/v2/auth_test"
LAN = {state: wish_id(parcel_id) for state, parcel_id in PARCELS["lan"].items()}


@pytest.fixture
def market(market: Market) -> Market:
    """Some parcels are under the mark of the good call."""
    market.sql(BOOK)
    return market


def status(answer: Answer) -> int:
    """What stands in `status`, in an answer whose HTTP status is 200."""
    assert answer.status == 200, answer.body
    return read(answer)[0]


@every_endpoint
def test_good_call(market: Market, endpoint: Endpoint) -> None:
    answer = send(market, endpoint)
    assert status(answer) == 0, answer.body
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["wish-request-id"])


def test_good_calls_give_everything() -> None:
    """So that no field is left out: of orders the two forms of goods and pickup together."""
    for endpoint in api.endpoints:
        if endpoint.body is not None and endpoint.path != CREATE:
            members = {member.name for member in Shape(endpoint.body[1].reader.type).members}
            assert members - {"access_token"} == GOOD[endpoint.path].keys()
    (create,) = (endpoint for endpoint in api.endpoints if endpoint.path == CREATE)
    assert create.body is not None
    orders = next(m for m in Shape(create.body[1].reader.type).members if m.name == "order")
    assert orders.shape is not None
    assert {m.name for m in orders.shape.members} - {"warehouse_code"} == ORDER.keys() | FLAT_ORDER.keys()


class TestTokens:
    """Everything that can be wrong with a token, on every endpoint."""

    @every_with_token
    def test_none_or_none_that_is_known(self, market: Market, endpoint: Endpoint) -> None:
        bearer = [f"Bearer {token}" for token in ("aaa", new_token(), market.token("usd"))]
        for header in (None, "Bearer", "Basic YTpi", "Bearer a b", *bearer):
            headers = {} if header is None else {"authorization": header}
            assert status(send(market, endpoint, who=None, headers=headers)) == 4000, header

    @every_with_token
    def test_over_revoked_disabled_suspended(self, market: Market, endpoint: Endpoint) -> None:
        for sql, code in (
            ("update world_clock set fixed_at = fixed_at + interval '30 days'", 1007),
            ("update access_token set revoked_at = now()", 1008),
            ("update app set disabled_at = now()", 1008),
            ("update shipper set suspended_at = now()", 4000),
        ):
            savepoint = market.connection.transaction()
            market.run(savepoint.start())
            market.sql(sql)
            assert status(send(market, endpoint)) == code, sql
            market.run(savepoint.rollback())

    @every_with_token
    def test_in_the_query_in_the_body_in_the_header(self, market: Market, endpoint: Endpoint) -> None:
        token, other = market.token("wishpost:lan"), market.token("wishpost:ada")
        assert status(send(market, endpoint, who=None, access_token=token)) == 0
        assert status(send(market, endpoint, who="wishpost:ada", access_token=token)) == 4000
        if endpoint.body is None:
            return
        good = GOOD[endpoint.path]
        for name in ("access_token", "access_Token"):
            body = {name: token, **good}
            body.pop("order", None) and body.update(order=[FLAT_ORDER])
            assert status(send(market, endpoint, body, who=None)) == 0
            assert status(send(market, endpoint, to_xml({"orders": body}), who=None)) == 0
            assert status(send(market, endpoint, body)) == 0
            assert status(send(market, endpoint, body | {name: other})) == 4000
        assert status(send(market, endpoint, {"access_token": [token, token]} | good, who=None)) == 4000
        assert status(send(market, endpoint, {"access_token": {"a": token}} | good, who=None)) == 4000

    @every_with_token
    def test_scope(self, market: Market, endpoint: Endpoint) -> None:
        without = [scope for scope in api.scopes if scope != endpoint.scope]
        market.sql("update access_token set scopes = $1", without)
        assert status(send(market, endpoint)) == (1103 if endpoint.scope else 0)
        market.sql("update access_token set scopes = $1", [endpoint.scope] if endpoint.scope else [])
        assert endpoint.path == CREATE or status(send(market, endpoint)) == 0


def test_what_is_about_the_call_keeps_its_status(market: Market) -> None:
    for method, path, http, code in (
        ("GET", CREATE, 405, 4005),
        ("PUT", DOWNLOAD, 405, 4005),
        ("GET", "/api/v2/nothing", 404, 4001),
        ("POST", "/api/v2/", 404, 4001),
    ):
        answer = market.request(method, f"https://wishpost.cn{path}", "wishpost:lan")
        assert (answer.status, read(answer)[0]) == (http, code)
    answer = market.request("POST", f"http://wishpost.cn{TEST}", "wishpost:lan")
    assert (answer.status, read(answer)[0]) == (403, 4000)
    answer = send(market, TRACK, b"<a>" + b" " * (1 << 20) + b"</a>")
    assert (answer.status, read(answer)[0]) == (413, 1000)
    answer = send(market, TRACK, headers={"content-encoding": "gzip"})
    assert (answer.status, read(answer)[0]) == (415, 1000)
    assert market.get("https://wishpost.cn/api/v3/nothing", "wishpost:lan").code == 4001


@every_with_token
def test_rate_limit_is_shared_with_the_newer_generation(market: Market, endpoint: Endpoint) -> None:
    """A call of one counts for both."""
    account_id = market.world.senders["lan"].account_id
    market.sql(
        "insert into rate_window (key, started_at, used) select 'wishpost/default/user:' || $1, "
        "date_bin('1 minute', clock_timestamp() + interval '1 minute', '1970-01-01'), 29998",
        account_id,
    )
    assert market.get("https://wishpost.cn/api/v3/oauth/test", "wishpost:lan").status == 200
    answer = send(market, endpoint)
    assert (status(answer), answer.headers["wish-rate-limit-remaining"]) == (0, "0")
    answer = send(market, endpoint)
    assert (answer.status, read(answer)[0]) == (429, 4291)


def _places(shape: Shape, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The required fields of a shape, and of what is in it."""
    found = []
    for member in shape.members:
        here = (*path, member.name)
        found += [here] if member.required else []
        if member.shape is not None:
            found += _places(member.shape, (*here, 0) if member.many else here)
    return found


def changed(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """The value with something else at a place; None takes it away."""
    made = copy.deepcopy(value)
    at = made
    for step in path[:-1]:
        at = at[step]
    if new is None:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return made


@every_endpoint
@pytest.mark.parametrize("new", [None, ""])
def test_everything_required_is_asked_for(market: Market, endpoint: Endpoint, new: Any) -> None:
    if endpoint.body is None:
        return
    for path in _places(Shape(endpoint.body[1].reader.type)):
        answer = send(market, endpoint, changed(GOOD[endpoint.path], path, new))
        code, message, _ = read(answer)
        assert code == 1001, (path, answer.body)
        # Where no product is told, goods in one description are asked for.
        assert (str(path[-1]) if path[-1] != "product_item" else "content") in message or new == ""


@pytest.mark.parametrize("name", [name for name in FLAT_ORDER if name in ("content", "weight", "product_url")])
def test_goods_in_one_description_are_complete(market: Market, name: str) -> None:
    order = {field: value for field, value in FLAT_ORDER.items() if field != name}
    assert read(send(market, CREATE, {"order": [order]}))[:2] == (1001, f"Missing Param: 'order[0].{name}'")


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"otype": "9999-9"}, 1004, "channel for otype: '9999-9'"),
        ({"otype": "x" * 51}, 1000, "'order[1].otype' must have 1 to 50 characters"),
        ({"otype": "a\u200bb"}, 1004, "channel"),
        ({"from": "陈"}, 1000, "'order[1].from' must not have Chinese characters"),
        ({"sender_addres": "路"}, 1000, "'order[1].sender_addres' must not have Chinese characters"),
        ({"recipient_postcode": "路"}, 1000, "'order[1].recipient_postcode' must not have Chinese"),
        ({"to": "x" * 101}, 1000, "'order[1].to' must have 1 to 100 characters"),
        ({"recipient_country_short": "UK"}, 1000, "'UK' is not a country code"),
        ({"content": "灯"}, 1000, "'order[1].content' must have at least one Latin letter"),
        ({"content_chinese": "lamp"}, 1000, "'order[1].content_chinese' must have at least one Chinese"),
        ({"num": "1.5"}, 1000, "'order[1].num' must be a whole number from 1 to 10000"),
        ({"weight": "0.0001"}, 1000, "'order[1].weight' must be a decimal number"),
        ({"single_price": "1e3"}, 1000, "'order[1].single_price' must be a decimal number"),
        ({"has_battery": "yes"}, 1000, "'order[1].has_battery' must be true or false"),
        ({"doorpickup": "2"}, 1000, "'order[1].doorpickup' must be one of: 0, 1"),
        ({"type_no": "5"}, 1000, "'order[1].type_no' must be one of"),
        ({"user_desc": "x" * 100}, 1000, "'order[1].user_desc' must have 1 to 99 characters"),
        ({"trande_no": "short"}, 1000, "'wish_order_id' has an entry"),
        (
            {"trande_no": "60a4d0c5000000000000000a, 60a4d0c5000000000000000b"},
            1000,
            "'order[1].trande_no' has an entry",
        ),
        ({"trande_no": "a" + 20 * ",a"}, 1000, "'order[1].trande_no' has more than 20 entries"),
        ({"trande_no": {"a": "b"}}, 1000, "'order[1].trande_no' must be a single value"),
        ({"otype": ["5001-1", "5001-1"]}, 1000, "'order[1].otype' was given 2 times"),
        ({"product_items": "lamp"}, 1000, "'order[1].product_items' must be an object"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_booked(
    market: Market, changes: dict[str, Any], code: int, says: str
) -> None:
    """Also not the order before it, which is good."""
    before = market.sql("select count(*) from parcel")
    answer = send(market, CREATE, {"order": [ORDER, FLAT_ORDER | changes]})
    found, message, _ = read(answer)
    assert (answer.status, found) == (200, code), message
    assert says in message
    assert market.sql("select count(*) from parcel") == before


def test_both_forms_of_goods_become_the_same_parcel(market: Market) -> None:
    as_product = {
        "product_item_name": "Paper Lantern",
        "product_item_name_chinese": "纸灯笼",
        "product_item_num": "1",
        "product_item_weight": "0.25",
        "product_item_single_price": "7.90",
        "product_item_from_country": "CN",
        "product_item_product_url": "https://shop.example/lantern",
        "product_item_has_battery": "0",
        "product_item_sensitivity_type": "0",
    }
    flat = {name: value for name, value in FLAT_ORDER.items() if name not in ("trande_no",)}
    root = read(
        send(
            market,
            CREATE,
            {
                "order": [
                    flat | {"wish_order_id": "NonWishOrder"},
                    flat | {"wish_order_id": "NonWishOrder", "product_items": {"product_item": as_product}},
                ]
            },
        )
    )[2]
    found = [element.text for element in root.iter("wish_standard_tracking_id")]
    first, second = (market.sql("select details::text from parcel where wish_id = $1", number) for number in found)
    assert first == second
    told = json.loads(first)
    assert told["pickup"]["address"] == PICKUP["receive_addres"]
    assert told["recipient_local"]["city"] == "弗雷斯诺"


def test_as_many_orders_as_a_file_has_labels(market: Market) -> None:
    order = {name: value for name, value in FLAT_ORDER.items() if name not in PICKUP} | {"weight": "0.001"}
    order |= {"trande_no": "NonWishOrder"}
    root = read(send(market, CREATE, {"order": [order] * MOST_ORDERS}))[2]
    mark = root.findtext("mark")
    assert len(list(root.iter("barcode"))) == MOST_ORDERS
    assert len({element.text for element in root.iter("wish_standard_tracking_id")}) == MOST_ORDERS
    code, message, _ = read(send(market, CREATE, {"order": [order] * (MOST_ORDERS + 1)}))
    assert (code, message) == (1000, f"Invalid Param: 'order' must be a list of 1 to {MOST_ORDERS} items")
    before = market.sql("select count(*) from parcel")
    assert status(send(market, CREATE, {"mark": mark, "order": [order]})) == 1002
    assert market.sql("select count(*) from parcel") == before


def test_nobody_elses_parcels(market: Market) -> None:
    """Another user's number and mark answer like such that never were."""
    (theirs,) = read(send(market, TRACK, {"track": {"barcode": LAN["delivered"]}}, who="wishpost:ada"))[2].iter(
        "tracks"
    )
    assert theirs.get("error_message") == f"We could not find an order for: '{LAN['delivered']}'"
    assert len(theirs) == 0
    body = {"barcodes": {"barcode": LAN["numbered"]}}
    assert status(send(market, LABEL, body, who="wishpost:ada")) == 1004
    market.sql("update parcel set mark = 'of-ada' where account_id = $1", market.world.senders["ada"].account_id)
    told = [read(send(market, DOWNLOAD, mark=mark))[:2] for mark in ("of-ada", "of-who")]
    assert told[0][0] == told[1][0] == 1004
    own = read(send(market, CREATE, {"mark": "of-ada", "order": [FLAT_ORDER]}))[2].findtext("PDF_10_EN_URL")
    assert market.request("GET", own.replace("&amp;", "&"), None).status == 400


def test_twenty_numbers_and_no_more(market: Market) -> None:
    numbers = [{"barcode": f"N{number}"} for number in range(21)]
    root = read(send(market, TRACK, {"track": numbers[:20]}))[2]
    assert [tracks.get("barcode") for tracks in root.iter("tracks")] == [n["barcode"] for n in numbers[:20]]
    assert (
        read(send(market, TRACK, {"track": numbers}))[1] == "Invalid Param: 'track' must be a list of 1 to 20 items"
    )
    assert status(send(market, LABEL, {"barcodes": {"barcode": ["a"] * 51}})) == 1000


def order(**changes: Any) -> Callable[[Market, str], Answer]:
    """An order with goods in one description that is good but for the changes; None takes one out."""
    made = {name: value for name, value in (FLAT_ORDER | changes).items() if value is not None}
    return lambda market, locale: send(market, CREATE, {"order": [made]}, locale=locale)


def full(market: Market, locale: str) -> Answer:
    market.sql(
        "insert into parcel (account_id, id, wish_id, otype, state, order_ids, country, weight, fee, details, "
        "mark, created_at, updated_at) select account_id, lpad(n::text, 24, '0'), 'X' || n, otype, 'booked', '{}', "
        "'US', 1, 1, details, 'full', created_at, updated_at from parcel, generate_series(1, 51) n where id = $1",
        PARCELS["lan"]["numbered"],
    )
    return send(market, DOWNLOAD, mark="full", locale=locale)


def twice(market: Market, locale: str) -> Answer:
    return send(market, CREATE, {"order": [ORDER, ORDER]}, locale=locale)


def body(data: bytes) -> Callable[[Market, str], Answer]:
    return lambda market, locale: send(market, TRACK, data, locale=locale)


PROVOKED: dict[str, Callable[[Market, str], Answer]] = {
    "HttpsRequired": lambda market, locale: market.request(
        "POST", f"http://wishpost.cn{TEST}?locale={locale}", "wishpost:lan"
    ),
    "BodyNotObject": body(b"[1]"),
    "XmlMalformed": body(b"<a>"),
    "ClientMissing": lambda market, locale: send(
        market, "/api/v2/oauth/refresh_token", {"refresh_token": "r"}, who=None, locale=locale
    ),
    "MarkNotFound": lambda market, locale: send(market, DOWNLOAD, mark="nothing", locale=locale),
    "MarkFull": full,
    "PickupMissing": order(pickup_service=None),
    "GuidTaken": twice,
    "OrderIdWrong": order(trande_no="short"),
    "TooManyOrderIds": order(otype="1", warehouse_code="1", trande_no=",".join(["a" * 24] * 2)),
    "NameWithoutLatin": order(content="灯"),
    "NameWithoutChinese": order(content_chinese="lamp"),
    "ChineseNotAllowed": order(to="安"),
    "KindAndBatteryDisagree": lambda market, locale: send(
        market,
        CREATE,
        {"order": ORDER | {"product_items": {"product_item": LAMP | {"product_item_has_battery": "0"}}}},
        locale=locale,
    ),
    "KindNotTaken": order(otype="1", warehouse_code="1", has_battery="1"),
    "ParcelTooHeavy": order(weight="99"),
    "HandoverWarehouseWrong": order(warehouse_code="77"),
    "PickupServiceWrong": order(pickup_service="99-9"),
    "PickupAddressMissing": order(receive_addres="88 Lantern Road"),
}


def test_everything_told_otherwise_is_provoked() -> None:
    own = load_table(resources.files("tradepost.surfaces.wishpost_v2"), LOCALES)
    assert set(own.names()) == PROVOKED.keys()


@pytest.mark.parametrize("name", PROVOKED)
def test_failure(market: Market, name: str) -> None:
    """HTTP status, status and sentence are those of the table, in every language."""
    for locale in LOCALES:
        savepoint = market.connection.transaction()
        market.run(savepoint.start())
        answer = PROVOKED[name](market, locale)
        market.run(savepoint.rollback())
        line = api.table.line(name)
        code, message, _ = read(answer)
        assert (answer.status, code) == (line.http, line.code), message
        fixed = [re.escape(part) for part in re.split(r"\{[a-z_]+\}", api.table.sentence(name, locale))]
        assert re.fullmatch(".*".join(fixed), message, re.DOTALL), message


def test_only_what_clients_do_not_look_at_has_another_status() -> None:
    """Whatever is wrong with what was sent, or with the token, is told in a 200."""
    for name in api.table.names():
        assert api.table.line(name).http in (200, 403, 404, 405, 408, 410, 413, 415, 429, 431, 500, 503)
    others = {name for name in api.table.names() if api.table.line(name).http == 403}
    assert others == {"HttpsRequired"}
    assert not {api.table.line(name).code for name in api.table.names()} & {1020, 1100, 1101, 1102}


LABELS = (
    "application/x-www-form-urlencoded",
    "text/xml",
    "application/xml; charset=utf-8",
    "application/json",
    "x",
    "",
)


@pytest.mark.parametrize("kind", LABELS)
@every_endpoint
def test_what_a_body_is_called_means_nothing(market: Market, endpoint: Endpoint, kind: str) -> None:
    """XML under any root, JSON, and a root in a root say the same, whatever their label."""
    if endpoint.body is None or endpoint.path == CREATE or endpoint.open:
        return
    good = GOOD[endpoint.path]
    sent = (to_xml(good), to_xml(good, "xml"), to_xml({"orders": good}), json.dumps(good).encode())
    told = {send(market, endpoint, body, headers={"content-type": kind}).body for body in sent}
    assert len(told) == 1
    assert b"<status>0</status>" in told.pop()


def test_a_list_with_nothing_in_it_is_nothing(market: Market) -> None:
    """XML has no such thing, JSON has."""
    good = GOOD[TRACK]
    for name, code in (("language", 0), ("track", 1000), ("access_token", 0)):
        assert status(send(market, TRACK, json.dumps(good | {name: []}).encode())) == code, name
