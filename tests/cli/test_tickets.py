"""`tradepost ticket`: what buyers ask and support says, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_jobs import NAME, Operator
from tests.support.calls import ORDERS, RINGS, TICKETS
from tests.support.complaints import PICTURE
from tests.support.database import Server
from tests.support.market import World
from tradepost.domain import merchants, tickets
from tradepost.domain.context import Ctx
from tradepost.domain.tickets import Ticket
from tradepost.storage.files_local import LocalFiles


@pytest.fixture
def operator(server: Server, world: World) -> Operator:
    """An operator of a copy of the market."""
    server.clone(NAME)
    return Operator(server, world.merchants["usd"].account_id)


def found(operator: Operator, ticket_id: str) -> Ticket:
    """A ticket as it is now."""

    async def look(ctx: Ctx) -> Ticket:
        return await tickets.find_ticket(await merchants.act_for(ctx, operator.account), ticket_id)

    told: Ticket = operator.act(look)
    return told


def test_a_ticket_from_its_beginning_to_its_end(operator: Operator, world: World, tmp_path: Path) -> None:
    picture = tmp_path / "proof.gif"
    picture.write_bytes(PICTURE)
    shop = operator.account
    opened = operator.told(
        *("ticket", "open", shop, "Onde está?", "Não chegou.", "--order", ORDERS["usd"]["open"]),
        *("--buyer-name", "Rosa", "--buyer-locale", "pt", "--buyer-joined", "2020-01-31", "--label", "ETA"),
        *("--en", "It has not come.", "--refund-reason", "19", "--picture", str(picture)),
    ).strip()
    ticket = found(operator, opened)
    assert (ticket.kind, ticket.label, ticket.buyer.name, ticket.refund_reason) == (
        "post_purchase",
        "ETA",
        "Rosa",
        19,
    )
    (name,) = ticket.replies[0].pictures
    files = LocalFiles(world.files)

    async def size(ctx: Ctx) -> int | None:
        return await files.size(tickets.key_of(shop, opened, name))

    assert operator.act(size) == len(PICTURE)
    assert operator.told("ticket", "answer", shop, opened, "We look.") == "awaiting_merchant\n"
    assert operator.told("ticket", "answer", shop, opened, "Here.", "--as", "merchant") == "awaiting_buyer\n"
    line = next(line for line in operator.told("ticket", "list", shop).splitlines() if opened in line)
    assert line.split()[3:] == ["awaiting_buyer", "post_purchase", "3", "written", "Onde", "está?"]
    assert operator.told("ticket", "close", shop, opened, "--as", "automatic") == "closed\n"
    assert opened in operator.told("ticket", "list", shop, "--state", "closed")
    assert opened not in operator.told("ticket", "list", shop, "--state", "awaiting_buyer")
    assert found(operator, opened).closed_by == "automatic"


def test_a_question_about_a_product(operator: Operator) -> None:
    opened = operator.told(
        "ticket", "open", operator.account, "Gold?", "Is it?", "--product", RINGS["usd"][0]
    ).strip()
    ticket = found(operator, opened)
    assert (ticket.kind, ticket.label, list(ticket.product_ids)) == ("pre_purchase", "Gold?", [RINGS["usd"][0]])


@pytest.mark.parametrize(
    "words",
    [
        ("open", "SHOP", "Subject", "Message"),
        ("open", "SHOP", "Subject", "Message", "--product", RINGS["cny"][0]),
        ("open", "SHOP", "Subject", "", "--product", RINGS["usd"][0]),
        ("open", "SHOP", "Subject", "Message", "--order", "x"),
        ("open", "SHOP", "Subject", "Message", "--order", ORDERS["cny"]["open"]),
        ("open", "SHOP", "Subject", "Message", "--product", RINGS["usd"][0], "--kind", "complaint"),
        ("open", "SHOP", "Subject", "Message", "--product", RINGS["usd"][0], "--picture", __file__),
        ("open", "0" * 24, "Subject", "Message", "--order", "a" * 24),
        ("answer", "SHOP", TICKETS["usd"][3], "Message"),
        ("answer", "SHOP", TICKETS["cny"][0], "Message"),
        ("answer", "SHOP", TICKETS["usd"][0], "Message", "--as", "nobody"),
        ("close", "SHOP", TICKETS["usd"][3]),
        ("close", "SHOP", "0" * 24),
        ("list", "0" * 24),
    ],
    ids=lambda words: " ".join(words[:5]),
)
def test_what_cannot_be_is_refused_in_one_line(operator: Operator, words: tuple[str, ...]) -> None:
    done = operator.run("ticket", *(operator.account if word == "SHOP" else word for word in words))
    assert done.exit_code == 1
    assert str(done.exception).startswith(("Not done. ", "nobody is nobody"))
    assert "\n" not in str(done.exception)
