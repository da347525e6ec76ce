"""The SQL of subscriptions, deliveries and attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from tradepost.domain.context import Rows
from tradepost.domain.sql import conditions
from tradepost.domain.webhooks.failures import AlreadySubscribed
from tradepost.domain.webhooks.schedule import Attempt, Delivery, Health
from tradepost.domain.webhooks.subscription import Secrets, Subscription, TriedOnce, Turn
from tradepost.values import Page

_SUBSCRIPTION = (
    "merchant_id, id, app_id, topic, endpoint, is_active, created_at, failures, failing_since, not_before, "
    "stopped_because, former_until"
)
_DELIVERY = ", ".join(
    f"d.{column}"
    for column in (
        "merchant_id",
        "id",
        "subscription_id",
        "body",
        "state",
        "attempts",
        "round_attempts",
        "due_at",
        "created_at",
        "ended_at",
    )
)
_OF_APP = (
    "webhook_delivery d join webhook_subscription s on s.merchant_id = d.merchant_id and s.id = d.subscription_id"
)


def _subscription(row: Any) -> Subscription:
    told = dict(row)
    health = {name: told.pop(name) for name in ("failures", "failing_since", "not_before", "stopped_because")}
    return Subscription(**told, health=Health(**health))


def _secrets(row: Any) -> Secrets:
    return Secrets(row["secret"], list(zip(row["former_secrets"], row["former_until"], strict=True)))


# -- subscriptions


async def count(db: Rows, merchant_id: str, app_id: str) -> int:
    """How many subscriptions an app has to a shop."""
    found = "select count(*) from webhook_subscription where merchant_id = $1 and app_id = $2"
    return int(await db.fetchval(found, merchant_id, app_id))


async def insert(db: Rows, new: Subscription, sealed: bytes) -> None:
    """Keep a subscription; raises AlreadySubscribed."""
    try:
        await db.execute(
            "insert into webhook_subscription (merchant_id, id, app_id, topic, endpoint, secret, created_at, "
            "updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7)",
            new.merchant_id,
            new.id,
            new.app_id,
            new.topic,
            new.endpoint,
            sealed,
            new.created_at,
        )
    except asyncpg.UniqueViolationError:
        raise AlreadySubscribed(endpoint=new.endpoint) from None


async def list_of(db: Rows, merchant_id: str, app_id: str | None) -> list[Subscription]:
    """The subscriptions of an app to a shop, or (None) of all apps, the oldest first."""
    more, values = conditions({"app_id =": app_id}, first=2)
    found = await db.fetch(
        f"select {_SUBSCRIPTION} from webhook_subscription where merchant_id = $1{more} order by created_at, id",
        merchant_id,
        *values,
    )
    return [_subscription(row) for row in found]


async def find(db: Rows, merchant_id: str, subscription_id: str, app_id: str | None) -> Subscription | None:
    """A subscription, of an app or (None) of any."""
    more, values = conditions({"app_id =": app_id}, first=3)
    found = f"select {_SUBSCRIPTION} from webhook_subscription where merchant_id = $1 and id = $2{more}"
    row = await db.fetchrow(found, merchant_id, subscription_id, *values)
    return None if row is None else _subscription(row)


async def lock(db: Rows, merchant_id: str, subscription_id: str) -> Subscription | None:
    """A subscription, kept from changing until the end of the transaction.

    Whoever makes one of its deliveries due takes this row, so what its queue holds is known to whoever has it.
    """
    row = await db.fetchrow(
        f"select {_SUBSCRIPTION} from webhook_subscription where merchant_id = $1 and id = $2 for no key update",
        merchant_id,
        subscription_id,
    )
    return None if row is None else _subscription(row)


async def store(db: Rows, changed: Subscription, now: datetime) -> None:
    """Write a subscription back whose row this transaction holds; raises AlreadySubscribed."""
    health = changed.health
    try:
        await db.execute(
            "update webhook_subscription set endpoint = $3, is_active = $4, failures = $5, failing_since = $6, "
            "not_before = $7, stopped_because = $8, updated_at = $9 where merchant_id = $1 and id = $2",
            changed.merchant_id,
            changed.id,
            changed.endpoint,
            changed.is_active,
            health.failures,
            health.failing_since,
            health.not_before,
            health.stopped_because,
            now,
        )
    except asyncpg.UniqueViolationError:
        raise AlreadySubscribed(endpoint=changed.endpoint) from None


async def secrets_of(db: Rows, merchant_id: str, subscription_id: str) -> Secrets:
    """What signs for a subscription whose row this transaction holds."""
    found = (
        "select secret, former_secrets, former_until from webhook_subscription where merchant_id = $1 and id = $2"
    )
    return _secrets(await db.fetchrow(found, merchant_id, subscription_id))


async def store_secrets(db: Rows, merchant_id: str, subscription_id: str, changed: Secrets, now: datetime) -> None:
    """Keep what signs for a subscription whose row this transaction holds."""
    await db.execute(
        "update webhook_subscription set secret = $3, former_secrets = $4, former_until = $5, updated_at = $6 "
        "where merchant_id = $1 and id = $2",
        merchant_id,
        subscription_id,
        changed.present,
        [sealed for sealed, _ in changed.former],
        [until for _, until in changed.former],
        now,
    )


async def forget_former_secrets(db: Rows, now: datetime) -> int:
    """Drop former secrets where none of them signs any more; gives of how many subscriptions."""
    done = await db.execute(
        "update webhook_subscription set former_secrets = '{}', former_until = '{}' "
        "where cardinality(former_until) > 0 and $1 >= all(former_until)",
        now,
    )
    return int(done.rpartition(" ")[2])


async def delete(db: Rows, merchant_id: str, subscription_id: str) -> None:
    """Delete a subscription with all that it was told."""
    gone = "delete from webhook_subscription where merchant_id = $1 and id = $2"
    await db.execute(gone, merchant_id, subscription_id)


async def set_due(db: Rows, merchant_id: str, subscription_id: str, least: datetime | None = None) -> None:
    """Note when the first delivery of a queue is due, or `least` if that is later.

    Whoever calls this holds the row of the subscription.
    """
    await db.execute(
        """
        update webhook_subscription s set due_at = (
            select greatest(min(d.due_at), s.not_before, $3) from webhook_delivery d
             where d.merchant_id = s.merchant_id and d.subscription_id = s.id and d.state = 'pending'
            having min(d.due_at) is not null)
         where s.merchant_id = $1 and s.id = $2
        """,
        merchant_id,
        subscription_id,
        least,
    )


# -- what is told


async def wanting(db: Rows, merchant_id: str, topics: Sequence[str]) -> list[tuple[str, str, str]]:
    """The active subscriptions to some topics: id, app and topic. Their rows are held."""
    found = await db.fetch(
        "select id, app_id, topic from webhook_subscription "
        "where merchant_id = $1 and is_active and topic = any($2) order by id for no key update",
        merchant_id,
        list(topics),
    )
    return [tuple(row) for row in found]


async def insert_deliveries(
    db: Rows, merchant_id: str, deliveries: Sequence[tuple[str, str, str]], now: datetime
) -> None:
    """Let things be told: id, subscription and body of each; the rows of the subscriptions are held."""
    ids, subscriptions, bodies = (list(column) for column in zip(*deliveries, strict=True))
    await db.execute(
        "insert into webhook_delivery (merchant_id, id, subscription_id, body, due_at, created_at) "
        "select $1, n.id, n.subscription_id, n.body, $5, $5 "
        "from unnest($2::text[], $3::text[], $4::text[]) as n (id, subscription_id, body)",
        merchant_id,
        ids,
        subscriptions,
        bodies,
        now,
    )
    await db.execute(
        "update webhook_subscription set due_at = least(due_at, greatest($3, not_before)) "
        "where merchant_id = $1 and id = any($2)",
        merchant_id,
        subscriptions,
        now,
    )


async def list_deliveries(
    db: Rows, merchant_id: str, app_id: str, subscription_id: str, page: Page
) -> tuple[list[Delivery], bool]:
    """What a subscription of an app is told, the latest first, and whether there is more."""
    found = await db.fetch(
        f"select {_DELIVERY} from {_OF_APP} where d.merchant_id = $1 and s.app_id = $2 and d.subscription_id = $3 "
        "order by d.created_at desc, d.id desc offset $4 limit $5",
        merchant_id,
        app_id,
        subscription_id,
        page.start,
        page.limit + 1,
    )
    return [Delivery(*row) for row in found[: page.limit]], len(found) > page.limit


async def find_delivery(
    db: Rows, merchant_id: str, delivery_id: str, app_id: str | None
) -> tuple[Delivery, str] | None:
    """A delivery to an app, or (None) to any, and its topic."""
    more, values = conditions({"s.app_id =": app_id}, first=3)
    row = await db.fetchrow(
        f"select {_DELIVERY}, s.topic from {_OF_APP} where d.merchant_id = $1 and d.id = $2{more}",
        merchant_id,
        delivery_id,
        *values,
    )
    return None if row is None else (Delivery(*tuple(row)[:-1]), row["topic"])


async def attempts_of(db: Rows, merchant_id: str, delivery_id: str) -> list[TriedOnce]:
    """What came of sending something, the first attempt first."""
    found = await db.fetch(
        "select number, started_at, milliseconds, status, error from webhook_attempt "
        "where merchant_id = $1 and delivery_id = $2 order by number",
        merchant_id,
        delivery_id,
    )
    return [TriedOnce(*row) for row in found]


async def lock_delivery(db: Rows, merchant_id: str, delivery_id: str) -> Delivery | None:
    """A delivery, kept from changing until the end of the transaction."""
    row = await db.fetchrow(
        f"select {_DELIVERY} from webhook_delivery d where merchant_id = $1 and id = $2 for no key update",
        merchant_id,
        delivery_id,
    )
    return None if row is None else Delivery(*row)


async def store_delivery(db: Rows, changed: Delivery) -> None:
    """Write a delivery back whose row this transaction holds."""
    await db.execute(
        "update webhook_delivery set state = $3, attempts = $4, round_attempts = $5, due_at = $6, ended_at = $7 "
        "where merchant_id = $1 and id = $2",
        changed.merchant_id,
        changed.id,
        changed.state,
        changed.attempts,
        changed.round_attempts,
        changed.due_at,
        changed.ended_at,
    )


async def insert_attempt(db: Rows, tried: Delivery, attempt: Attempt) -> None:
    """Note what came of the latest attempt."""
    await db.execute(
        "insert into webhook_attempt (merchant_id, delivery_id, number, started_at, milliseconds, status, error) "
        "values ($1, $2, $3, $4, $5, $6, $7)",
        tried.merchant_id,
        tried.id,
        tried.attempts,
        attempt.started_at,
        attempt.milliseconds,
        attempt.status,
        attempt.error,
    )


# -- workers

# As a subquery the choice may be made once for each row that it is joined with, each time another one.
_TAKE = """
    with found as materialized (
        select w.merchant_id, w.id from webhook_subscription w, (select live_workers() as alive) l
         where w.is_active and w.due_at <= $2 and (w.failures = 0 or $4) and not w.id = any($5)
           and (w.worker is null or w.leased_until < clock_timestamp() or not w.worker = any(l.alive))
         order by w.due_at limit 1 for no key update of w skip locked
    )
    update webhook_subscription s
       set worker = $1, fence = s.fence + 1, leased_until = clock_timestamp() + $3
      from found
     where s.merchant_id = found.merchant_id and s.id = found.id
    returning s.merchant_id, s.id, s.worker, s.fence, s.topic, s.endpoint, s.failures
