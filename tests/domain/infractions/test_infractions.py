"""Infractions: whose turn it is, what they cost, and what merchants hear about them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.calls import INFRACTIONS, ORDERS, RINGS, TICKETS
from tests.support.market import NOW, Market
from tradepost.domain import inbox, infractions, merchants
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.inbox import TextUnusable
from tradepost.domain.infractions import (
    AWAITING_ADMIN,
    AWAITING_MERCHANT,
    CLOSED,
    LATE_FULFILLMENT,
    NEW,
    PROOF_KINDS,
    STAGES,
    Author,
    FineUnusable,
    InfractionClosed,
    InfractionFilter,
    InfractionNotFound,
    InfractionState,
    NewInfraction,
    Proof,
    ProofNotFound,
    ProofUnusable,
)
from tradepost.domain.infractions import infraction as machine
from tradepost.values import Page

Scene = Callable[[MerchantCtx], Awaitable[Any]]
LATER = NOW + timedelta(hours=1)
SOMETHING = "a" * 24


def run(market: Market, scene: Scene, who: str = "usd") -> Any:
    """A scene in a shop that has no infractions, an hour later."""

    async def within(ctx: Ctx) -> Any:
        for table in ("infraction_message", "infraction_proof", "infraction"):
            await ctx.db.execute(
                f"delete from {table} where merchant_id = $1", market.world.merchants[who].account_id
            )
        return await scene(await merchants.act_for(ctx, market.world.merchants[who].account_id))

    return market.operate(within, LATER)


# -- without a database


@pytest.mark.parametrize("author", ["merchant", "marketplace"])
@pytest.mark.parametrize("state", [NEW, AWAITING_MERCHANT, AWAITING_ADMIN, CLOSED])
def test_whose_turn_it_is_after_an_answer(state: InfractionState, author: Author) -> None:
    expected = None if state == CLOSED else AWAITING_ADMIN if author == "merchant" else AWAITING_MERCHANT
    assert machine.answered(state, author) == expected
    assert machine.closed(state) == (None if state == CLOSED else CLOSED)


def test_every_state_has_a_stage() -> None:
    assert sorted(state for states in STAGES.values() for state in states) == sorted(
        (NEW, AWAITING_MERCHANT, AWAITING_ADMIN, CLOSED)
    )


# -- with one


async def stages(ctx: MerchantCtx) -> list[int]:
    counts = [await infractions.count_infractions(ctx, stage) for stage in STAGES]
    for stage, count in zip(STAGES, counts, strict=True):
        found, more = await infractions.list_infractions(ctx, InfractionFilter(stage), Page(0, 500))
        assert (len(found), more) == (count, False)
        assert {one.state for one in found} <= set(STAGES[stage])
    return counts


def test_from_stage_to_stage(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        one = await infractions.issue_infraction(
            ctx, NewInfraction(reason="Counterfeit goods", fine=Decimal("9.5"))
        )
        assert await stages(ctx) == [1, 0, 0]
        assert await infractions.answer_infraction(ctx, one, "merchant", "It is not.") == AWAITING_ADMIN
        assert await stages(ctx) == [0, 1, 0]
        assert await infractions.answer_infraction(ctx, one, "marketplace", "Show it.") == AWAITING_MERCHANT
        assert await stages(ctx) == [1, 0, 0]
        later = replace(ctx, now=LATER + timedelta(minutes=1))
        await infractions.close_infraction(later, one)
        assert await stages(ctx) == [0, 0, 1]
        found, written = await infractions.find_infraction(ctx, one)
        assert (found.state, found.fine_amount, found.fine_currency) == (CLOSED, "9.5", "USD")
        assert (found.created_at, found.updated_at) == (LATER, later.now)
        assert [(m.author, m.message) for m in written] == [("merchant", "It is not."), ("marketplace", "Show it.")]
        for verb in (
            infractions.answer_infraction(ctx, one, "merchant", "x"),
            infractions.close_infraction(ctx, one),
        ):
            with pytest.raises(InfractionClosed):
                await verb
        told, _ = await inbox.list_notifications(ctx, Page(0, 500))
        heard = sorted(n.topic for n in told if n.about.get("infraction_id") == one)
        assert heard == ["infraction_answered", "infraction_closed", "infraction_fined"]

    run(market, scene)


def test_a_fine_that_is_taken_back(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        new = NewInfraction(cause=LATE_FULFILLMENT, fine=Decimal(50), proofs=[Proof("order", SOMETHING)])
        one = await infractions.issue_infraction(ctx, new)
        other = await infractions.issue_infraction(ctx, replace(new, fine=Decimal(0)))
        assert other != one
        assert await infractions.fines_of(ctx, [SOMETHING, "b" * 24]) == {SOMETHING: [one]}
        await infractions.close_infraction(ctx, one, waive=True)
        assert (await infractions.find_infraction(ctx, one))[0].fine_amount == "0"
        assert await infractions.fines_of(ctx, [SOMETHING]) == {}

    run(market, scene)


def test_the_last_changed_comes_first_and_a_span_cuts(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        made = []
        for minutes in (2, 1, 3):
            then = replace(ctx, now=LATER + timedelta(minutes=minutes))
            made.append(await infractions.issue_infraction(then, NewInfraction(reason=f"{minutes}")))

        async def listed(page: Page, since: int | None = None, upto: int | None = None) -> list[str]:
            ends = [None if end is None else LATER + timedelta(minutes=end) for end in (since, upto)]
            found, _ = await infractions.list_infractions(ctx, InfractionFilter(1, *ends), page)
            return [str(one.reason) for one in found]

        assert await listed(Page(0, 500)) == ["3", "2", "1"]
        assert (await listed(Page(0, 2)), await listed(Page(2, 2))) == (["3", "2"], ["1"])
        assert await listed(Page(0, 500), 2, 3) == ["2"]
        await infractions.answer_infraction(
            replace(ctx, now=LATER + timedelta(minutes=4)), made[1], "marketplace", "x"
        )
        assert await listed(Page(0, 500)) == ["1", "3", "2"]

    run(market, scene)


def test_a_fine_is_in_the_currency_that_the_shop_is_paid_in(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        one = await infractions.issue_infraction(ctx, NewInfraction(reason="x", fine=Decimal("1.25")))
        assert (await infractions.find_infraction(ctx, one))[0].fine_currency == "CNY"
        in_yen = replace(ctx, actor=replace(ctx.actor, currency="JPY", payment_currency="JPY"))
        with pytest.raises(FineUnusable):
            await infractions.issue_infraction(in_yen, NewInfraction(reason="x", fine=Decimal("1.5")))

    run(market, scene, "cny")


@pytest.mark.parametrize("fine", ["-1", "0.001", "10000000000", "NaN", "Infinity"])
def test_a_fine_that_cannot_be(market: Market, fine: str) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        with pytest.raises(FineUnusable):
            await infractions.issue_infraction(ctx, NewInfraction(reason="x", fine=Decimal(fine)))

    run(market, scene)


@pytest.mark.parametrize(
    "proofs",
    [
        [Proof("shop", SOMETHING)],  # type: ignore[arg-type]
        [Proof("order", "A" * 24)],
        [Proof("order", "")],
        [Proof("order", SOMETHING)] * 101,
    ],
    ids=["kind", "capitals", "nothing", "too many"],
)
def test_a_proof_that_cannot_be(market: Market, proofs: list[Proof]) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        with pytest.raises(ProofUnusable):
            await infractions.issue_infraction(ctx, NewInfraction(reason="x", proofs=proofs))

    run(market, scene)


def test_a_proof_is_something_of_the_merchants(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        variation = await ctx.db.fetchval("select id from variation where merchant_id = $1 limit 1", ctx.actor.id)
        own = {
            "order": ORDERS["usd"]["open"],
            "product": RINGS["usd"][0],
            "variation": variation,
            "ticket": TICKETS["usd"][0],
            "merchant": ctx.actor.id,
            "rating": SOMETHING,
        }
        assert own.keys() == set(PROOF_KINDS)
        everything = [Proof(kind, object_id) for kind, object_id in own.items()]  # type: ignore[arg-type]
        await infractions.require_proofs(ctx, everything)
        of_others = [
            Proof("order", ORDERS["cny"]["open"]),
            Proof("product", RINGS["cny"][0]),
            Proof("variation", SOMETHING),
            Proof("ticket", TICKETS["cny"][0]),
            Proof("merchant", SOMETHING),
        ]
        for proof in of_others:
            with pytest.raises(ProofNotFound) as caught:
                await infractions.require_proofs(ctx, [*everything, proof])
            assert (caught.value.kind, caught.value.object_id) == (proof.kind, proof.object_id)

    run(market, scene)


def test_words_that_cannot_be(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        one = await infractions.issue_infraction(ctx, NewInfraction(reason="x"))
        for verb in (
            infractions.issue_infraction(ctx, NewInfraction(reason=" ")),
            infractions.issue_infraction(ctx, NewInfraction(reason="x", extra_reason="a\x07")),
            infractions.issue_infraction(ctx, NewInfraction(reason="x", proofs=[Proof("order", SOMETHING, "")])),
            infractions.answer_infraction(ctx, one, "merchant", "y" * 2_001),
        ):
            with pytest.raises(TextUnusable):
                await verb
        assert await stages(ctx) == [1, 0, 0]

    run(market, scene)


def test_anothers_infraction_is_not_there(market: Market) -> None:
    async def scene(ctx: MerchantCtx) -> None:
        for other in (INFRACTIONS["cny"][0], "0" * 24):
            for verb in (
                infractions.answer_infraction(ctx, other, "merchant", "x"),
                infractions.close_infraction(ctx, other),
                infractions.find_infraction(ctx, other),
            ):
                with pytest.raises(InfractionNotFound):
                    await verb
        assert await infractions.fines_of(ctx, [RINGS["cny"][0]]) == {}

    run(market, scene)
