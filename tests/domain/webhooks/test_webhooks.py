"""Who is told what: subscriptions, deliveries, and queues in the hands of workers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from tests.support.calls import DELIVERIES, WEBHOOKS
from tests.support.market import NOW, Market
from tests.support.webhooks import SEALING_KEYS, SECRET, WEBHOOK_TOOLS
from tradepost.domain import merchants, webhooks
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.outbox import Event
from tradepost.domain.webhooks import Attempt, Delivery, Turn
from tradepost.domain.webhooks.secret import shown
from tradepost.domain.webhooks.topics import BY_NAME, TOPICS, topics_of
from tradepost.values import Page

WORKER, OTHER = 1, 2
OTHER_HOOK = "5" * 24


@dataclass
class Hooks:
    """The webhook of a shop, with nothing else about."""

    ctx: MerchantCtx
    market: Market
    id: str = WEBHOOKS["usd"]

    def at(self, now: datetime) -> Ctx:
        """The platform's context at another time."""
        return replace(self.ctx, now=now)

    async def happens(self, topic: str = "order_released", **about: object) -> None:
        """Something happens in the shop."""
        about = about or {"order_id": "9" * 24, "secret": "not told"}
        await webhooks.fan_out(self.ctx, Event(self.ctx.actor.id, "e" * 24, topic, about, self.ctx.now))

    async def deliveries(self) -> list[Delivery]:
        """What was told, but for what the world begins with."""
        found, _ = await webhooks.list_any_deliveries(self.ctx, self.id, Page(0, 500))
        return [delivery for delivery in found if delivery.id != DELIVERIES["usd"]]

    async def take(self, now: datetime = NOW, worker: int = WORKER, failing: bool = True) -> Turn | None:
        """A queue that is due."""
        return await webhooks.take_turn(self.at(now), worker, even_failing=failing)

    async def answer(self, status: int | None, now: datetime = NOW, retry_after: str = "") -> Turn:
        """Take the queue, let one thing be answered so, and put it down."""
        turn = await self.take(now)
        assert turn is not None
        due, _ = await webhooks.due_deliveries(self.at(now), turn, 1)
        assert due
        error = None if status else "timeout"
        await webhooks.note_attempt(self.at(now), turn, due[0], Attempt(now, 5, status, error, retry_after))
        await webhooks.end_turn(self.at(now), turn)
        return turn


