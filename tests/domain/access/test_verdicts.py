"""Verdicts on apps that several operators give at the same time, on connections of their own."""

from __future__ import annotations

from tests.support.database import Server
from tests.support.market import World
from tests.support.together import Shop
from tradepost.domain import access
from tradepost.domain.access import NewApp
from tradepost.domain.context import Ctx, MerchantCtx

CLONE = "verdicts_together"


async def the_same(ctx: Ctx, _: str) -> Ctx:
    """An operator acts for nobody."""
    return ctx


def test_of_several_who_say_the_same_one_is_told(server: Server, world: World) -> None:
    server.clone(CLONE)
    desk = Shop(server, CLONE, "", the_same)
    developer = world.merchants["usd"].account_id

    async def add(ctx: MerchantCtx) -> str:
        app_id, _ = await access.add_app(ctx, "merchant", NewApp("Connector", ("https://connector.example/back",)))
        await ctx.db.execute("update app set developer_id = $2 where id = $1", app_id, developer)
        return app_id

    app_id: str = desk.ask(add)
    for verb in (
        lambda ctx: access.refuse_app(ctx, "merchant", app_id, "Who are you?"),
        lambda ctx: access.verify_app(ctx, "merchant", app_id),
    ):
        assert desk.at_once(*[verb] * 8) == [None] * 8
    told = desk.ask(lambda ctx: ctx.db.fetch("select topic from event where topic = any($1)", access.JUDGED_TOPICS))
    assert sorted(row["topic"] for row in told) == sorted(access.JUDGED_TOPICS)
