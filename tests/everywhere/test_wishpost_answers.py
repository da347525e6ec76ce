"""What WishPost answers where older clients and the reference's own advice depend on it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.calls import NEW_ORDER, PARCELS, STATES
from tests.support.market import NOW, WISHPOST_URL, Market
from tradepost.domain import announcements, parcels, reference
from tradepost.domain.parcels import Scan
from tradepost.domain.parcels.booking import wish_id

LAN = {state: wish_id(PARCELS["lan"][state]) for state in STATES}


def post(market: Market, path: str, body: object) -> Any:
    """The body of an answer to JSON of lan's."""
    sent = json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    return market.request("POST", f"{WISHPOST_URL}/api/v3/{path}", "wishpost:lan", sent, headers).json


def status(market: Market, number: str) -> Any:
    """What older clients read of one order."""
    (told,) = post(market, "order_status", {"wish_standard_tracking_ids": [number]})["orders"]
    return told


@pytest.mark.parametrize("path", ["orders", "announcements", "payments/cash_flow"])
@pytest.mark.parametrize("first", [{"sort_by": "id.desc"}, {"id_max": ""}])
def test_a_walk_by_ids_meets_everything(market: Market, path: str, first: dict[str, str]) -> None:
    """From the order of ids or from a bound on, two at a time, as the reference describes; ids follow no clock."""

    async def publish(ctx: Any) -> None:
        for back in (3, 1, 2, 5, 4):
            await announcements.publish(replace(ctx, now=NOW - timedelta(hours=back)), f"{back}", ["a"])

    market.operate(publish)
    market.sql("update parcel set created_at = created_at + abs(hashtext(id)) % 999 * interval '1 s'")
    url = f"{WISHPOST_URL}/api/v3/{path}"
    everything = {item["id"] for item in market.get(url, "wishpost:lan", limit="500").data}
    most = "9" * 18 if path == "payments/cash_flow" else "f" * 24
    query = {"limit": "2"} | {name: value or most for name, value in first.items()}
    met: list[Any] = []
    while page := market.get(url, "wishpost:lan", **query).data:
        met += [item["id"] for item in page]
        last = page[-1]["id"]
        below = last - 1 if isinstance(last, int) else f"{int(last, 16) - 1:024x}"
        query = {"limit": "2", "id_max": str(below)}
    assert len(met) == len(set(met)) > 4
    assert set(met) == everything


def test_upwards_from_a_lowest_id(market: Market) -> None:
    url = f"{WISHPOST_URL}/api/v3/orders"
    found = [item["id"] for item in market.get(url, "wishpost:lan", id_min="0" * 24).data]
    assert found == sorted(PARCELS["lan"][state] for state in STATES)


def test_an_order_that_is_delivered_to_a_warehouse_says_which(market: Market) -> None:
    channel = next(one for one in market.operate(parcels.list_channels) if one.support_warehouses)
    code = channel.warehouses[0]
    new = NEW_ORDER | {"otype": channel.otype, "warehouse_code": code, "guid": "w"}
    new |= {"pickup": None, "pickup_service": None, "wish_order_id": "NonWishOrder"}
    new["goods"] = [NEW_ORDER["goods"][0] | {"has_battery": False, "sensitivity_type": 0}]
    made = post(market, "orders/create", new)
    assert made["code"] == 0, made["message"]
    told = status(market, made["data"]["wish_standard_tracking_id"])
    known = reference.HANDOVER_WAREHOUSES[int(code)]
    assert (told["dest_warehouse_code"], told["dest_warehouse_name"]) == (int(code), known["name_cn"])
    assert known["address_cn"] in told["dest_warehouse_address_cn"]
    assert (told["reference_qrcode"], told["hub_warehouse_code"], told["cancel_fail_reason"]) == ("", "", None)


def test_other_orders_have_no_warehouse(market: Market) -> None:
    for number in (LAN["delivered"], "nobody"):
        told = status(market, number)
        assert (told["dest_warehouse_code"], told["dest_warehouse_name"]) == (None, "")
        assert told["dest_warehouse_address_cn"] == ""


def test_a_cancel_that_came_to_nothing_says_why(market: Market) -> None:
    assert status(market, LAN["cancelled"])["cancel_fail_reason"] is None

    async def ship(ctx: Any) -> None:
        acting = await parcels.act_for(ctx, market.world.senders["lan"].account_id)
        await parcels.note_scan(acting, LAN["cancelled"], Scan(NOW, 2))

    market.operate(ship)
    told = status(market, LAN["cancelled"])
    assert (told["state_name"], told["cancel_reason_code"]) == ("InTransit", "USER_BIZ_BUYER_REFUND")
    assert told["cancel_fail_reason"].endswith("cannot be cancelled any more: its carrier has scanned it")


def test_channels_of_the_older_call(market: Market) -> None:
    newer = {one["otype"]: one for one in market.get(f"{WISHPOST_URL}/api/v3/channels", "wishpost:lan").data}
    older = post(market, "get_channels", {})["channels"]
    for one in older:
        assert one["channel"] == int(one["otype"].split("-")[0])
        where = one["warehouses_return_address"]
        named = [reference.HANDOVER_WAREHOUSES[int(code)]["address_cn"] for code in one["warehouses"]]
        assert (where is None) == (not named)
        assert all(address in where for address in named)
        assert {name: one[name] for name in newer[one["otype"]]} == newer[one["otype"]]
    assert any(one["warehouses_return_address"] for one in older)


def test_scopes_of_the_older_call(market: Market) -> None:
    (scope,) = post(market, "scopes", {"scope_names": ["user.scope.read"]})["scopes"]
    assert (scope["role"], scope["resource"], scope["attribute"], scope["action"]) == ("user", "scope", "", "read")
