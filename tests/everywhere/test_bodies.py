"""Bodies that are a JSON value of their own: what is wrong inside is told by where it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.calls import ENDPOINTS, GOOD_BODIES, NEW_ORDER, PARCELS
from tests.support.market import Market
from tests.support.places import changed
from tradepost.domain.parcels.booking import wish_id
from tradepost.surfaces.wishpost_v3.reasons import OTHER, REASONS
from tradepost.wire.bodies import BodyList, Member, Shape
from tradepost.wire.endpoint import Endpoint

CREATE, CANCEL = "/api/v3/orders/create", "/api/v3/orders/cancel"
WITH_BODY = [endpoint for service, endpoint in ENDPOINTS if endpoint.body is not None and service == "wishpost"]


def send(market: Market, path: str, body: object, query: str = "") -> Any:
    text = json.dumps(body).encode()
    target = f"https://wishpost.cn{path}?{query}"
    return market.request("POST", target, "wishpost:lan", text, {"content-type": "application/json"})


@pytest.mark.parametrize(
    ("path", "new", "says"),
    [
        (("goods", 0, "weight"), "0.0001", "'goods[0].weight' must be a decimal number from 0.001 to 100"),
        (("goods", 0, "weight"), "1e1", "'goods[0].weight' must be a decimal number"),
        (("goods", 0, "num"), 0, "'goods[0].num' must be a whole number from 1 to 10000"),
        (("goods", 0, "num"), 1.5, "'goods[0].num' must be a whole number"),
        (("goods", 0, "has_battery"), "yes", "'goods[0].has_battery' must be true or false"),
        (("goods", 0, "product_url"), "shop", "'goods[0].product_url' must be an absolute http or https URL"),
        (("goods", 0, "from_country"), "UK", "is not a country code for 'goods[0].from_country'"),
        (("goods", 0, "sensitivity_type"), 3, "'goods[0].sensitivity_type' must be one of: 0, 1, 2"),
        (("goods", 0, "name"), NotImplemented, "Missing Param: 'goods[0].name'"),
        (("goods", 0), "lamp", "'goods[0]' must be an object"),
        (("goods",), {}, "'goods' must be a list of 1 to 50 items"),
        (("goods",), [], "'goods' must be a list of 1 to 50 items"),
        (("recipient", "city"), ["a"], "'recipient.city' must be a single value"),
        (("recipient",), None, "Missing Param: 'recipient'"),
        (("user_desc",), "x" * 100, "'user_desc' must have 1 to 99 characters"),
        (("sender", "name"), "a\u200bb", "'sender.name' contains a character that is not allowed"),
        (("trade_amount",), -1, "'trade_amount' must be a decimal number"),
    ],
)
def test_what_is_wrong_is_named_by_where_it_stands(
    market: Market, path: tuple[str | int, ...], new: Any, says: str
) -> None:
    answer = send(market, CREATE, changed(NEW_ORDER, path, new))
    assert (answer.status, answer.code) == (400, 1100)
    assert says in answer.json["message"]
    assert market.sql("select count(*) from parcel where guid = 'shelf-7'") == 0


def _required(shape: Shape, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    found = []
    for member in shape.members:
        here: tuple[str | int, ...] = (*path, member.name)
        found += [here] if member.required else []
        if member.shape is not None and member.required:
            found += _required(member.shape, (*here, 0) if member.many else here)
    return found


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=lambda endpoint: str(endpoint.path))
def test_everything_required_is_asked_for(market: Market, endpoint: Endpoint) -> None:
    assert endpoint.body is not None
    reader = endpoint.body[1].reader
    start: tuple[str | int, ...] = (0,) if isinstance(reader, BodyList) else ()
    good = GOOD_BODIES[endpoint.path]
    for path in _required(Shape(reader.type), start):
        answer = send(market, endpoint.path, changed(good, path, NotImplemented))
        told = answer.data[0] if isinstance(reader, BodyList) else answer.json
        assert told["code"] == 1100, path
        assert f"{path[-1]}'" in told["message"]


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=lambda endpoint: str(endpoint.path))
def test_everything_in_a_body_has_a_meaning(endpoint: Endpoint) -> None:
    assert endpoint.body is not None

    def members(shape: Shape) -> list[Member]:
        return [m for member in shape.members for m in (member, *(members(member.shape) if member.shape else ()))]

    assert not [member.name for member in members(Shape(endpoint.body[1].reader.type)) if not member.doc]


def test_optional_things_can_be_left_out_or_null(market: Market) -> None:
    least = {name: NEW_ORDER[name] for name in ("otype", "wish_order_id", "sender", "recipient", "goods")}
    others = dict.fromkeys(NEW_ORDER.keys() - least.keys())
    for body in (least, least | others, least | {"unknown": [1, {"a": None}]}):
        assert send(market, CREATE, body).status == 200


def test_a_hundred_are_judged_in_their_order_and_one_more_is_none(market: Market) -> None:
    states = list(PARCELS["lan"])
    numbers = [wish_id(PARCELS["lan"][states[at % len(states)]]) for at in range(100)]
    wishes = [{"tracking_id": name, "cancel_reason_code": "USER_BIZ_DUPLICATE_ORDER"} for name in numbers]
    answer = send(market, CANCEL, wishes)
    assert [item["tracking_id"] for item in answer.data] == numbers
    assert [states[at] for at in range(7) if answer.data[at]["code"] == 0] == ["booked", "numbered", "handed_over"]
    assert all(item["code"] != 0 for item in answer.data[7:])
    assert send(market, CANCEL, [*wishes, wishes[0]]).code == 1101


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("words", ["", "too dear"])
def test_each_reason_is_taken_and_only_the_other_one_needs_words(market: Market, reason: str, words: str) -> None:
    number = wish_id(PARCELS["lan"]["numbered"])
    wish = {"tracking_id": number, "cancel_reason_code": reason, "invalid_reason": words}
    (told,) = send(market, CANCEL, [wish]).data
    if reason == OTHER and not words:
        assert (told["code"], told["tracking_id"]) == (1100, number)
        return
    assert told == {"tracking_id": number, "code": 0, "message": ""}
    order = market.get(
        f"https://wishpost.cn/api/v3/orders/get?id={PARCELS['lan']['numbered']}", "wishpost:lan"
    ).data
    assert (order["cancel_reason_code"], order["invalid_reason"]) == (reason, words or None)


FLAT = [endpoint for endpoint in WITH_BODY if endpoint.flat]


@pytest.mark.parametrize("endpoint", FLAT, ids=lambda endpoint: str(endpoint.path))
def test_the_token_of_an_older_call_may_stand_in_its_body(market: Market, endpoint: Endpoint) -> None:
    target, good = f"https://wishpost.cn{endpoint.path}", GOOD_BODIES[endpoint.path]
    kind = {"content-type": "application/x-www-form-urlencoded"}  # as such clients label it
    token = market.token("wishpost:lan")
    for sent, who, code in (
        (token, None, 0),
        (token, "wishpost:lan", 0),
        (token, "wishpost:ada", 1102),
        (None, None, 4000),
        ("", None, 4000),
        (7, None, 1020),
        ([token], None, 1102),
        ("aaa", None, 1020),
        (market.token("usd"), None, 1020),
    ):
        body = json.dumps(good | {"access_token": sent}).encode()
        assert market.request("POST", target, who, body, kind).code == code, (sent, who)


def test_a_new_call_takes_no_token_from_its_body(market: Market) -> None:
    body = json.dumps(NEW_ORDER | {"access_token": market.token("wishpost:lan")}).encode()
    assert market.request("POST", f"https://wishpost.cn{CREATE}", None, body).code == 4000


def test_only_failures_are_told_the_older_way(market: Market) -> None:
    names = [wish_id(PARCELS["lan"][state]) for state in ("numbered", "delivered", "numbered")]
    orders = [{"tracking_id": name, "cancel_reason_code": "40101"} for name in names]
    told = send(market, "/api/v3/cancel_orders", {"orders": orders}).json["failed_cancel_orders"]
    assert [(item["tracking_id"], item["cancel_result_code"]) for item in told] == [
        (names[1], 1002),
        (names[2], 1002),
    ]


def test_there_are_24_reasons() -> None:
    assert len(set(REASONS)) == 24
