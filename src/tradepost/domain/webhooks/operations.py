"""Subscribing, what is told to whom, and sending it: at least once, by workers.

What happens is an event, written with the change that causes it; the job that tells it makes a delivery for
each subscription, all in one transaction. From then on each subscription is a queue: a worker takes one in hand,
sends what is due, notes each attempt, and puts it down. A slow receiver so holds up nobody but himself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import msgspec

from tradepost.domain import access, audit, consents, inbox
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.outbox import Event
from tradepost.domain.webhooks import failures, rows, schedule
from tradepost.domain.webhooks.schedule import HEALTHY, Attempt, Delivery
from tradepost.domain.webhooks.secret import new_secret, shown
from tradepost.domain.webhooks.subscription import DeliveryTold, Subscription, Tools, Turn
from tradepost.domain.webhooks.topics import BY_ID, topics_of
from tradepost.values import Page

SERVICE: Final = "merchant"
STOPPED_TOPIC: Final = "webhook_stopped"
MOST_SUBSCRIPTIONS: Final = 1_000
"""Of one app to one shop."""
KEPT: Final = timedelta(days=30)
"""How long deliveries and their attempts can be looked up."""
OVERLAP: Final = timedelta(hours=24)
"""How long a secret that was replaced signs beside the new one, unless something else is asked for."""
LEASE: Final = timedelta(seconds=60)
"""How long a worker may say nothing about a queue that it has in hand; longer than any attempt takes."""


# -- what an app does


async def subscribe(ctx: MerchantCtx, topic_id: str, endpoint: str) -> tuple[Subscription, str]:
    """Let the calling app be told about a topic at an endpoint; gives the subscription and its secret.

    The secret is never shown again. Raises TopicUnknown, EndpointRefused, TooManySubscriptions, AlreadySubscribed.
    """
    topic = BY_ID.get(topic_id)
    if topic is None:
        raise failures.TopicUnknown(topic_id=topic_id)
    tools = _tools(ctx)
    _check_endpoint(tools, endpoint)
    app_id = await access.calling_app(ctx)
    if await rows.count(ctx.db, ctx.actor.id, app_id) >= MOST_SUBSCRIPTIONS:
        raise failures.TooManySubscriptions(limit=MOST_SUBSCRIPTIONS)
    new = Subscription(ctx.actor.id, ctx.new_id(), app_id, topic.name, endpoint, True, ctx.now)
    secret = new_secret()
    await rows.insert(ctx.db, new, tools.seals.seal(secret, owner_of(new.merchant_id, new.id)))
    await _note(ctx, "webhook.subscribed", new.id, app_id)
    return new, shown(secret)


async def list_subscriptions(ctx: MerchantCtx) -> list[Subscription]:
    """What the calling app is told about the acting merchant, the oldest first."""
    return await rows.list_of(ctx.db, ctx.actor.id, await access.calling_app(ctx))


async def find_subscription(ctx: MerchantCtx, subscription_id: str) -> Subscription:
    """A subscription of the calling app; raises SubscriptionNotFound."""
    found = await rows.find(ctx.db, ctx.actor.id, subscription_id, await access.calling_app(ctx))
    if found is None:
        raise failures.SubscriptionNotFound(id=subscription_id)
    return found


async def change_subscription(
    ctx: MerchantCtx, subscription_id: str, *, activate: bool, endpoint: str | None
) -> Subscription:
    """Let an inactive subscription of the calling app lead elsewhere, be active again, or both.

    What waited goes on at once. Raises SubscriptionNotFound, SubscriptionActive, EndpointRefused,
    AlreadySubscribed.
    """
    await find_subscription(ctx, subscription_id)
    held = await _lock(ctx, subscription_id)
    if endpoint is not None and endpoint != held.endpoint:
        if held.is_active:
            raise failures.SubscriptionActive(id=subscription_id)
        _check_endpoint(_tools(ctx), endpoint)
        held = replace(held, endpoint=endpoint)
    if activate and not held.is_active:
        held = replace(held, is_active=True, health=HEALTHY)
    await rows.store(ctx.db, held, ctx.now)
    await rows.set_due(ctx.db, ctx.actor.id, subscription_id)
    await _note(ctx, "webhook.changed", subscription_id, held.app_id)
    return held


async def replace_secret(ctx: MerchantCtx, subscription_id: str, overlap: timedelta) -> tuple[Subscription, str]:
    """Let a subscription of the calling app have another secret; gives the subscription and the secret.

    The secret is never shown again. What was good before signs beside it for so long at most, and not at all where
    that is nothing. Raises SubscriptionNotFound.
    """
    await find_subscription(ctx, subscription_id)
    return await replace_any_secret(ctx, subscription_id, overlap)


async def end_overlap(ctx: MerchantCtx, subscription_id: str) -> None:
    """Let former secrets of the calling app's subscription sign nothing any more; raises SubscriptionNotFound."""
    await find_subscription(ctx, subscription_id)
    await end_any_overlap(ctx, subscription_id)


