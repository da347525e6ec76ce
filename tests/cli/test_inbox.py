"""`tradepost announce`, `notify` and `infraction`: what an operator says to merchants."""

from __future__ import annotations

import pytest

from tests.cli.test_jobs import NAME, Operator
from tests.support.calls import INFRACTIONS, RINGS
from tests.support.database import Server
from tests.support.market import World
from tradepost.domain.context import Ctx

TITLES = """
    select coalesce(about->>'title', topic) from notification
     where merchant_id = $1 and viewed_at is null order by created_at desc, id
"""


@pytest.fixture
def operator(server: Server, world: World) -> Operator:
    """An operator of a copy of the market whose merchants have seen everything."""
    server.clone(NAME)
    made = Operator(server, world.merchants["usd"].account_id)
    made.act(lambda ctx: ctx.db.execute("update notification set viewed_at = now()"))
    return made


def told(operator: Operator) -> list[str]:
    """What the merchant hears of now."""

    async def look(ctx: Ctx) -> list[str]:
        return [row[0] for row in await ctx.db.fetch(TITLES, operator.account)]

    return list(operator.act(look))


def test_announcements_and_messages(operator: Operator) -> None:
    assert operator.told("announce", "message", "All", "Text", "--from", "Tracy") == "told 3 shops\n"
    only = ("--from", "Tracy", "--manager-id", "a" * 24, "--to", operator.account)
    assert operator.told("announce", "message", "One", "Text", *only) == "told 1 shops\n"
    update = operator.told(
        *("announce", "update", "News", "Text", "--category", "API", "--category", "ORDERS", "--important"),
        *("--action", "Do it", "--action-at", "2022-01-10T12:00", "--cn-title", "新闻", "--program", "X"),
    )
    assert len(update.strip()) == 24
    assert (
        len(operator.told("notify", operator.account, "Hello", "Text", "--link", "https://x.example").strip()) == 24
    )
    assert sorted(told(operator)) == ["All", "Hello", "News", "One"]


def test_an_infraction_from_its_issue_to_its_end(operator: Operator) -> None:
    shop = operator.account
    proof = f"PRODUCT:{RINGS['usd'][0]}:The size: wrong"
    issued = operator.told("infraction", "issue", shop, "Misleading", "--fine", "12.50", "--proof", proof).strip()
    assert operator.told("infraction", "answer", shop, issued, "It fits.", "--as-merchant") == "AWAITING_ADMIN\n"
    assert operator.told("infraction", "answer", shop, issued, "Show it.") == "AWAITING_MERCHANT\n"
    (line,) = [found for found in operator.told("infraction", "list", shop).splitlines() if issued in found]
    assert line.split()[2:] == ["AWAITING_MERCHANT", "12.5", "USD", "Misleading"]
    assert operator.told("infraction", "close", shop, issued, "--waive") == "CLOSED\n"
    assert issued not in operator.told("infraction", "list", shop, "--stage", "1")
    assert issued in operator.told("infraction", "list", shop, "--stage", "3")
    assert sorted(told(operator)) == ["infraction_answered", "infraction_closed", "infraction_fined"]


@pytest.mark.parametrize(
    "words",
    [
        ("announce", "message", "", "Text", "--from", "Tracy"),
        ("announce", "message", "Title", "Text", "--from", "Tracy", "--manager-id", "me"),
        ("announce", "update", "Title", "Text", "--category", "NOTHING"),
        ("notify", "0" * 24, "Title", "Text"),
        ("notify", "SHOP", "Title", " "),
        ("infraction", "issue", "0" * 24, "Reason"),
        ("infraction", "issue", "SHOP", "Reason", "--fine", "x"),
        ("infraction", "issue", "SHOP", "Reason", "--fine", "-1"),
        ("infraction", "issue", "SHOP", "Reason", "--fine", "NaN"),
        ("infraction", "issue", "SHOP", "Reason", "--proof", "PRODUCT"),
        ("infraction", "issue", "SHOP", "Reason", "--proof", f"SHOE:{'a' * 24}"),
        ("infraction", "answer", "SHOP", "0" * 24, "Text"),
        ("infraction", "close", "SHOP", INFRACTIONS["usd"][2]),
        ("infraction", "close", "SHOP", INFRACTIONS["cny"][0]),
        ("infraction", "list", "0" * 24),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused_in_one_line(operator: Operator, words: tuple[str, ...]) -> None:
    done = operator.run(*(operator.account if word == "SHOP" else word for word in words))
    assert done.exit_code == 1
    assert str(done.exception).startswith("Not done. ") or str(done.exception) == "x is no amount."
    assert "\n" not in str(done.exception)
    assert told(operator) == []