Scene = Callable[[Hooks], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture
def play(market: Market) -> Play:
    """Runs one scene, in which the first worker lives."""

    def run(scene: Scene) -> None:
        async def within(ctx: Ctx) -> None:
            await ctx.db.execute("select pg_advisory_xact_lock(7403, 1)")
            shop = market.world.merchants["usd"].account_id
            await scene(Hooks(await merchants.act_for(ctx, shop), market))

        market.operate(within)

    return run


def test_what_happens_is_told_thinly_to_whoever_asked_and_may(play: Play) -> None:
    async def scene(hooks: Hooks) -> None:
        await hooks.happens()
        await hooks.happens("ticket_awaiting_merchant", ticket_id="8" * 24)
        (told,) = await hooks.deliveries()
        assert json.loads(told.body) == {
            "type": "ORDER_RELEASE",
            "timestamp": "2021-05-19T16:37:00.000+00:00",
            "data": {"event": "order_released", "merchant_id": hooks.ctx.actor.id, "order_id": "9" * 24},
        }
        assert (told.state, told.attempts, told.due_at) == ("pending", 0, NOW)
        await webhooks.set_active(hooks.ctx, hooks.id, False)
        await hooks.happens()
        assert len(await hooks.deliveries()) == 1

    play(scene)


@pytest.mark.parametrize(
    "lost",
    ["update access_token set revoked_at = now()", "update app set disabled_at = now()"],
)
def test_an_app_that_may_not_call_is_told_nothing(play: Play, lost: str) -> None:
    async def scene(hooks: Hooks) -> None:
        await hooks.ctx.db.execute(lost)
        await hooks.ctx.db.execute("update consent set ended_at = now(), ended_because = 'withdrawn'")
        await hooks.happens()
        assert await hooks.deliveries() == []

    play(scene)


def test_a_queue_is_in_one_workers_hands(play: Play) -> None:
    async def scene(hooks: Hooks) -> None:
        assert await hooks.take() is None
        await hooks.happens()
        turn = await hooks.take()
        assert turn is not None
        assert await hooks.take() is None
        (due,), _ = await webhooks.due_deliveries(hooks.ctx, turn, 4)
        # Its worker dies, and the next one takes over: what the first still says counts for nothing.
        await hooks.ctx.db.execute("update webhook_subscription set worker = 999999")
        again = await hooks.take()
        assert again is not None
        assert again.fence > turn.fence
        assert await webhooks.due_deliveries(hooks.ctx, turn, 4) == ([], [])
        await webhooks.note_attempt(hooks.ctx, turn, due, Attempt(NOW, 5, 200))
        assert (await hooks.deliveries())[0].state == "pending"
        await webhooks.note_attempt(hooks.ctx, again, due, Attempt(NOW, 5, 200))
        assert (await hooks.deliveries())[0].state == "delivered"
        await webhooks.end_turn(hooks.ctx, again)
        assert await hooks.take() is None

    play(scene)


def test_one_queue_is_taken_at_a_time_whatever_the_plan(play: Play) -> None:
    """A plan that chooses once for each row there is must not leave queues leased in nobody's hands."""

    async def scene(hooks: Hooks) -> None:
        # With what the database knows of a table with one row, it begins with that table.
        await hooks.ctx.db.execute("delete from webhook_subscription where id <> $1", hooks.id)
        await hooks.ctx.db.execute("reset role; analyze webhook_subscription; set local role tradepost_platform")
        await hooks.ctx.db.execute(
            "insert into webhook_subscription select (jsonb_populate_record(w, jsonb_build_object("
            "'id', repeat(n::text, 24), 'endpoint', 'https://' || n || '.example/'))).* "
            "from webhook_subscription w, generate_series(6, 9) n where w.id = $1",
            hooks.id,
        )
        await hooks.happens()
        taken = [await hooks.take() for _ in range(6)]
        assert [turn is not None for turn in taken] == [True] * 5 + [False]
        assert len({turn.id for turn in taken if turn is not None}) == 5

    play(scene)


def test_what_failed_is_due_later_and_a_failing_queue_waits_for_its_slot(play: Play) -> None:
    async def scene(hooks: Hooks) -> None:
        await hooks.happens()
        await hooks.answer(500)
        assert await hooks.take(NOW + timedelta(seconds=3.9)) is None
        later = NOW + timedelta(seconds=6.1)
        assert await hooks.take(later, failing=False) is None
        await hooks.answer(200, later)
        (told,) = await hooks.deliveries()
        assert (told.state, told.attempts) == ("delivered", 2)
        tried = (await webhooks.find_any_delivery(hooks.ctx, told.id)).attempts
        assert [(one.number, one.status) for one in tried] == [(1, 500), (2, 200)]

    play(scene)


def test_a_queue_that_had_its_turn_waits_behind_those_that_waited(play: Play) -> None:
    async def scene(hooks: Hooks) -> None:
        await hooks.ctx.db.execute(
            "insert into webhook_subscription (merchant_id, id, app_id, topic, endpoint, secret, created_at, "
            "updated_at) select merchant_id, $2, app_id, topic, endpoint || '/other', secret, created_at, "
            "updated_at from webhook_subscription where id = $1",
            hooks.id,
            OTHER_HOOK,
        )
        await hooks.happens()
        await hooks.happens()
        sooner = "update webhook_subscription set due_at = due_at - interval '1s' where id = $1"
        await hooks.ctx.db.execute(sooner, hooks.id)
        later = NOW + timedelta(seconds=1)
        assert (await hooks.answer(200, later)).id == hooks.id
        turn = await hooks.take(later)
        assert turn is not None
        assert turn.id == OTHER_HOOK
        again = await webhooks.take_turn(hooks.at(later), WORKER, even_failing=True, left_out=[hooks.id])
        assert again is None
        assert (await hooks.answer(200, later)).id == hooks.id

    play(scene)


def test_a_receiver_that_asks_for_time_is_left_alone_with_everything(play: Play) -> None:
    async def scene(hooks: Hooks) -> None:
        await hooks.happens()
        await hooks.answer(429, retry_after="600")
        await hooks.happens()
        assert await hooks.take(NOW + timedelta(minutes=9)) is None
        await hooks.answer(200, NOW + timedelta(minutes=10))

    play(scene)


def test_gone_stops_it_and_the_merchant_hears_and_can_go_on(play: Play) -> None:
    async def scene(hooks: Hooks) -> None:
        await hooks.happens()
        await hooks.happens()
        await hooks.answer(410)
        (found,) = [one for one in await webhooks.list_all(hooks.ctx) if one.id == hooks.id]
        assert (found.is_active, found.health.stopped_because) == (False, "gone")
        heard = "select count(*) from notification where topic = 'webhook_stopped'"
        assert await hooks.ctx.db.fetchval(heard) == 1
        assert await hooks.take(NOW + timedelta(days=2)) is None
        assert sorted(one.state for one in await hooks.deliveries()) == ["failed", "pending"]
        await webhooks.set_active(hooks.ctx, hooks.id, True)
        await hooks.answer(200)

    play(scene)


def test_a_secret_is_replaced_and_the_former_one_signs_until_it_is_ended(play: Play) -> None:
    async def scene(hooks: Hooks) -> None:
        async def signing(now: datetime = NOW) -> list[bytes]:
            await hooks.happens()
            turn = await hooks.take(now)
            assert turn is not None
            _, sealed = await webhooks.due_deliveries(hooks.at(now), turn, 1)
            await webhooks.end_turn(hooks.at(now), turn)
            return [SEALING_KEYS.open(one, webhooks.owner_of(turn.merchant_id, turn.id)) for one in sealed]

        ctx = replace(hooks.ctx, webhooks=WEBHOOK_TOOLS)
        assert await signing() == [SECRET]
        changed, told = await webhooks.replace_any_secret(ctx, hooks.id, timedelta(hours=24))
        assert changed.overlap_end(NOW) == NOW + timedelta(hours=24)
        second, first = await signing()
        assert (first, shown(second)) == (SECRET, told)
        assert await signing(NOW + timedelta(hours=24)) == [second]
        await webhooks.replace_any_secret(ctx, hooks.id, timedelta(hours=1))
        assert len(await signing()) == 3
        await webhooks.end_any_overlap(ctx, hooks.id)
        await webhooks.end_any_overlap(ctx, hooks.id)
        third = (await signing())[0]
        assert third not in (first, second)
        await webhooks.replace_any_secret(ctx, hooks.id, timedelta())
        assert len(await signing()) == 1
        noted = "select verb from audit_record where verb like 'webhook.%' order by id"
        acts = [row["verb"] for row in await ctx.db.fetch(noted)]
        assert acts == [*["webhook.secret_replaced"] * 2, "webhook.former_secret_ended", "webhook.secret_replaced"]

    play(scene)


def test_former_secrets_that_sign_nothing_any_more_are_dropped(play: Play) -> None:
    async def scene(hooks: Hooks) -> None:
        ctx = replace(hooks.ctx, webhooks=WEBHOOK_TOOLS)
        for hours in (24, 1):
            await webhooks.replace_any_secret(ctx, hooks.id, timedelta(hours=hours))
        kept = "select cardinality(former_secrets) from webhook_subscription where id = $1"
        await webhooks.forget_old_deliveries(hooks.at(NOW + timedelta(minutes=59)))
        assert await ctx.db.fetchval(kept, hooks.id) == 2
        await webhooks.forget_old_deliveries(hooks.at(NOW + timedelta(hours=1)))
        assert await ctx.db.fetchval(kept, hooks.id) == 0

    play(scene)


def test_what_nobody_looks_up_any_more_is_forgotten(play: Play) -> None:
    async def scene(hooks: Hooks) -> None:
        await hooks.happens()
        assert await webhooks.forget_old_deliveries(hooks.at(NOW + timedelta(days=29))) == 0
        # The world's own are some hours older, and those of all shops.
        assert await webhooks.forget_old_deliveries(hooks.at(NOW + timedelta(days=30))) == 3
        assert len(await hooks.deliveries()) == 1

    play(scene)


def test_topics_are_complete_and_name_events_that_there_are() -> None:
    assert len(TOPICS) == len(BY_NAME) == 25
    assert topics_of("order_refunded", {}) == ["ORDER_ALL", "ORDER_REFUND"]
    assert topics_of("infraction_closed", {"waived": True}) == ["POLICY_PENALTY_REVERSE"]
    assert topics_of("infraction_closed", {"waived": False}) == []


def test_every_event_of_a_topic_is_one_that_is_written_somewhere() -> None:
    from pathlib import Path

    source = Path(webhooks.__file__).parents[1]
    text = "".join(file.read_text(encoding="utf-8") for file in source.rglob("*.py"))
    for topic in TOPICS:
        for event in topic.events:
            assert f'"{event}"' in text, event
