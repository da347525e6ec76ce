"""R05: a hundred callers fulfil one order at the same moment, each with a number of his own.

    python -m tests.whole.test_fulfil_once --size full --seed 7

Each order is for one of four crowds: everybody ships it; half of them say instead that they cannot; some refund
it for damage while its buyer cancels it with the marketplace; half of them send it elsewhere. Callers speak HTTP to
two server processes, over connections that are open before; the buyer is an operation beside them. A trigger notes
every move of an order, in the order in which they took place.

Wrong is: more or fewer moves than successes that were told, a move that no order may make, more than one parcel, a
number that nobody was told, an event too many or too few, and a refusal that is not one of a state.

The mutant looks at an order without taking it.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from tests.support.jobs import Auditor, Figure, Finding, ask, auditing
from tests.support.program import Client, Program, serving
from tradepost.domain import merchants, orders
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.orders import BY_CUSTOMER, Address, Item, OrderRules, Purchase, RefundWish
from tradepost.domain.orders.failures import OrderRefunded
from tradepost.storage.database import PLATFORM_ROLE, Database

CALLERS: Final = 100
CANCELLERS: Final = 8
LIMITS: Final = '{"merchant/default": 1000000}'
SKU: Final = "wanted-by-all"
UNABLE, DAMAGED = "1", "25"
FULFIL, REFUND, ADDRESS = "fulfill-one", "refund", "change-shipping"
MOVES: Final = {
    ("approved", "shipped"): FULFIL,
    ("approved", "refunded"): REFUND,
    ("shipped", "refunded"): REFUND,
    ("approved", "approved"): ADDRESS,
}
TOPICS: Final = {"order_shipped": FULFIL, "order_refunded": REFUND, "order_address_changed": ADDRESS}
BUYER: Final = Address(recipient="?", street_address1="1 Street", city="Rogers", country="US", zipcode="72756")
ELSEWHERE: Final = {"street_address1": "2 Street", "city": "Bend", "zipcode": "97701", "country": "US"}

_WATCH = """
create table tradepost.order_move (number bigserial, order_id text, before text, after text, same_number boolean);
create function tradepost.note_order_move() returns trigger language plpgsql security definer as $$
begin
    insert into tradepost.order_move (order_id, before, after, same_number)
    values (new.id, old.state, new.state, new.tracking_number is not distinct from old.tracking_number);
    return null;
end $$;
create trigger note_order_move after update on tradepost.orders
    for each row execute function tradepost.note_order_move();
