"""Operators, their tokens, their acts, and the keys of their calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.market import NOW, Market
from tradepost.domain import operators
from tradepost.domain.access.failures import LifetimeUnusable
from tradepost.domain.access.token import OPERATOR_PREFIX, looks_right
from tradepost.domain.context import Ctx, Operator, OperatorCtx
from tradepost.domain.operators import KeyReused, NameTaken, NameUnusable, OperatorUnknown

ASKED, OTHER = b"a" * 32, b"b" * 32


async def acting(ctx: Ctx, name: str = "desk") -> OperatorCtx:
    found = await operators.find_operator(ctx, name)
    return OperatorCtx(ctx.db, ctx.now, Operator(found.id, found.name, "en"), ctx.new_id, "0" * 24)


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "a\nb", "f" * 24])
def test_names_that_nobody_can_have(market: Market, name: str) -> None:
    with pytest.raises(NameUnusable):
        market.operate(lambda ctx: operators.add_operator(ctx, name))


def test_a_name_is_one_operators(market: Market) -> None:
    with pytest.raises(NameTaken):
        market.operate(lambda ctx: operators.add_operator(ctx, "desk"))


def test_a_token_is_kept_as_its_hash_and_taken_back_by_its_id(market: Market) -> None:
    async def scene(ctx: Ctx) -> None:
        token = await operators.issue_token(ctx, "desk", ["orders:read"], 7)
        assert looks_right(token, OPERATOR_PREFIX)
        assert not looks_right(token)
        assert (
            await ctx.db.fetchval("select count(*) from operator_token t where t::text like $1", f"%{token}%") == 0
        )
        line = next(one for one in await operators.list_tokens(ctx, "desk") if one.scopes == ["orders:read"])
        assert (line.expires_at - NOW, line.revoked_at) == (timedelta(days=7), None)
        assert await operators.revoke_token(ctx, line.id)
        assert not await operators.revoke_token(ctx, token), "it was revoked before"

    market.operate(scene)


@pytest.mark.parametrize("days", [0, -1, 3651, float("nan")])
def test_a_token_lives_for_a_while(market: Market, days: float) -> None:
    with pytest.raises(LifetimeUnusable):
        market.operate(lambda ctx: operators.issue_token(ctx, "desk", [], days))


def test_nobody_is_nobody(market: Market) -> None:
    verbs: list[Any] = [
        lambda ctx: operators.issue_token(ctx, "nobody", []),
        lambda ctx: operators.list_tokens(ctx, "nobody"),
        lambda ctx: operators.set_disabled(ctx, "nobody", True),
    ]
    for verb in verbs:
        with pytest.raises(OperatorUnknown):
            market.operate(verb)


def test_a_key_stands_for_one_call_for_a_day(market: Market) -> None:
    async def scene(ctx: Ctx) -> None:
        desk, shop = await acting(ctx), await acting(ctx, "shop")
        assert await operators.take_key(desk, "k", ASKED) is None
        await operators.keep_answer(desk, "k", b"done")
        assert await operators.take_key(desk, "k", ASKED) == b"done"
        assert await operators.take_key(shop, "k", OTHER) is None, "another operator's keys are his own"
        with pytest.raises(KeyReused):
            await operators.take_key(desk, "k", OTHER)
        later = replace(desk, now=ctx.now + operators.KEY_KEPT - timedelta(seconds=1))
        assert await operators.take_key(later, "k", ASKED) == b"done"
        assert await operators.take_key(replace(later, now=ctx.now + operators.KEY_KEPT), "k", OTHER) is None

    market.operate(scene)


def test_old_keys_are_forgotten_and_others_kept(market: Market) -> None:
    async def scene(ctx: Ctx) -> None:
        for hours in (0, 1, 24, 25):
            earlier = replace(await acting(ctx), now=ctx.now - timedelta(hours=hours))
            await operators.take_key(earlier, f"k{hours}", ASKED)
        assert await operators.forget_old_keys(ctx) == 2
        left = await ctx.db.fetch("select key from idempotency_key order by key")
        assert [row[0] for row in left] == ["k0", "k1"]

    market.operate(scene)


def test_acts_are_listed_the_latest_first(market: Market) -> None:
    async def scene(ctx: Ctx) -> None:
        desk = await acting(ctx)
        await operators.record_act(desk, "suspend_merchant", "a" * 24, {})
        await operators.record_act(await acting(ctx, "shop"), "place_order", "b" * 24, {"order_ids": ["c" * 24]})
        latest, first = await operators.list_acts(ctx, 10)
        assert (latest.operator, latest.verb, latest.about) == ("shop", "place_order", {"order_ids": ["c" * 24]})
        assert (first.operator, first.subject, first.acted_at) == ("desk", "a" * 24, NOW)
        assert await operators.list_acts(ctx, 10, "a" * 24) == [first]
        assert await operators.list_acts(ctx, 1) == [latest]

    market.operate(scene)
