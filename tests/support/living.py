"""A shop that lives at random, in the program and in the model of `life.py`, and is looked at after every step."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, ClassVar, Final

import msgspec
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.support.database import Server
from tests.support.life import Bought, Shop, Ticket
from tests.support.market import NOW, Market, World, open_market
from tests.support.orders import CANADIAN, RULES
from tradepost.domain import infractions, merchants, orders, tickets
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.orders import Item, Purchase, Scan
from tradepost.domain.tickets import BUYER, Buyer, NewReply, NewTicket
from tradepost.values import Fact

WHO: Final = "usd"
STEPS: Final = 50
"""What one shop lives through."""
SKUS: Final = ("life-a", "life-b", "life-c")
NUMBERS: Final = ("LIFE1", "life1", "LIFE2", "LIFE3")
BUYERS: Final = ("Ann", "Ben")
PRICES: Final = ("1.0", "9.99", "20.5")
STATES: Final = {
    "Awaiting your response": "merchant",
    "Awaiting buyer response": "buyer",
    "Awaiting store response": "store",
    "Closed": "closed",
}
SHIPPING: Final = "2.0"
MOST_DAYS: Final = 12
PICTURE: Final = "https://pictures.example/life.jpg"


class Difference(AssertionError):
    """The program and the model say different things."""


class Life(RuleBasedStateMachine):
    """A shop of the market and its model. What is made later draws from what there is by a number."""

    place: ClassVar[tuple[Server, World, asyncio.Runner]]
    seen: ClassVar[Counter[str]] = Counter()
    differences: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__()
        self._left = ExitStack()
        self.market: Market = self._left.enter_context(open_market(*self.place))
        self.model = Shop(NOW)
        self.log: list[str] = []
        self.products: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def teardown(self) -> None:
        self._left.close()

    @initialize()
    def open(self) -> None:
        """Somebody has bought something here, and asks where it is."""
        self._add(SKUS[0], "9.99", 5)
        self._buy(SKUS[0], 1, BUYERS[0])
        self._ask(0)

    # -- goods

    @rule(sku=st.sampled_from(SKUS), price=st.sampled_from(PRICES), pieces=st.integers(0, 5))
    def add_product(self, sku: str, price: str, pieces: int) -> None:
        self._add(sku, price, pieces)

    def _add(self, sku: str, price: str, pieces: int) -> None:
        parent = f"life-parent-{next(self._numbers)}"
        form = {"name": "Life", "description": "Lived.", "parent_sku": parent, "main_image": PICTURE, "sku": sku}
        given = {"price": price, "inventory": pieces, "shipping": SHIPPING, "color": f"c{next(self._numbers)}"}
        answer = self._does("product/add", self.model.add(parent, sku, price, pieces), **form, **given)
        if answer is not None:
            self.products[parent] = answer["Product"]["id"]

    @rule(at=st.integers(0), sku=st.sampled_from(SKUS), price=st.sampled_from(PRICES), pieces=st.integers(0, 5))
    def add_variation(self, at: int, sku: str, price: str, pieces: int) -> None:
        parent = sorted(self.products)[at % len(self.products)] if self.products else None
        if parent is not None:
            given = {"price": price, "inventory": pieces, "shipping": SHIPPING, "color": f"c{next(self._numbers)}"}
            expected = self.model.add(parent, sku, price, pieces)
            self._does("variant/add", expected, parent_sku=parent, sku=sku, **given)

    @rule(sku=st.sampled_from(SKUS), price=st.sampled_from(PRICES), pieces=st.none() | st.integers(0, 5))
    def update_variation(self, sku: str, price: str, pieces: int | None) -> None:
        more = {} if pieces is None else {"inventory": pieces}
        self._does("variant/update", self.model.set(sku, price, pieces), sku=sku, price=price, **more)

    @rule(sku=st.sampled_from(SKUS), pieces=st.integers(0, 5))
    def set_stock(self, sku: str, pieces: int) -> None:
        self._does("variant/update-inventory", self.model.set(sku, pieces=pieces), sku=sku, inventory=pieces)

    @rule(sku=st.sampled_from(SKUS), enabled=st.booleans())
    def switch(self, sku: str, enabled: bool) -> None:
        verb = "enable" if enabled else "disable"
        self._does(f"variant/{verb}", self.model.set(sku, enabled=enabled), sku=sku)

    @rule(sku=st.sampled_from(SKUS), new=st.sampled_from(SKUS))
    def rename(self, sku: str, new: str) -> None:
        if sku != new:
            self._does("variant/change-sku", self.model.rename(sku, new), sku=sku, new_sku=new)

    @precondition(lambda self: len(self.products) > 1)
    @rule(at=st.integers(0))
    def remove_product(self, at: int) -> None:
        parent = sorted(self.products)[at % len(self.products)]
        self._does("product/remove", self.model.remove(parent), id=self.products.pop(parent))

    # -- orders

    @rule(sku=st.sampled_from(SKUS), pieces=st.integers(1, 3), buyer=st.sampled_from(BUYERS))
    def buy(self, sku: str, pieces: int, buyer: str) -> None:
        self._buy(sku, pieces, buyer)

    def _buy(self, sku: str, pieces: int, buyer: str) -> None:
        address = msgspec.structs.replace(CANADIAN, recipient=buyer)
        price = self.model.goods[sku].price if sku in self.model.goods else ""
        expected = self.model.buys(sku, pieces)
        purchase = Purchase(items=[Item(sku, pieces)], address=address)
        placed = self._acts("buy", expected, lambda ctx: orders.place_order(ctx, purchase, RULES), sku, pieces)
        if placed is not None:
            self.model.orders[placed.order_ids[0]] = Bought(sku, pieces, price, buyer, self.model.now)

    @rule(at=st.integers(0), number=st.sampled_from(NUMBERS))
    def fulfil(self, at: int, number: str) -> None:
        if order_id := self._order(at):
            expected = self.model.ship(order_id, number)
            form = {"tracking_provider": "USPS", "tracking_number": number}
            self._does("order/fulfill-one", expected, id=order_id, **form)

    @rule(at=st.integers(0), number=st.sampled_from(NUMBERS))
    def modify_tracking(self, at: int, number: str) -> None:
        if order_id := self._order(at):
            expected = self.model.renumber(order_id, number)
            form = {"tracking_provider": "USPS", "tracking_number": number}
            self._does("order/modify-tracking", expected, id=order_id, **form)

    @rule(at=st.integers(0), unable=st.booleans())
    def refund(self, at: int, unable: bool) -> None:
        if order_id := self._order(at):
            expected = self.model.refund(order_id, unable)
            self._does("order/refund", expected, id=order_id, reason_code="1" if unable else "25")

    @rule(at=st.integers(0), place=st.sampled_from(("home", "away")))
    def change_address(self, at: int, place: str) -> None:
        if order_id := self._order(at):
            street = CANADIAN.street_address1 if place == "home" else "2 Rue Autre"
            form = {"street_address1": street, "city": CANADIAN.city, "state": "QC", "zipcode": "H2Y 1A1"}
            expected = self.model.send_elsewhere(order_id, place)
            self._does("order/change-shipping", expected, id=order_id, country="CA", **form)

    @rule(at=st.integers(0))
    def cancel_tracking(self, at: int) -> None:
        if order_id := self._order(at):
            expected = self.model.take_back(order_id)
            self._acts("cancel tracking", expected, lambda ctx: orders.cancel_tracking(ctx, order_id), order_id)

    @rule(number=st.sampled_from(NUMBERS), kind=st.sampled_from(("accepted", "delivered")))
    def scan(self, number: str, kind: str) -> None:
        scan = Scan(kind, self.model.now)
        self._acts("scan", self.model.scan(number), lambda ctx: orders.record_scan(ctx, number, scan), number)

    @precondition(lambda self: self.model.now - NOW < timedelta(days=MOST_DAYS))
    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        self.model.wait(days)
        self._note(f"{days} days pass")
        self.market.sql("update world_clock set fixed_at = $1", self.model.now)
        self.market.operate(_refund_late, self.model.now)
        self._look()

    # -- tickets

    @rule(at=st.integers(0))
    def ask(self, at: int) -> None:
        self._ask(at)

    def _ask(self, at: int) -> None:
        order_id = self._order(at)
        if order_id is None or len(self.model.tickets) == 3:
            return
        buyer = Buyer("60a4d0ca0000000000000009", "Ann", NOW, "en")
        asked = NewTicket(
            kind="post_purchase",
            buyer=buyer,
            subject="Where?",
            label="Where?",
            first=NewReply(message="Where?"),
            order_ids=[order_id],
        )
        opened = self._acts("ask", True, lambda ctx: tickets.open_ticket(ctx, asked), order_id)
        self.model.tickets[opened] = Ticket(written=[("user", "Where?")])
        self._look()

    @rule(at=st.integers(0), verb=st.sampled_from(("reply", "close", "appeal-to-wish-support", "re-open")))
    def answer(self, at: int, verb: str) -> None:
        if ticket_id := self._ticket(at):
            message = f"m{next(self._numbers)}" if verb.startswith("re") else None
            more = {} if message is None else {"reply": message}
            self._does(f"ticket/{verb}", self.model.turn(ticket_id, verb, message), id=ticket_id, **more)

    @rule(at=st.integers(0))
    def buyer_writes(self, at: int) -> None:
        if ticket_id := self._ticket(at):
            message = f"b{next(self._numbers)}"
            self.model.turn(ticket_id, "buyer writes", message)
            reply = NewReply(message=message)
            self._acts("buyer writes", True, lambda ctx: tickets.answer_ticket(ctx, ticket_id, BUYER, reply))

    # -- doing and looking

    def _order(self, at: int) -> str | None:
        ids = list(self.model.orders)
        return ids[at % len(ids)] if ids else None

    def _ticket(self, at: int) -> str | None:
        ids = list(self.model.tickets)
        return ids[at % len(ids)] if ids else None

    def _note(self, what: str) -> None:
        self.log.append(what)
        type(self).seen[what.split(" ")[0]] += 1
        type(self).seen["steps"] += 1

    def _does(self, path: str, expected: int, **form: object) -> Any:
        """A call of the merchant's; gives its data if it was to succeed."""
        self._note(f"{path} {form}")
        answer = self.market.post(f"/api/v2/{path}", WHO, **form)
        if answer.code != expected:
            self._differ(f"{expected} was to come, and {answer.body.decode()} came")
        self._look()
        return answer.data if answer.code == 0 else None

    def _acts(self, what: str, expected: bool, verb: Callable[[MerchantCtx], Any], *about: object) -> Any:
        """What somebody else does; gives what comes of it if it was to succeed."""
        self._note(f"{what} {about}")

        async def within(ctx: Ctx) -> Any:
            acting = await merchants.act_for(ctx, self.market.world.merchants[WHO].account_id)
            savepoint = self.market.connection.transaction()
            await savepoint.start()
            try:
                done = await verb(MerchantCtx(db=acting.db, now=acting.now, actor=acting.actor))
            except Fact as fact:
                await savepoint.rollback()
                return fact
            await savepoint.commit()
            return done

        came = self.market.operate(within, self.model.now)
        if isinstance(came, Fact) is expected:
            self._differ(f"{'success' if expected else 'a refusal'} was to come, and {came!r} came")
        if what not in ("buy", "ask"):
            self._look()
        return None if isinstance(came, Fact) else came

    def _differ(self, what: str) -> None:
        self.differences.append(" | ".join([*self.log[-STEPS:], what]))
        raise Difference(self.differences[-1])

    def _same(self, what: str, told: object, model: object) -> None:
        if told != model:
            self._differ(f"{what}: {told} is told, {model} is so")

    def _look(self) -> None:
        """Everything that can be read."""
        for sku in SKUS:
            self._look_at_goods(sku)
        listed = self._read("order/multi-get", limit=500)
        mine = {one["Order"]["order_id"]: one["Order"] for one in listed if one["Order"]["order_id"] in self._known}
        self._same("orders", set(mine), set(self.model.orders))
        for order_id, order in self.model.orders.items():
            self._same(order_id, _told_order(mine[order_id]), _model_order(order))
        waiting = [one["Order"]["order_id"] for one in self._read("order/get-fulfill", limit=500)]
        self._same("to fulfil", [each for each in waiting if each in self._known], self.model.waiting())
        for ticket_id, ticket in self.model.tickets.items():
            told = self._read("ticket", id=ticket_id)["Ticket"]
            written = [(one["Reply"]["sender"], one["Reply"]["message"]) for one in told["replies"]]
            self._same(ticket_id, (STATES[told["state"]], written), (ticket.turn, ticket.written))
        awaiting = {one["Ticket"]["id"] for one in self._read("ticket/get-action-required", limit=500)}
        mine_now = {each for each, ticket in self.model.tickets.items() if ticket.turn == "merchant"}
        self._same("awaiting", awaiting & set(self.model.tickets), mine_now)

    @property
    def _known(self) -> set[str]:
        return set(self.model.orders)

    def _look_at_goods(self, sku: str) -> None:
        answer = self.market.get("/api/v2/variant", WHO, sku=sku)
        goods = self.model.goods.get(sku)
        if goods is None:
            self._same(sku, answer.code, 1004)
            return
        told = answer.data["Variant"]
        model = (goods.price, str(goods.pieces), "True" if goods.enabled else "False")
        self._same(sku, (told["price"], told["inventory"], told["enabled"]), model)

    def _read(self, path: str, **query: object) -> Any:
        answer = self.market.get(f"/api/v2/{path}", WHO, **query)
        if answer.code != 0:
            self._differ(f"{path} {query}: {answer.body.decode()}")
        return answer.data


