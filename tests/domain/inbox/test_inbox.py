"""What merchants are told, by whom, and what happens in the platform that they hear about by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.domain.conftest import Play
from tests.support.calls import BULK_JOBS, DOWNLOAD_JOBS, NOTIFICATIONS, RETURN_WAREHOUSES, RINGS
from tests.support.market import NOW, Market
from tests.support.news import FEATURES
from tradepost.domain import bulk_updates, downloads, inbox, jobs, merchants, products, returns
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.inbox import (
    CATEGORIES,
    CategoryUnknown,
    Feature,
    NewAnnouncement,
    Notification,
    NotificationNotFound,
    RecipientUnknown,
    TextUnusable,
)
from tradepost.values import Page

ALL = Page(0, 500)


async def told(ctx: MerchantCtx) -> list[Notification]:
    return (await inbox.list_notifications(ctx, ALL))[0]


async def topics(ctx: MerchantCtx) -> list[str]:
    return [one.topic for one in await told(ctx)]


def test_a_notification_is_told_until_it_is_viewed_and_is_an_event(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        first = await inbox.notify(ctx, ctx.actor.id, "first", {"a": 1})
        second = await inbox.notify(replace(ctx, now=NOW + timedelta(hours=2)), ctx.actor.id, "second", {})
        assert [(one.id, one.topic, one.about) for one in await told(ctx)] == [
            (second, "second", {}),
            (first, "first", {"a": 1}),
        ]
        assert await inbox.list_notifications(ctx, Page(0, 1)) == ((await told(ctx))[:1], True)
        assert await inbox.list_notifications(ctx, Page(1, 1)) == ((await told(ctx))[1:], False)
        await inbox.mark_viewed(ctx, second)
        seen = await ctx.db.fetchval("select viewed_at from notification where id = $1", second)
        await inbox.mark_viewed(replace(ctx, now=NOW + timedelta(days=1)), second)
        assert await ctx.db.fetchval("select viewed_at from notification where id = $1", second) == seen == ctx.now
        assert (await topics(ctx), await inbox.count_unviewed(ctx)) == (["first"], 1)
        events = await ctx.db.fetch("select topic from event where happened_at >= $1 order by topic", ctx.now)
        assert [row[0] for row in events] == ["first", "second"]

    play_later(scene)


def test_anothers_notification_is_not_there(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        for other in (NOTIFICATIONS["cny"], "0" * 24, "nonsense"):
            with pytest.raises(NotificationNotFound):
                await inbox.mark_viewed(ctx, other)

    play_later(scene)


def test_an_announcement_is_viewed_as_a_notification(play_later: Play, market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        before = await inbox.find_announcement(ctx)
        assert before is not None
        assert before.viewed
        new = NewAnnouncement(" Title ", "Message", "a" * 24, "Tracy")
        assert await inbox.announce(ctx, new, [ctx.actor.id]) == 1
        latest = await inbox.find_announcement(ctx)
        assert latest is not None
        assert (latest.title, latest.manager_name, latest.viewed) == ("Title", "Tracy", False)
        (notification,) = await told(ctx)
        assert (notification.id, notification.about) == (latest.id, {"title": "Title", "message": "Message"})
        await inbox.mark_viewed(ctx, latest.id)
        assert await inbox.find_announcement(ctx) == replace(latest, viewed=True)

    play_later(scene)


def test_an_announcement_to_somebody_who_is_not_there_is_refused(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        new = NewAnnouncement("Title", "Message", "a" * 24, "Tracy")
        with pytest.raises(RecipientUnknown) as refused:
            await inbox.announce(ctx, new, [ctx.actor.id, "0" * 24])
        assert refused.value.merchant_id == "0" * 24

    play_later(scene)


def test_everybody_is_told_under_ids_of_their_own(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        assert await inbox.announce(ctx, NewAnnouncement("Title", "Message", "a" * 24, "Tracy")) == 3
        update = await inbox.publish_update(ctx, [FEATURES[1], FEATURES[0]])
        assert await topics(ctx) in (["announcement", "system_update"], ["system_update", "announcement"])
        ids = await ctx.db.fetch("select distinct id from notification where created_at = $1", ctx.now)
        assert len(ids) == 6
        latest = (await inbox.list_updates(ctx))[0]
        assert (latest.id, list(latest.features)) == (update, [_listed(FEATURES[1]), _listed(FEATURES[0])])

    play_later(scene)


def _listed(feature: Feature) -> Feature:
    return replace(feature, categories=list(feature.categories))


def test_who_never_was_told_anything(market: Market) -> None:
    async def scene(ctx: Ctx) -> None:
        new = merchants.NewMerchant("Late", "late@shop.example", "secret")
        acting = await merchants.act_for(ctx, await merchants.add_merchant(ctx, new))
        assert await inbox.find_announcement(acting) is None
        assert (await told(acting), await inbox.count_unviewed(acting)) == ([], 0)
        assert len(await inbox.list_updates(acting)) == 2

    market.operate(scene)


@pytest.mark.parametrize("categories", [("NOTHING",), ("api",), CATEGORIES[:4]])
def test_a_category_that_there_is_not(play_later: Play, categories: tuple[str, ...]) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        with pytest.raises(CategoryUnknown):
            await inbox.publish_update(ctx, [replace(FEATURES[0], categories=categories)])

    play_later(scene)


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "a\x1bb", "x" * 20_001])
def test_a_text_that_nobody_could_read(play_later: Play, text: str) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        for say in (
            inbox.send_message(ctx, "Title", text),
            inbox.send_message(ctx, text, "Message"),
            inbox.announce(ctx, NewAnnouncement("Title", text, "a" * 24, "Tracy")),
            inbox.publish_update(ctx, [replace(FEATURES[0], body=text)]),
        ):
            with pytest.raises(TextUnusable):
                await say
        assert await topics(ctx) == []

    play_later(scene)


# -- what the platform tells by itself


def test_a_review_that_was_not_passed_is_told_and_one_that_was_is_not(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        await products.review_product(ctx, RINGS["usd"][0], "approved")
        await products.review_product(ctx, RINGS["usd"][0], "rejected")
        await products.take_down_variation(ctx, "ring-red")
        found = {one.topic: one.about for one in await told(ctx)}
        product_id = RINGS["usd"][0]
        assert found == {
            products.REJECTED_TOPIC: {"product_id": product_id, "parent_sku": "ring"},
            products.REMOVED_TOPIC: {"product_id": product_id, "sku": "ring-red"},
        }

    play_later(scene)


def test_a_suspension_is_told_once_and_keeps_its_time(play_later: Play, market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        for hours, suspended in enumerate((True, True, False, False)):
            await merchants.set_suspended(replace(ctx, now=NOW + timedelta(hours=hours)), ctx.actor.id, suspended)
            if suspended:
                assert await ctx.db.fetchval("select suspended_at from merchant where id = $1", ctx.actor.id) == NOW
        assert await topics(ctx) == [merchants.RESUMED_TOPIC, merchants.SUSPENDED_TOPIC]

    play_later(scene)
    market.work()
    assert market.sql("select count(*) from mail where subject = 'Your account is suspended'") == 1


def test_a_job_that_was_given_up_is_told(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        update = await jobs.find_job(ctx, ctx.actor.id, bulk_updates.KIND, BULK_JOBS["usd"])
        await bulk_updates.report_parked(ctx, update)
        await downloads.report_parked(
            ctx, await jobs.find_job(ctx, ctx.actor.id, downloads.PRODUCTS, DOWNLOAD_JOBS["usd"])
        )
        assert {one.topic: one.about["job_id"] for one in await told(ctx)} == {
            bulk_updates.FAILED_TOPIC: BULK_JOBS["usd"],
            downloads.FAILED_TOPICS[0]: DOWNLOAD_JOBS["usd"],
        }

    play_later(scene)


@pytest.mark.parametrize(("revision", "heard"), [(1, True), (2, False)])
def test_an_address_that_could_not_be_validated_is_told_unless_it_was_changed(
    play_later: Play, revision: int, heard: bool
) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        update = await jobs.find_job(ctx, ctx.actor.id, bulk_updates.KIND, BULK_JOBS["usd"])
        about = {"warehouse_id": RETURN_WAREHOUSES["usd"], "revision": revision}
        await returns.report_parked(ctx, replace(update, kind=returns.KIND, arguments=about))
        expected = {"warehouse_id": RETURN_WAREHOUSES["usd"]}
        assert [one.about for one in await told(ctx)] == ([expected] if heard else [])

    play_later(scene)