"""


async def take_turn(
    db: Rows, worker: int, now: datetime, lease: timedelta, even_failing: bool, left_out: Sequence[str]
) -> Turn | None:
    """Take the queue in hand that is due the longest and in nobody's; those that fail only where that is said."""
    row = await db.fetchrow(_TAKE, worker, now, lease, even_failing, list(left_out))
    return None if row is None else Turn(*row)


async def due(db: Rows, turn: Turn, now: datetime, most: int) -> tuple[list[Delivery], Secrets | None]:
    """What a queue in hand has to tell now, what is due the longest first, and what signs it; None for nothing."""
    found = await db.fetch(
        f"select {_DELIVERY}, s.secret, s.former_secrets, s.former_until from {_OF_APP} "
        "where d.merchant_id = $1 and d.subscription_id = $2 "
        "and d.state = 'pending' and d.due_at <= $3 and s.fence = $4 and s.is_active "
        "and (s.not_before is null or s.not_before <= $3) order by d.due_at, d.id limit $5",
        turn.merchant_id,
        turn.id,
        now,
        turn.fence,
        most,
    )
    told = [Delivery(*tuple(row)[:-3]) for row in found]
    return told, _secrets(found[0]) if found else None


async def hold_turn(db: Rows, turn: Turn) -> Subscription | None:
    """The subscription of a queue, kept from changing; None where somebody else has it, or it is gone."""
    row = await db.fetchrow(
        f"select {_SUBSCRIPTION} from webhook_subscription where merchant_id = $1 and id = $2 and fence = $3 "
        "for no key update",
        turn.merchant_id,
        turn.id,
        turn.fence,
    )
    return None if row is None else _subscription(row)


async def give_back(db: Rows, turn: Turn) -> None:
    """Put a queue down."""
    await db.execute(
        "update webhook_subscription set worker = null, leased_until = null "
        "where merchant_id = $1 and id = $2 and fence = $3",
        turn.merchant_id,
        turn.id,
        turn.fence,
    )


async def delete_old(db: Rows, before: datetime) -> int:
    """Delete what was to be told before then, unless it still is; gives how many."""
    gone = "delete from webhook_delivery where created_at < $1 and (state <> 'pending' or created_at < $2)"
    done = await db.execute(gone, before, before - timedelta(days=4))
    return int(done.rpartition(" ")[2])