async def unsubscribe(ctx: MerchantCtx, subscription_id: str) -> None:
    """End a subscription of the calling app, with what still waits; raises SubscriptionNotFound."""
    await find_subscription(ctx, subscription_id)
    await _lock(ctx, subscription_id)
    await rows.delete(ctx.db, ctx.actor.id, subscription_id)
    await _note(ctx, "webhook.unsubscribed", subscription_id, await access.calling_app(ctx))


async def list_deliveries(ctx: MerchantCtx, subscription_id: str, page: Page) -> tuple[list[Delivery], bool]:
    """What a subscription of the calling app was told in 30 days, the latest first, and whether there is more.

    Raises SubscriptionNotFound.
    """
    found = await find_subscription(ctx, subscription_id)
    return await rows.list_deliveries(ctx.db, ctx.actor.id, found.app_id, subscription_id, page)


async def find_delivery(ctx: MerchantCtx, delivery_id: str) -> DeliveryTold:
    """A delivery to the calling app with its attempts; raises DeliveryNotFound."""
    return await _told(ctx, delivery_id, await access.calling_app(ctx))


async def redeliver(ctx: MerchantCtx, delivery_id: str) -> DeliveryTold:
    """Send something to the calling app once more; raises DeliveryNotFound, SubscriptionInactive."""
    return await _redeliver(ctx, delivery_id, await access.calling_app(ctx))


# -- what an operator does, and the merchant himself


async def list_all(ctx: MerchantCtx) -> list[Subscription]:
    """What any app is told about a shop, the oldest first."""
    return await rows.list_of(ctx.db, ctx.actor.id, None)


async def find_any_subscription(ctx: MerchantCtx, subscription_id: str) -> Subscription:
    """A subscription to a shop, whichever app it is of; raises SubscriptionNotFound."""
    found = await rows.find(ctx.db, ctx.actor.id, subscription_id, None)
    if found is None:
        raise failures.SubscriptionNotFound(id=subscription_id)
    return found


async def set_active(ctx: MerchantCtx, subscription_id: str, active: bool) -> Subscription:
    """Let a subscription of a shop be active again, or stop it; raises SubscriptionNotFound."""
    held = await _lock(ctx, subscription_id)
    held = replace(held, is_active=active, health=HEALTHY)
    await rows.store(ctx.db, held, ctx.now)
    await rows.set_due(ctx.db, ctx.actor.id, subscription_id)
    await _note(ctx, "webhook.changed", subscription_id, held.app_id)
    return held


