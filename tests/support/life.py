"""A shop's life once more and differently: goods, orders, parcels and tickets as dictionaries and a few rules.

Nothing of the program is looked at here. Each verb gives what has to be answered: 0, or the code of the refusal;
where it is 0 it has happened. What the references leave open is as docs/api-design.md has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAYS_TO_SHIP = timedelta(days=5)
DAYS_OF_A_PARCEL = timedelta(days=5)
DAYS_TO_TAKE_BACK = timedelta(days=25)
WRONG, MISSING, FORBIDDEN, NOT_THERE = 1000, 1001, 1002, 1004

# Whose turn a ticket is after somebody did something; what is not here is refused.
TURNS = {
    ("buyer writes", "merchant"): "merchant",
    ("buyer writes", "buyer"): "merchant",
    ("buyer writes", "store"): "store",
    ("buyer writes", "closed"): "merchant",
    ("reply", "merchant"): "buyer",
    ("reply", "buyer"): "buyer",
    ("reply", "store"): "store",
    ("close", "merchant"): "closed",
    ("close", "buyer"): "closed",
    ("close", "store"): "closed",
    ("appeal-to-wish-support", "merchant"): "store",
    ("appeal-to-wish-support", "buyer"): "store",
    ("re-open", "closed"): "buyer",
}


@dataclass
class Goods:
    """What is sold under a SKU."""

    product: str
    price: str
    pieces: int
    enabled: bool = True


@dataclass
class Bought:
    """An order."""

    sku: str
    pieces: int
    price: str
    buyer: str
    placed: datetime
    place: str = "home"
    state: str = "APPROVED"
    number: str | None = None
    shipped: datetime | None = None
    confirmed: bool = False
    refunded_by: str | None = None


@dataclass
class Parcel:
    """A tracking number, whose it is, and when its orders were bought."""

    whose: tuple[str, str]
    first: datetime
    last: datetime
    seen: bool = False


@dataclass
class Ticket:
    """Whose turn it is, and everything that was written."""

    turn: str = "merchant"
    written: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Shop:
    """Everything, by SKU, by id and by number in capitals; `now` is the time of the world."""

    now: datetime
    goods: dict[str, Goods] = field(default_factory=dict)
    orders: dict[str, Bought] = field(default_factory=dict)
    parcels: dict[str, Parcel] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)

    # -- goods

    def add(self, product: str, sku: str, price: str, pieces: int) -> int:
        """A product of one SKU, or one SKU more of a product."""
        if sku in self.goods:
            return WRONG
        self.goods[sku] = Goods(product, price, pieces)
        return 0

    def rename(self, sku: str, new: str) -> int:
        """Another SKU for the same goods."""
        if sku not in self.goods:
            return NOT_THERE
        if new in self.goods and new != sku:
            return WRONG
        self.goods[new] = self.goods.pop(sku)
        return 0

    def set(
        self, sku: str, price: str | None = None, pieces: int | None = None, enabled: bool | None = None
    ) -> int:
        """Say some of it anew."""
        if sku not in self.goods:
            return NOT_THERE
        goods = self.goods[sku]
        goods.price = goods.price if price is None else price
        goods.pieces = goods.pieces if pieces is None else pieces
        goods.enabled = goods.enabled if enabled is None else enabled
        return 0

    def remove(self, product: str) -> int:
        """A product goes with all that is of it; orders stay."""
        self.goods = {sku: goods for sku, goods in self.goods.items() if goods.product != product}
        return 0

    # -- orders

    def buys(self, sku: str, pieces: int) -> bool:
        """Whether a buyer gets so many, who then has taken them."""
        goods = self.goods.get(sku)
        if goods is None or not goods.enabled or goods.pieces < pieces:
            return False
        goods.pieces -= pieces
        return True

    def ship(self, order_id: str, number: str) -> int:
        """An order goes off under a number."""
        order = self.orders[order_id]
        if order.state != "APPROVED":
            return FORBIDDEN
        if not self._claim(order, number):
            return WRONG
        order.state, order.shipped = "SHIPPED", self.now
        return 0

    def renumber(self, order_id: str, number: str) -> int:
        """It went off under another number."""
        order = self.orders[order_id]
        if order.state != "SHIPPED" or order.confirmed:
            return FORBIDDEN
        if order.number is not None and order.number.upper() == number.upper():
            order.number = number
            return 0
        return 0 if self._claim(order, number) else WRONG

    def _claim(self, order: Bought, number: str) -> bool:
        whose = (order.buyer, order.place)
        parcel = self.parcels.get(number.upper()) or Parcel(whose, order.placed, order.placed)
        first, last = min(parcel.first, order.placed), max(parcel.last, order.placed)
        if parcel.whose != whose or last - first > DAYS_OF_A_PARCEL:
            return False
        parcel.first, parcel.last = first, last
        self.parcels[number.upper()] = parcel
        order.number, order.confirmed = number, parcel.seen
        return True

    def take_back(self, order_id: str) -> bool:
        """An order did not leave after all; whether it can be so."""
        order = self.orders[order_id]
        if order.state != "SHIPPED" or order.shipped is None or order.confirmed:
            return False
        if self.now - order.shipped > DAYS_TO_TAKE_BACK:
            return False
        order.state, order.number, order.shipped = "APPROVED", None, None
        return True

    def scan(self, number: str) -> bool:
        """A carrier sees a parcel; whether there is one."""
        parcel = self.parcels.get(number.upper())
        if parcel is None:
            return False
        parcel.seen = True
        for order in self.orders.values():
            if order.shipped is not None and (order.number or "").upper() == number.upper():
                order.confirmed = True
        return True

    def refund(self, order_id: str, unable: bool) -> int:
        """The merchant gives the money back, because he is unable to ship it or for another reason."""
        order = self.orders[order_id]
        if order.state == "REFUNDED":
            return FORBIDDEN
        if unable and order.state == "SHIPPED":
            return WRONG
        order.state, order.refunded_by = "REFUNDED", "REFUNDED BY MERCHANT"
        return 0

    def send_elsewhere(self, order_id: str, place: str) -> int:
        """Another address."""
        order = self.orders[order_id]
        if order.state != "APPROVED":
            return FORBIDDEN
        order.place = place
        return 0

    def wait(self, days: int) -> None:
        """Time passes, and what nobody shipped in time is refunded."""
        self.now += timedelta(days=days)
        for order in self.orders.values():
            if order.state == "APPROVED" and order.placed + DAYS_TO_SHIP <= self.now:
                order.state, order.refunded_by = "REFUNDED", "REFUNDED BY WISH"

    def waiting(self) -> list[str]:
        """The orders to be shipped, the first bought first."""
        open_ones = [order_id for order_id, order in self.orders.items() if order.state == "APPROVED"]
        return sorted(open_ones, key=lambda order_id: (self.orders[order_id].placed, order_id))

    # -- tickets

    def turn(self, ticket_id: str, verb: str, message: str | None = None) -> int:
        """Somebody does something about a ticket."""
        ticket = self.tickets[ticket_id]
        turn = TURNS.get((verb, ticket.turn))
        if turn is None:
            return FORBIDDEN
        ticket.turn = turn
        if message is not None:
            ticket.written.append(("user" if verb == "buyer writes" else "merchant", message))
        return 0
