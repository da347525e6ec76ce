"""A webhook of every shop of the world: a subscription with something delivered at the second attempt."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.calls import DELIVERIES, ORDERS, WEBHOOKS
from tradepost.domain.context import MerchantCtx
from tradepost.domain.outbox import Event
from tradepost.domain.webhooks import Attempt, SealingKeys, Subscription, Tools, Turn, note_attempt, owner_of, rows
from tradepost.domain.webhooks.operations import message
from tradepost.egress.addresses import judge_of
from tradepost.egress.fetching import may_lead_outside

SEALING_KEYS: Final = SealingKeys([b"a key that seals the secrets of tests"])
JUDGE: Final = judge_of([])
WEBHOOK_TOOLS: Final = Tools(SEALING_KEYS, lambda url: may_lead_outside(url, JUDGE, ("https",)))
SECRET: Final = b"a secret of just thirty-two byte"
ENDPOINT: Final = "https://hooks.example/orders"
TOPIC: Final = "ORDER_RELEASE"


async def subscribe_one(ctx: MerchantCtx, who: str, app_id: str) -> None:
    """The subscription of an app to a shop, and its delivery."""
    merchant_id = ctx.actor.id
    new = Subscription(merchant_id, WEBHOOKS[who], app_id, TOPIC, ENDPOINT, True, ctx.now)
    sealed = SEALING_KEYS.seal(SECRET, owner_of(merchant_id, new.id))
    await rows.insert(ctx.db, new, sealed)
    event = Event(merchant_id, "0" * 24, "order_released", {"order_id": ORDERS[who]["open"]}, ctx.now)
    told = (DELIVERIES[who], new.id, message(event, TOPIC))
    await rows.insert_deliveries(ctx.db, merchant_id, [told], ctx.now)
    turn = Turn(merchant_id, new.id, 1, 0, TOPIC, ENDPOINT, 0)
    for status, error in ((None, "timeout"), (204, None)):
        delivery = await rows.lock_delivery(ctx.db, merchant_id, DELIVERIES[who])
        assert delivery is not None
        at = ctx.now + timedelta(seconds=30 * delivery.attempts)
        await note_attempt(ctx, turn, delivery, Attempt(at, 15_000 if error else 120, status, error))
    await rows.set_due(ctx.db, merchant_id, new.id)