async def replace_any_secret(
    ctx: MerchantCtx, subscription_id: str, overlap: timedelta
) -> tuple[Subscription, str]:
    """Let a subscription of a shop have another secret, as `replace_secret` does for the app."""
    held = await _lock(ctx, subscription_id)
    secret, until = new_secret(), ctx.now + overlap
    sealed = _tools(ctx).seals.seal(secret, owner_of(held.merchant_id, held.id))
    before = await rows.secrets_of(ctx.db, held.merchant_id, held.id)
    after = before.replaced(sealed, ctx.now, until)
    await rows.store_secrets(ctx.db, held.merchant_id, held.id, after, ctx.now)
    await _note(ctx, "webhook.secret_replaced", held.id, held.app_id)
    return replace(held, former_until=[end for _, end in after.former]), shown(secret)


async def end_any_overlap(ctx: MerchantCtx, subscription_id: str) -> None:
    """Let former secrets of a subscription of a shop sign nothing any more; raises SubscriptionNotFound."""
    held = await _lock(ctx, subscription_id)
    if held.overlap_end(ctx.now) is None:
        return
    before = await rows.secrets_of(ctx.db, held.merchant_id, held.id)
    await rows.store_secrets(ctx.db, held.merchant_id, held.id, replace(before, former=()), ctx.now)
    await _note(ctx, "webhook.former_secret_ended", held.id, held.app_id)


async def find_any_delivery(ctx: MerchantCtx, delivery_id: str) -> DeliveryTold:
    """A delivery about a shop, whichever app it is for; raises DeliveryNotFound."""
    return await _told(ctx, delivery_id, None)


async def list_any_deliveries(ctx: MerchantCtx, subscription_id: str, page: Page) -> tuple[list[Delivery], bool]:
    """What a subscription of a shop was told, the latest first, and whether there is more.

    Raises SubscriptionNotFound.
    """
    found = await find_any_subscription(ctx, subscription_id)
    return await rows.list_deliveries(ctx.db, ctx.actor.id, found.app_id, subscription_id, page)


async def redeliver_any(ctx: MerchantCtx, delivery_id: str) -> DeliveryTold:
    """Send something about a shop once more; raises DeliveryNotFound, SubscriptionInactive."""
    return await _redeliver(ctx, delivery_id, None)


# -- what workers do


async def fan_out(ctx: Ctx, event: Event) -> None:
    """Let everybody be told of an event who wants to and may: apps that the account still lets in."""
    topics = topics_of(event.topic, event.about)
    if not topics or not (wanting := await rows.wanting(ctx.db, event.account_id, topics)):
        return
    let_in = await consents.apps_let_in(ctx, SERVICE, event.account_id)
    told = [
        (ctx.new_id(), subscription_id, message(event, topic))
        for subscription_id, app_id, topic in wanting
        if app_id in let_in
    ]
    if told:
        await rows.insert_deliveries(ctx.db, event.account_id, told, ctx.now)


async def take_turn(ctx: Ctx, worker: int, *, even_failing: bool, left_out: Sequence[str] = ()) -> Turn | None:
    """The queue that waits for longest and is in nobody's hands; None where there is none.

    Whose worker is dead, or says nothing for a minute, is in nobody's. Failing ones are left out unless wanted, and
    so are the subscriptions that are named.
    """
    return await rows.take_turn(ctx.db, worker, ctx.now, LEASE, even_failing, left_out)


async def due_deliveries(ctx: Ctx, turn: Turn, most: int) -> tuple[list[Delivery], list[bytes]]:
    """What is to be sent now for a queue in hand, at most so many, and the sealed secrets that sign it."""
    found, secrets = await rows.due(ctx.db, turn, ctx.now, most)
    return found, [] if secrets is None else secrets.at(ctx.now)


