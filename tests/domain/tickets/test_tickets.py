"""Tickets: whose turn it is, what is kept of them, who hears of what, and links to their pictures."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.domain.conftest import LATER, Play
from tests.support.calls import RINGS, TICKETS
from tests.support.complaints import GEORGE, PICTURE, PICTURE_NAME, asked, bought
from tests.support.market import LINK_KEYS, NOW, Market
from tradepost.domain import inbox, orders, tickets
from tradepost.domain.context import MerchantCtx
from tradepost.domain.inbox import TextUnusable
from tradepost.domain.products.failures import ProductNotFound
from tradepost.domain.tickets import (
    AWAITING_BUYER,
    AWAITING_MERCHANT,
    AWAITING_SUPPORT,
    BUYER,
    CLOSED,
    MERCHANT,
    SUPPORT,
    NewReply,
    NewTicket,
    PictureUnusable,
    Ticket,
    TicketClosed,
    TicketNotClosed,
    TicketNotFound,
    TicketUnusable,
    TicketWithSupport,
)
from tradepost.values import Page

MINE = TICKETS["usd"]
ALL = Page(0, 500)


def at(ctx: MerchantCtx, minutes: int) -> MerchantCtx:
    return replace(ctx, now=LATER + timedelta(minutes=minutes))


async def heard(ctx: MerchantCtx) -> list[str]:
    """The tickets that the merchant was told of."""
    return [one.about["ticket_id"] for one in (await inbox.list_notifications(ctx, ALL))[0]]


async def events(ctx: MerchantCtx) -> list[str]:
    found = await ctx.db.fetch("select topic from event where happened_at >= $1 order by happened_at, topic", LATER)
    return [row[0] for row in found]


async def state(ctx: MerchantCtx, ticket_id: str) -> str:
    return (await tickets.find_ticket(ctx, ticket_id)).state


def question(**changes: Any) -> NewTicket:
    return replace(asked("usd")[3], **changes)


def test_a_dialogue_from_its_beginning_to_its_end(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        one = await tickets.open_ticket(ctx, question())
        assert (await state(ctx, one), await heard(ctx)) == (AWAITING_MERCHANT, [one])
        await tickets.reply_to_ticket(at(ctx, 1), one, "Tomorrow.")
        assert await state(ctx, one) == AWAITING_BUYER
        assert await tickets.answer_ticket(at(ctx, 2), one, BUYER, NewReply(message="Fine.")) == AWAITING_MERCHANT
        await tickets.appeal_ticket(at(ctx, 3), one)
        assert await state(ctx, one) == AWAITING_SUPPORT
        assert await tickets.answer_ticket(at(ctx, 4), one, SUPPORT, NewReply(message="Well.")) == AWAITING_MERCHANT
        await tickets.close_ticket(at(ctx, 5), one)
        closed = await tickets.find_ticket(ctx, one)
        assert (closed.state, closed.closed_at, closed.closed_by) == (CLOSED, at(ctx, 5).now, MERCHANT)
        await tickets.reopen_ticket(at(ctx, 6), one, "It came back.")
        await tickets.answer_ticket(at(ctx, 7), one, BUYER, NewReply(message="Oh."))
        await tickets.answer_ticket(at(ctx, 8), one, BUYER, NewReply(message="Oh!"))
        last = await tickets.find_ticket(ctx, one)
        assert (last.state, last.closed_at, last.closed_by) == (AWAITING_MERCHANT, at(ctx, 5).now, MERCHANT)
        assert (last.opened_at, last.updated_at) == (LATER, at(ctx, 8).now)
        told = [(reply.sender, reply.message, reply.sent_at) for reply in last.replies[1:]]
        assert told == [
            ("merchant", "Tomorrow.", at(ctx, 1).now),
            ("buyer", "Fine.", at(ctx, 2).now),
            ("support", "Well.", at(ctx, 4).now),
            ("merchant", "It came back.", at(ctx, 6).now),
            ("buyer", "Oh.", at(ctx, 7).now),
            ("buyer", "Oh!", at(ctx, 8).now),
        ]
        # Told when it came to be his turn, and not when it was already.
        assert await heard(ctx) == [one] * 4
        assert await events(ctx) == [
            "ticket_awaiting_merchant",
            "ticket_replied",
            *("ticket_awaiting_merchant", "ticket_replied"),
            "ticket_appealed",
            *("ticket_awaiting_merchant", "ticket_replied"),
            "ticket_closed",
            "ticket_reopened",
            *("ticket_awaiting_merchant", "ticket_replied"),
            "ticket_replied",
        ]

    play_later(scene)


def test_what_is_refused_changes_nothing(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        before = (await tickets.list_tickets(ctx, ALL))[0]
        attempts: list[tuple[Awaitable[Any], type[Exception]]] = [
            (tickets.reply_to_ticket(ctx, MINE[3], "x"), TicketClosed),
            (tickets.close_ticket(ctx, MINE[3]), TicketClosed),
            (tickets.appeal_ticket(ctx, MINE[3]), TicketClosed),
            (tickets.answer_ticket(ctx, MINE[3], SUPPORT, NewReply(message="x")), TicketClosed),
            (tickets.reopen_ticket(ctx, MINE[0], "x"), TicketNotClosed),
            (tickets.reopen_ticket(ctx, MINE[4], "x"), TicketNotClosed),
            (tickets.appeal_ticket(ctx, MINE[4]), TicketWithSupport),
        ]
        for attempt, refusal in attempts:
            with pytest.raises(refusal):
                await attempt
        for other in (TICKETS["cny"][0], "0" * 24, "nonsense"):
            for verb in (
                tickets.find_ticket(ctx, other),
                tickets.reply_to_ticket(ctx, other, "x"),
                tickets.close_ticket(ctx, other),
                tickets.appeal_ticket(ctx, other),
                tickets.reopen_ticket(ctx, other, "x"),
            ):
                with pytest.raises(TicketNotFound):
                    await verb
        assert (await tickets.list_tickets(ctx, ALL))[0] == before
        assert await events(ctx) == []

    play_later(scene)


def test_the_list_of_what_awaits_the_merchant(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        async def listed(kind: Any, page: Page = ALL) -> tuple[list[str], bool]:
            found, more = await tickets.list_awaiting(ctx, kind, page)
            return [one.id for one in found], more

        assert await listed("post_purchase") == ([MINE[1], MINE[0]], False)
        assert await listed("post_purchase", Page(0, 1)) == ([MINE[1]], True)
        assert await listed("post_purchase", Page(1, 1)) == ([MINE[0]], False)
        assert await listed("pre_purchase") == ([MINE[2]], False)
        assert await listed("customer_support") == ([], False)
        await tickets.answer_ticket(ctx, MINE[4], SUPPORT, NewReply(message="Your turn."))
        assert await listed("customer_support") == ([MINE[4]], False)
        await tickets.answer_ticket(ctx, MINE[0], BUYER, NewReply(message="Hello?"))
        assert await listed("post_purchase") == ([MINE[0], MINE[1]], False)
        everything, more = await tickets.list_tickets(ctx, Page(0, 4))
        assert (len(everything), more) == (4, True)

    play_later(scene)


def test_a_ticket_is_kept_as_it_was_opened(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        new = asked("usd")[1]
        one = await tickets.find_ticket(ctx, await tickets.open_ticket(ctx, new))
        same = ("kind", "subject", "label", "sublabel", "refund_reason", "buyer")
        assert all(getattr(one, name) == getattr(new, name) for name in same)
        assert (tuple(one.order_ids), tuple(one.product_ids)) == (bought("usd"), ())
        assert one.transaction_id == (await orders.find_order(ctx, one.order_ids[0])).transaction_id
        assert (one.replies[0].message_en, one.replies[0].message_zh) == ("I want my refund", "我希望我的退款")
        assert (one.closed_at, one.closed_by, one.has_photo) == (None, None, False)
        assert (await tickets.find_ticket(ctx, MINE[0])).has_photo

    play_later(scene)


def test_whoever_asks_about_an_order_is_its_buyer_unless_told(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        new = asked("usd")[1]
        own = (await orders.find_order(ctx, new.order_ids[0])).buyer_id
        stranger = replace(new, buyer=replace(GEORGE, id="e" * 24))
        for told, buyer_id in ((True, "e" * 24), (False, own)):
            opened = await tickets.open_ticket(ctx, replace(stranger, buyer_told=told))
            found = await tickets.find_ticket(ctx, opened)
            assert (found.buyer.id, found.buyer.name) == (buyer_id, GEORGE.name)

    play_later(scene)


def test_a_picture_of_the_merchants_is_no_proof() -> None:
    def ticket(sender: Any) -> Ticket:
        reply = tickets.Reply(sender, "x", None, None, [PICTURE_NAME], NOW)
        parts: dict[str, Any] = dict.fromkeys(Ticket.__dataclass_fields__) | {"replies": [reply]}
        return Ticket(**parts)

    assert [ticket(sender).has_photo for sender in (BUYER, MERCHANT, SUPPORT)] == [True, False, False]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"kind": "complaint"}, "kind"),
        ({"order_ids": ()}, "order_ids"),
        ({"order_ids": ("x",)}, "order_ids"),
        ({"order_ids": bought("usd")[:1] * 2}, "order_ids"),
        ({"order_ids": tuple(f"{number:024x}" for number in range(101))}, "order_ids"),
        ({"kind": "pre_purchase"}, "order_ids"),
        ({"kind": "pre_purchase", "order_ids": ()}, "product_ids"),
        ({"product_ids": ("A" * 24,)}, "product_ids"),
        ({"transaction_id": "1"}, "transaction_id"),
        ({"refund_reason": 10_000}, "refund_reason"),
        ({"buyer": replace(GEORGE, id="me")}, "buyer_id"),
        ({"buyer": replace(GEORGE, locale="english please")}, "buyer_locale"),
        ({"first": NewReply(message="x", pictures=("../x.jpg",))}, "pictures"),
        ({"first": NewReply(message="x", pictures=(PICTURE_NAME,) * 11)}, "pictures"),
    ],
)
def test_a_ticket_that_cannot_be(play_later: Play, changes: dict[str, Any], name: str) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        with pytest.raises(TicketUnusable) as refused:
            await tickets.open_ticket(ctx, question(**changes))
        assert refused.value.name == name

    play_later(scene)


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": " "},
        {"label": "x" * 201},
        {"sublabel": "a\x00"},
        {"buyer": replace(GEORGE, name="")},
        {"first": NewReply(message="x" * 2_001)},
        {"first": NewReply(message="x", message_zh="")},
    ],
)
def test_words_that_cannot_be(play_later: Play, changes: dict[str, Any]) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        with pytest.raises(TextUnusable):
            await tickets.open_ticket(ctx, question(**changes))

    play_later(scene)


def test_words_of_every_kind_are_kept(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        for text in ("x" * 2_000, "👨‍👩‍👧‍👦", "مرحبا\n\nشكرا", "{subject} %s $1"):
            one = await tickets.open_ticket(ctx, question(first=NewReply(message=text)))
            assert (await tickets.find_ticket(ctx, one)).replies[0].message == text

    play_later(scene)


def test_a_question_is_about_a_product_of_the_shop(play_later: Play) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        for other in (RINGS["cny"][0], "0" * 24):
            with pytest.raises(ProductNotFound):
                await tickets.open_ticket(ctx, replace(asked("usd")[2], product_ids=[other]))

    play_later(scene)


# -- pictures


def test_what_counts_as_a_picture() -> None:
    picture_id = "a" * 24
    assert tickets.name_of(picture_id, PICTURE) == f"{picture_id}.gif"
    assert tickets.name_of(picture_id, b"\x89PNG\r\n\x1a\n") == f"{picture_id}.png"
    assert tickets.name_of(picture_id, b"\xff\xd8\xff\xe0") == f"{picture_id}.jpg"
    assert tickets.name_of(picture_id, PICTURE.ljust(5 << 20, b"\0")) == f"{picture_id}.gif"
    for data in (b"", b"<svg/>", b"GIF88a", b"%PDF-1.4", PICTURE.ljust((5 << 20) + 1, b"\0")):
        with pytest.raises(PictureUnusable):
            tickets.name_of(picture_id, data)


def link(market: Market) -> str:
    """The link to the picture in the first ticket."""
    replies = market.get("/api/v2/ticket", id=MINE[0]).data["Ticket"]["replies"]
    return str(replies[0]["Reply"]["image_urls"].strip("[]'"))


def move(market: Market, minutes: int) -> datetime:
    moved: datetime = market.sql(
        "update world_clock set fixed_at = fixed_at + make_interval(mins => $1) returning fixed_at", minutes
    )
    return moved


def test_a_link_is_good_for_sixty_minutes_and_every_call_makes_a_new_one(market: Market) -> None:
    first = link(market)
    answer = market.get(first, None)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, PICTURE, "image/gif")
    assert PICTURE_NAME in answer.headers["content-disposition"]
    assert market.request("HEAD", first, None).status == 200
    move(market, 59)
    assert market.get(first, None).status == 200
    second = link(market)
    move(market, 1)
    assert (market.get(first, None).status, market.get(second, None).status) == (410, 200)
    move(market, 59)
    assert market.get(second, None).status == 410


def test_a_link_leads_nowhere_else(market: Market) -> None:
    found = link(market)
    path, _, query = found.partition("?")
    others = [
        found.replace(MINE[0], MINE[1]),
        found.replace(PICTURE_NAME, PICTURE_NAME.replace("gif", "png")),
        found.replace("expires=1", "expires=2"),
        found.replace("signature=", "signature=x"),
        path,
        f"{path}?{query}&expires=1",
        found.replace("/ticket-pictures/", "/downloads/"),
        found.replace(market.world.merchants["usd"].account_id, market.world.merchants["cny"].account_id),
    ]
    for other in others:
        assert market.get(other, None).status == 404, other
    assert market.post(found, None).status == 405


def test_a_link_is_signed_for_tickets_and_nothing_else() -> None:
    name = f"{'a' * 24}-{'b' * 24}-{PICTURE_NAME}"
    query = dict(pair.split("=", 1) for pair in LINK_KEYS.sign("csv download", name, NOW).split("&"))
    assert tickets.read_link(LINK_KEYS, name, query) is None
    path = urlsplit(tickets.link_path(LINK_KEYS, "a" * 24, "b" * 24, PICTURE_NAME, NOW))
    query = dict(pair.split("=", 1) for pair in path.query.split("&"))
    read = tickets.read_link(LINK_KEYS, path.path.removeprefix(tickets.FOLDER), query)
    assert read == tickets.PictureLink("a" * 24, "b" * 24, PICTURE_NAME, NOW + timedelta(minutes=60))


def test_a_picture_of_a_suspended_shop_or_without_its_file_is_not_shown(market: Market) -> None:
    found = link(market)
    market.sql("update merchant set suspended_at = now()")
    assert market.get(found, None).status == 404
    market.sql("update merchant set suspended_at = null")
    assert market.get(found, None).status == 200
    other = f"{'c' * 24}.gif"
    market.sql("update ticket_reply set pictures = array[$1] where pictures <> '{}'", other)
    assert market.get(found, None).status == 404
    assert market.get(link(market), None).status == 404