"""
_MOVES = "select before, after, same_number from order_move where order_id = $1 order by number"
_EVENTS = "select topic from event where about ->> 'order_id' = $1"
_PARCELS = "select count(*) from parcel_tracking where starts_with(number, $1)"
_REFUNDS = "select count(*) from order_refund where order_id = $1"


@dataclass
class Crowd:
    """What callers want of one order."""

    calls: list[tuple[str, dict[str, str]]]
    cancellers: int = 0
    ends: tuple[str, ...] = ("shipped",)
    """The states that the order may end in."""


@dataclass
class Came:
    """What was answered about one order: successes by verb, the number of the one that shipped, odd refusals."""

    done: Counter[str] = field(default_factory=Counter)
    numbers: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kept:
    """What the database says of one order."""

    moves: Sequence[tuple[str, str, bool]]
    topics: Sequence[str]
    state: str
    number: str | None
    parcels: int
    refunds: int


def crowd(kind: int, order_id: str, prefix: str, source: random.Random) -> Crowd:
    """A crowd of the kind, in any order."""
    ships = [
        (FULFIL, {"tracking_provider": "USPS", "tracking_number": f"{prefix}N{number}", "id": order_id})
        for number in range(CALLERS)
    ]
    half = CALLERS // 2
    made = [
        Crowd(ships),
        Crowd(
            ships[:half] + [(REFUND, {"id": order_id, "reason_code": UNABLE})] * half, 0, ("shipped", "refunded")
        ),
        Crowd(
            ships[:half] + [(REFUND, {"id": order_id, "reason_code": DAMAGED})] * half, CANCELLERS, ("refunded",)
        ),
        Crowd(ships[:half] + [(ADDRESS, {"id": order_id, **ELSEWHERE})] * half),
    ][kind]
    source.shuffle(made.calls)
    return made


def judge(wanted: Crowd, came: Came, kept: Kept) -> list[str]:
    """What is wrong with what became of an order."""
    wrong = list(came.odd)
    moved: Counter[str] = Counter()
    state = "approved"
    for before, after, same_number in kept.moves:
        verb = MOVES.get((before, after))
        if before != state or verb is None:
            wrong.append(f"{state} became {after} out of {before}")
        if (verb == FULFIL) == same_number:
            wrong.append(f"{before} became {after} and its number {'stayed' if same_number else 'changed'}")
        moved[verb or "nothing"] += 1
        state = after
    if kept.state != state or state not in wanted.ends:
        wrong.append(f"it ended as {kept.state}, after {state}")
    if moved != came.done:
        wrong.append(f"told was {dict(came.done)}, and {dict(moved)} took place")
    told = Counter(TOPICS[topic] for topic in kept.topics if topic in TOPICS)
    if told != moved:
        wrong.append(f"events tell of {dict(told)}, and {dict(moved)} took place")
    if moved[FULFIL] > 1 or moved[REFUND] > 1:
        wrong.append(f"{dict(moved)} of one order")
    if came.numbers != ([] if kept.number is None else [kept.number]):
        wrong.append(f"{came.numbers} were told to be its number, which is {kept.number}")
    if kept.parcels != moved[FULFIL] or kept.refunds != moved[REFUND]:
        wrong.append(f"{kept.parcels} parcels and {kept.refunds} refunds, where {dict(moved)} took place")
    return wrong


class Crew:
    """Open connections to the server processes, each of which sends one call when all of them do."""

    def __init__(self, running: Program, token: str) -> None:
        self._running = running
        self._token = token
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.servers: set[int] = set()

    async def open(self) -> None:
        """Connect, and find out who serves each connection."""
        place = urlsplit(self._running.merchant)
        for _ in range(CALLERS):
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            self._open.append((reader, writer))
            await self._answer(reader, writer, b"GET /livez HTTP/1.1\r\nHost: shop.example\r\n\r\n")
            server = self._running.server_on(writer.get_extra_info("sockname")[1])
            self.servers |= {server} if server else set()

    def close(self) -> None:
        """Close all of them."""
        for _, writer in self._open:
            writer.close()

    async def all_at_once(self, calls: Sequence[tuple[str, Mapping[str, str]]]) -> tuple[list[Any], bool]:
        """The answers to calls that were all sent before the first was answered, and whether that was so."""
        sent: list[float] = []
        heard: list[float] = []

        async def one(number: int) -> tuple[int, Any]:
            verb, form = calls[number]
            body = urlencode(form).encode()
            head = (
                f"POST /api/v2/order/{verb} HTTP/1.1\r\nHost: shop.example\r\n"
                f"Authorization: Bearer {self._token}\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            sent.append(time.perf_counter())
            answer = await self._answer(*self._open[number], head.encode() + body)
            heard.append(time.perf_counter())
            return answer

        answers = await asyncio.gather(*(one(number) for number in range(len(calls))))
        return answers, max(sent) < min(heard)

    @staticmethod
    async def _answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
    ) -> tuple[int, Any]:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        return int(head.split(b" ", 2)[1]), json.loads(body) if body.startswith(b"{") else None


class Rush:
    """A shop, its orders, and the crowds that come for them."""

    def __init__(self, running: Program, auditor: Auditor, seed: int) -> None:
        self._auditor = auditor
        self._source = random.Random(seed)
        self._member = running.credentials()["merchants"][0]
        self._running = running
        self._database = Database(
            running.embedded.connection(PLATFORM_ROLE, "tradepost"), PLATFORM_ROLE, most=CANCELLERS
        )
        self.crew = Crew(running, self._member["access_token"])
        self.overlapped = 0

    def run(self, count: int, loop: asyncio.Runner) -> list[str]:
        """So many orders; gives what was wrong."""
        wrong = []
        for number, order_id in enumerate(loop.run(self._begin(count))):
            prefix = f"R{number}X"
            wanted = crowd(number % 4, order_id, prefix, self._source)
            came = loop.run(self._come(order_id, wanted))
            found = judge(wanted, came, self._kept(order_id, prefix))
            wrong += [f"order {number + 1}: {each}" for each in found]
        loop.run(self._end())
        return wrong

    async def _end(self) -> None:
        self.crew.close()
        await self._database.close()

    async def _begin(self, count: int) -> list[str]:
        """Open everything; gives orders of as many buyers."""
        await self._database.open()
        await self.crew.open()
        made: list[str] = []
        for number in range(count):
            address = msgspec.structs.replace(BUYER, recipient=f"Buyer {number}")
            purchase = Purchase(items=[Item(SKU)], address=address)
            async with self._database.acting_for(self._member["id"]) as connection:
                placed = await orders.place_order(await self._acting(connection), purchase, OrderRules())
            made += placed.order_ids
        return made

    async def _come(self, order_id: str, wanted: Crowd) -> Came:
        (answers, together), *cancelled = await asyncio.gather(
            self.crew.all_at_once(wanted.calls), *(self._cancel(order_id) for _ in range(wanted.cancellers))
        )
        self.overlapped += together
        came = Came()
        came.done[REFUND] += sum(cancelled)
        for (verb, form), (status, answer) in zip(wanted.calls, answers, strict=True):
            if (status, answer["code"]) == (200, 0):
                came.done[verb] += 1
                came.numbers += [form["tracking_number"]] if verb == FULFIL else []
            elif not _is_of_a_state(answer, order_id, form.get("reason_code")) or status != 400:
                came.odd.append(f"{verb}: {status} {answer}")
        came.done = +came.done
        return came

    async def _cancel(self, order_id: str) -> bool:
        try:
            async with self._database.acting_for(self._member["id"]) as connection:
                wish = RefundWish(BY_CUSTOMER, "Customer cancelled the order")
                await orders.refund_for(await self._acting(connection), order_id, wish)
        except OrderRefunded:
            return False
        return True

    async def _acting(self, connection: Any) -> MerchantCtx:
        now = await connection.fetchval("select world_now()")
        return await merchants.act_for(Ctx(db=connection, now=now, actor=None), self._member["id"])

    def _kept(self, order_id: str, prefix: str) -> Kept:
        ask_for = self._auditor
        (order,) = ask_for.rows("select state, tracking_number from orders where id = $1", order_id)
        return Kept(
            moves=[tuple(row) for row in ask_for.rows(_MOVES, order_id)],
            topics=[row["topic"] for row in ask_for.rows(_EVENTS, order_id)],
            state=order["state"],
            number=order["tracking_number"],
            parcels=ask_for.value(_PARCELS, prefix),
            refunds=ask_for.value(_REFUNDS, order_id),
        )


def _is_of_a_state(answer: Mapping[str, Any], order_id: str, reason: str | None) -> bool:
    """Whether a refusal is about the order's state; "unable to" is refused by its reason once it is shipped."""
    return (answer["code"], answer["data"]) in ((1002, order_id), (1000, "reason_code" if reason == UNABLE else ""))


