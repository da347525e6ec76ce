"""Scenes at a word: each shows what it says, in each shop."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.market import NOW, Market
from tradepost.domain import merchants
from tradepost.domain.context import Ctx
from tradepost.domain.orders import OrderRules
from tradepost.sandbox.situations import SCENES, NoExpressWarehouse, NothingInStock, SceneUnknown, play_scene

STATES = {
    "open-order": "APPROVED",
    "late-order": "APPROVED",
    "express-order": "APPROVED",
    "order-under-review": "REQUIRE_REVIEW",
    "combined-order": "APPROVED",
    "shipped-order": "SHIPPED",
    "delivered-order": "SHIPPED",
    "refunded-order": "REFUNDED",
    "ticket-awaiting-merchant": "SHIPPED",
}


def played(market: Market, name: str, who: str = "usd") -> dict[str, str]:
    """The ids of what a scene is about."""

    async def play(ctx: Ctx) -> Any:
        shop = await merchants.act_for(ctx, market.world.merchants[who].account_id)
        return await play_scene(shop, OrderRules(), name)

    found: dict[str, str] = market.operate(play)
    return found


@pytest.mark.parametrize("who", ["usd", "cny", "eur"])
@pytest.mark.parametrize("name", sorted(SCENES.keys() - {"out-of-stock"}))
def test_it_shows_what_it_says(market: Market, name: str, who: str) -> None:
    ids = played(market, name, who)
    order = market.get(f"/api/v2/order?id={ids['order_id']}", who).data["Order"]
    assert order["state"] == STATES[name]
    assert order["is_combined_order"] == str(name == "combined-order")
    assert order["is_wish_express"] == str(name == "express-order")
    assert order.get("tracking_confirmed") in (None, str(name == "delivered-order"))
    if "ticket_id" in ids:
        ticket = market.get(f"/api/v2/ticket?id={ids['ticket_id']}", who).data["Ticket"]
        assert ticket["state"] == "Awaiting your response"


@pytest.mark.parametrize("who", ["usd", "cny", "eur"])
def test_an_express_order_is_to_be_there_on_a_day_and_its_pieces_are_gone(market: Market, who: str) -> None:
    """Five working days after it was placed, and one of five pieces in the country's own warehouse."""
    ids = played(market, "express-order", who)
    listed = market.get("/api/v2/order/get-fulfill?wish_express_only=true&limit=100", who).data
    order = next(one["Order"] for one in listed if one["Order"]["order_id"] == ids["order_id"])
    assert datetime.fromisoformat(ids["deliver_by"]) > NOW + timedelta(days=5)
    assert ids["warehouse"].removeprefix("EXPRESS-") == order["ShippingDetail"]["country"]
    told = market.get(f"/api/v2/variant?sku={order['sku']}&warehouse_name={ids['warehouse']}", who).data
    assert told["Variant"]["inventory"] == "4"


def test_no_express_without_a_warehouse(market: Market) -> None:
    market.sql("update warehouse set country = 'AU' where country is not null")  # where nobody here lives
    with pytest.raises(NoExpressWarehouse):
        played(market, "express-order")


def test_nothing_is_left(market: Market) -> None:
    sku = played(market, "out-of-stock")["sku"]
    assert market.get(f"/api/v2/variant?sku={sku}").data["Variant"]["inventory"] == "0"


def test_what_cannot_be_played(market: Market) -> None:
    with pytest.raises(SceneUnknown):
        played(market, "nothing")
    market.sql("update stock set inventory = 0")
    with pytest.raises(NothingInStock):
        played(market, "open-order")