async def note_attempt(ctx: Ctx, turn: Turn, delivery: Delivery, attempt: Attempt) -> None:
    """Write down what came of sending, and what follows from it for the delivery and its subscription.

    Nothing is written where the queue is somebody else's by now, who has sent it again or will.
    """
    held = await rows.hold_turn(ctx.db, turn)
    if held is None:
        return
    stands = await rows.lock_delivery(ctx.db, turn.merchant_id, delivery.id)
    if stands is None or stands.attempts != delivery.attempts or stands.state != schedule.PENDING:
        return
    tried = schedule.after(stands, attempt, ctx.now)
    await rows.store_delivery(ctx.db, tried)
    await rows.insert_attempt(ctx.db, tried, attempt)
    if not held.is_active:
        return  # another delivery has stopped it meanwhile
    health = schedule.health_after(held.health, attempt, tried, ctx.now)
    stops = health.stopped_because is not None
    if health != held.health:
        await rows.store(ctx.db, replace(held, health=health, is_active=not stops), ctx.now)
    if stops:
        about = {"subscription_id": held.id, "topic": held.topic, "endpoint": held.endpoint}
        await inbox.notify(ctx, held.merchant_id, STOPPED_TOPIC, about)


async def end_turn(ctx: Ctx, turn: Turn) -> None:
    """Put a queue down, and note when it is due next: what is due already waits behind those that waited."""
    if await rows.hold_turn(ctx.db, turn) is not None:
        await rows.set_due(ctx.db, turn.merchant_id, turn.id, ctx.now)
        await rows.give_back(ctx.db, turn)


async def forget_old_deliveries(ctx: Ctx) -> int:
    """Delete what nobody can look up any more, and secrets that sign no more; gives how many deliveries."""
    await rows.forget_former_secrets(ctx.db, ctx.now)
    return await rows.delete_old(ctx.db, ctx.now - KEPT)


def owner_of(merchant_id: str, subscription_id: str) -> str:
    """Whose secret it is: what a sealed secret is bound to."""
    return f"{merchant_id} {subscription_id}"


def message(event: Event, topic: str) -> str:
    """What is sent about an event: what happened, when, to whom, and the ids of what it is about.

    The rest is for the calls of the API, which ask for scopes.
    """
    ids = {name: value for name, value in event.about.items() if name.endswith("_id") and isinstance(value, str)}
    told: dict[str, Any] = {
        "type": topic,
        "timestamp": event.happened_at.isoformat(timespec="milliseconds"),
        "data": {"event": event.topic, "merchant_id": event.account_id, **ids},
    }
    return msgspec.json.encode(told).decode()


async def _note(ctx: MerchantCtx, verb: str, subscription_id: str, app_id: str) -> None:
    await audit.record(ctx, verb, ctx.actor.id, subscription_id=subscription_id, app_id=app_id)


def _tools(ctx: MerchantCtx) -> Tools:
    assert isinstance(ctx.webhooks, Tools)
    return ctx.webhooks


def _check_endpoint(tools: Tools, endpoint: str) -> None:
    if not tools.leads_outside(endpoint):
        raise failures.EndpointRefused


async def _lock(ctx: MerchantCtx, subscription_id: str) -> Subscription:
    held = await rows.lock(ctx.db, ctx.actor.id, subscription_id)
    if held is None:
        raise failures.SubscriptionNotFound(id=subscription_id)
    return held


async def _told(ctx: MerchantCtx, delivery_id: str, app_id: str | None) -> DeliveryTold:
    found = await rows.find_delivery(ctx.db, ctx.actor.id, delivery_id, app_id)
    if found is None:
        raise failures.DeliveryNotFound(id=delivery_id)
    return DeliveryTold(*found, await rows.attempts_of(ctx.db, ctx.actor.id, delivery_id))


async def _redeliver(ctx: MerchantCtx, delivery_id: str, app_id: str | None) -> DeliveryTold:
    told = await _told(ctx, delivery_id, app_id)
    subscription_id = told.delivery.subscription_id
    held = await _lock(ctx, subscription_id)
    if not held.is_active:
        raise failures.SubscriptionInactive(id=subscription_id)
    stands = await rows.lock_delivery(ctx.db, ctx.actor.id, delivery_id)
    if stands is None:
        raise failures.DeliveryNotFound(id=delivery_id)
    again = schedule.sent_again(stands, ctx.now)
    await rows.store_delivery(ctx.db, again)
    await rows.set_due(ctx.db, ctx.actor.id, subscription_id)
    return replace(told, delivery=again)