async def _refund_late(ctx: Ctx) -> int:
    return await infractions.refund_late_orders(Ctx(db=ctx.db, now=ctx.now, actor=None))


def _told_order(order: Mapping[str, Any]) -> dict[str, Any]:
    names = ("state", "sku", "quantity", "price", "shipping", "order_time", "tracking_number", "refunded_by")
    told = {name: order.get(name) for name in names}
    return {**told, "confirmed": order.get("tracking_confirmed", "False")}


def _model_order(order: Bought) -> dict[str, Any]:
    return {
        "state": order.state,
        "sku": order.sku,
        "quantity": str(order.pieces),
        "price": order.price,
        "shipping": SHIPPING,
        "order_time": f"{order.placed:%Y-%m-%dT%H:%M:%S}",
        "tracking_number": order.number,
        "refunded_by": order.refunded_by,
        "confirmed": str(order.confirmed),
    }


def alone(place: tuple[Server, World, asyncio.Runner], steps: int, number: int) -> tuple[str | None, Counter[str]]:
    """At least so many steps of one caller; gives what differed, if anything did, and what was done."""
    seen: Counter[str] = Counter()
    while seen["steps"] < steps:
        differences: list[str] = []
        life = seed(number)(type("Life", (Life,), {"place": place, "seen": seen, "differences": differences}))
        shops = max(1, (steps - seen["steps"]) // STEPS)
        chosen = settings(
            max_examples=shops,
            stateful_step_count=STEPS,
            phases=(Phase.generate,),
            deadline=None,
            database=None,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(life, settings=chosen)
        except (Difference, Flaky):  # what depends on the moment may be gone when it is tried once more
            return differences[0], seen
        number += 1
    return None, seen
