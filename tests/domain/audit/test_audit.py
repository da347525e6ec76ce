"""The audit log: what is written with the act, that nobody changes it, and that whoever does is found out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from tests.support.consent import APP_IDS
from tests.support.market import Market
from tradepost.domain import access, audit, consents, merchants, operators
from tradepost.domain.access import NewApp
from tradepost.domain.audit import Anchor, AnchorUnusable, Verdict
from tradepost.domain.context import By, Ctx
from tradepost.domain.people import Person
from tradepost.storage.database import APP_ROLE, PLATFORM_ROLE

LINKED = "set constraints all immediate"
ODD = 'quotes " and \\, a\ttab, 中文, \x7f and \u2028'


async def write_some(ctx: Ctx, count: int = 5) -> None:
    for number in range(count):
        await audit.record(
            replace(ctx, by=By("person", "f" * 24, "192.0.2.7")), "test.done", None, n=number, odd=ODD
        )
    await ctx.db.execute(LINKED)


def judged(market: Market, anchor: Anchor | None = None) -> Verdict:
    found: Verdict = market.operate(lambda ctx: audit.verify(ctx, anchor))
    return found


def head(market: Market) -> Anchor:
    found: Anchor = market.operate(audit.find_head)
    return found


async def desk_signs_in(ctx: Ctx) -> None:
    found = await operators.find_operator(ctx, "desk")
    await operators.open_session(ctx, Person(found.id, found.id, "desk", "en", "x"), "192.0.2.7")


ACTS: dict[str, Callable[[Ctx, Market], Awaitable[Any]]] = {
    "app.added": lambda ctx, market: access.add_app(ctx, "merchant", NewApp("Another")),
    "app.verified": lambda ctx, market: access.verify_app(ctx, "merchant", APP_IDS["merchant"]),
    "app.refused": lambda ctx, market: access.refuse_app(ctx, "merchant", APP_IDS["merchant"], "Who?"),
    "app.disabled": lambda ctx, market: access.disable_app(ctx, "merchant", APP_IDS["merchant"]),
    "app.enabled": lambda ctx, market: access.disable_app(ctx, "merchant", APP_IDS["merchant"], False),
    "app.secret_replaced": lambda ctx, market: access.replace_secret(ctx, "merchant", APP_IDS["merchant"]),
    "token.issued": lambda ctx, market: access.issue_token(
        ctx, "merchant", market.world.merchants["usd"].account_id, APP_IDS["merchant"], ["orders:read"]
    ),
    "token.revoked": lambda ctx, market: access.revoke_token(ctx, market.world.merchants["usd"].access_token),
    "consent.withdrawn": lambda ctx, market: consents.withdraw(
        ctx, market.world.merchants["usd"].account_id, APP_IDS["merchant"]
    ),
    "merchant.added": lambda ctx, market: merchants.add_merchant(
        ctx, merchants.NewMerchant("New", "new@shop.example", "a password of his")
    ),
    "merchant.suspended": lambda ctx, market: merchants.set_suspended(
        ctx, market.world.merchants["usd"].account_id, True
    ),
    "operator.added": lambda ctx, market: operators.add_operator(ctx, "another"),
    "operator.disabled": lambda ctx, market: operators.set_disabled(ctx, "desk", True),
    "operator.signed_in": lambda ctx, market: desk_signs_in(ctx),
    "operator.token_issued": lambda ctx, market: operators.issue_token(ctx, "desk", ["orders:read"]),
    "operator.token_revoked": lambda ctx, market: operators.revoke_token(ctx, market.world.operators["desk"]),
}


@pytest.mark.parametrize("verb", ACTS)
def test_an_act_leaves_a_row(market: Market, verb: str) -> None:
    before = head(market)

    async def scene(ctx: Ctx) -> set[str]:
        await ACTS[verb](replace(ctx, by=By("shell", "7")), market)
        await ctx.db.execute(LINKED)
        return {act.verb for number, act in await audit.list_records(ctx, 10) if number > before.number}

    assert market.operate(scene) == {verb}
    told = market.sql("select actor_kind from audit_record order by id desc limit 1")
    assert told == ("operator" if verb == "operator.signed_in" else "shell")
    assert judged(market, before) == Verdict(head(market).number, head(market), ())
    assert head(market).number == before.number + (2 if verb == "consent.withdrawn" else 1)


def test_what_is_refused_leaves_none(market: Market) -> None:
    before = judged(market)
    with pytest.raises(access.failures.AppUnknown):
        market.operate(lambda ctx: access.disable_app(ctx, "merchant", "0" * 24))
    assert market.operate(lambda ctx: access.revoke_token(ctx, access.new_token())) is False
    assert judged(market) == before


def test_an_act_over_http_names_the_caller_and_his_token(market: Market) -> None:
    shop = market.world.merchants["usd"].account_id
    for told, status in (("0" * 24, 404), (shop, 200)):
        body = f'{{"merchant_id": "{told}"}}'.encode()
        headers = {"content-type": "application/json"}
        answer = market.request("POST", "/api/operator/v1/merchants/suspend", "operator:desk", body, headers)
        assert answer.status == status, answer.body
    query = "select actor_kind, verb, subject, about from audit_record order by id desc limit 2"
    found = market.run(market.connection.fetch(query))
    assert {row["verb"] for row in found} == {"operator.suspend_merchant", "merchant.suspended"}
    assert {row["actor_kind"] for row in found} == {"operator"}
    assert {row["subject"] for row in found} == {shop}
    assert all('"by_token_id": "' in row["about"] for row in found)


def test_secrets_are_struck_out_wherever_they_come_from(market: Market) -> None:
    token = access.new_token()
    market.operate(
        lambda ctx: audit.record(ctx, "test.done", None, note=f"has {token} in it", key="whsec_AAAA+/==")
    )
    told = market.sql("select about from audit_record order by id desc limit 1")
    assert told == '{"key": "***", "note": "has *** in it"}'


@pytest.mark.parametrize(
    "change",
    [
        "update audit_record set {column} = {column} || 'x' where id = {id}",
        "update audit_record set at = at + interval '1 microsecond' where id = {id}",
        "update audit_record set subject = 'somebody' where id = {id}",
        "update audit_link set hash = sha256('x') where record_id = {id}",
        "delete from audit_link where record_id = {id}",
        "delete from audit_link where record_id >= {id}",
        "delete from audit_link where record_id = {id}; delete from audit_record where id = {id}",
        "update audit_link set record_id = -record_id where record_id = {id}",
    ],
)
@pytest.mark.parametrize("column", ["about", "actor", "actor_kind", "client", "verb"])
def test_whoever_changes_the_past_is_found_out(market: Market, change: str, column: str) -> None:
    if "{column}" not in change and column != "about":
        change = f"update audit_record set {column} = {column} || '_' where id = {{id}}"
    market.operate(write_some)
    anchor = head(market)
    assert judged(market, anchor).troubles == ()
    victim = market.sql("select id from audit_record order by id desc offset 2 limit 1")
    market.sql("alter table audit_link drop constraint audit_link_record_id_fkey")
    for statement in change.format(id=victim, column=column).split(";"):
        market.sql(statement)
    assert judged(market, anchor).troubles


def test_a_log_that_was_cut_off_or_made_anew_is_not_the_one_of_the_anchor(market: Market) -> None:
    market.operate(write_some)
    anchor = head(market)
    last = market.sql("select record_id from audit_link order by number desc limit 1")
    market.sql("delete from audit_link where record_id = $1", last)
    market.sql("delete from audit_record where id = $1", last)
    assert judged(market).troubles == ()
    assert judged(market, anchor).troubles == (
        f"the log ends at {anchor.number - 1}, before the anchor's {anchor.number}",
    )
    market.operate(lambda ctx: write_some(ctx, 1))
    assert judged(market).troubles == ()
    assert judged(market, anchor).troubles == (f"link {anchor.number} is not the one of the anchor",)


def test_troubles_without_end_are_told_in_part(market: Market) -> None:
    market.operate(lambda ctx: write_some(ctx, 40))
    market.sql("update audit_record set actor = 'x'")
    assert len(judged(market).troubles) == 21
    assert judged(market).troubles[-1].startswith("and ")


@pytest.mark.parametrize("role", [APP_ROLE, PLATFORM_ROLE])
@pytest.mark.parametrize(
    "statement",
    [
        "update audit_record set verb = 'a.b'",
        "delete from audit_record",
        "truncate audit_record cascade",
        "update audit_link set number = number + 1",
        "delete from audit_link",
        "insert into audit_link values (1000000, 1, sha256('x'))",
        "alter table audit_record disable trigger all",
        "drop table audit_link",
        "select audit_chain()",
    ],
)
def test_neither_role_can_change_a_row(market: Market, role: str, statement: str) -> None:
    async def attempt(ctx: Ctx) -> None:
        await ctx.db.execute(f"set local role {role}")
        await ctx.db.execute(statement)

    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)):
        market.operate(attempt)


def test_the_applications_role_reads_none(market: Market) -> None:
    async def attempt(ctx: Ctx) -> None:
        await ctx.db.execute(f"set local role {APP_ROLE}")
        await ctx.db.fetch("select * from audit_record")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        market.operate(attempt)


@pytest.mark.parametrize("text", ["", "1", "0:" + "0" * 64, "1:" + "g" * 64, "1:" + "0" * 63, "-1:" + "0" * 64])
def test_an_anchor_that_is_none(text: str) -> None:
    with pytest.raises(AnchorUnusable):
        audit.read_anchor(text)


def test_an_anchor_is_read_as_it_is_printed() -> None:
    anchor = Anchor(7, bytes(range(32)))
    assert audit.read_anchor(f" {anchor}\n") == anchor
