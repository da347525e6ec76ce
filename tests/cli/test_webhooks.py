"""`tradepost webhook`: what an operator sees of what apps are told, and does about it."""

from __future__ import annotations

from tests.cli.conftest import Tradepost
from tests.support.calls import DELIVERIES, WEBHOOKS
from tests.support.market import World


def test_an_operator_looks_stops_starts_and_sends_again(tradepost: Tradepost, world: World) -> None:
    shop, webhook, delivery = world.merchants["usd"].account_id, WEBHOOKS["usd"], DELIVERIES["usd"]
    status, told = tradepost("webhook", "list", shop)
    assert status == 0, told
    assert webhook in told
    assert "active" in told
    assert "whsec_" not in told
    assert "delivered" in tradepost("webhook", "deliveries", shop, webhook)[1]
    shown = tradepost("webhook", "show", shop, delivery)[1]
    assert "timeout" in shown
    assert "204" in shown
    assert tradepost("webhook", "stop", shop, webhook) == (0, "stopped\n")
    status, told = tradepost("webhook", "redeliver", shop, delivery)
    assert (status, "not active" in told) == (1, True)
    assert tradepost("webhook", "start", shop, webhook) == (0, "active\n")
    assert tradepost("webhook", "redeliver", shop, delivery) == (0, "on its way\n")
    assert "pending" in tradepost("webhook", "deliveries", shop, webhook)[1]
    other = world.merchants["cny"].account_id
    status, told = tradepost("webhook", "show", other, delivery)
    assert (status, "no such delivery" in told) == (1, True)