def run(count: int, seed: int, spoiled: str | None) -> Finding:
    """So many orders in one shop."""
    with serving("--workers", "2", spoiled=spoiled, rate_limits=LIMITS) as running, auditing(running) as auditor:
        rush = Rush(running, auditor, seed)
        member = running.credentials()["merchants"][0]
        with Client(running.merchant, member["access_token"]) as client:
            ask(
                client,
                "product/add",
                name="What everybody wants",
                description="There are enough.",
                sku=SKU,
                inventory=100_000,
                price=10,
                shipping=2,
                main_image="https://pictures.example/wanted.jpg",
            )
        auditor.run(_WATCH)
        with asyncio.Runner() as loop:
            wrong = rush.run(count, loop)
        assert running.stop() == 0
    told = {
        "n": f"{CALLERS}x{count}",
        "servers": len(rush.crew.servers),
        "overlapped": rush.overlapped,
        "bound95": f"{3 / count:.3f}/order",
    }
    return Finding(wrong, rush.overlapped > count // 2 and len(rush.crew.servers) == 2, told)


FIGURE = Figure("R05", "wrong-about-an-order", run, {"smoke": 20, "full": 500}, mutant="orders_unheld")


# -- tests


def test_an_order_is_fulfilled_once() -> None:
    seed = random.randrange(1 << 16)
    found = run(8, seed, None)
    print(seed, found.told)
    assert found.wrong == []
    assert found.tried


def test_the_judge_sees_two_parcels_and_untold_moves() -> None:
    wanted, came = Crowd([]), Came(Counter({FULFIL: 1}), ["N1"])
    ship = ("approved", "shipped", False)

    def kept(**other: Any) -> Kept:
        usual = {"moves": [ship], "topics": ["order_shipped"], "state": "shipped", "number": "N1"}
        return Kept(**{**usual, "parcels": 1, "refunds": 0, **other})

    assert judge(wanted, came, kept()) == []
    assert judge(wanted, Came(Counter({FULFIL: 2}), ["N1", "N2"]), kept()), "two were told that they shipped it"
    again = [ship, ("shipped", "shipped", False)]
    assert judge(wanted, came, kept(moves=again)), "a second shipment over the first"
    assert judge(wanted, came, kept(topics=["order_shipped"] * 2)), "an event too many"
    assert judge(wanted, came, kept(topics=[])), "an event too few"
    assert judge(wanted, came, kept(parcels=2)), "a number that was claimed for nothing"
    assert judge(wanted, came, kept(number="N2")), "a number that nobody was told"
    back = [ship, ("shipped", "approved", True)]
    assert judge(wanted, came, kept(moves=back, state="approved")), "a move that there is not"


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))
