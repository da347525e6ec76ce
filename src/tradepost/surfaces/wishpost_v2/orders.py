"""Chapter *Orders*: parcels are booked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from msgspec import Struct

from tradepost.domain import parcels
from tradepost.domain.context import ShipperCtx
from tradepost.domain.failure import Failure
from tradepost.domain.parcels import Sheet
from tradepost.domain.parcels.failures import MarkFull
from tradepost.surfaces.wishpost_v2.failures import PickupMissing
from tradepost.surfaces.wishpost_v2.order_shapes import FLAT_GOODS, MOST_ORDERS, OrderToCreate
from tradepost.surfaces.wishpost_v2.surface import api
from tradepost.surfaces.wishpost_v2.vocabulary import Token
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.orders import BOOKING_FAILS
from tradepost.wire.bodies import BodyMarkup, Many
from tradepost.wire.http_types import BaseUrl
from tradepost.wire.params import Doc, Key

ADDRESSES: Final = {"sender": "from", "recipient": "to"}
"""What the domain calls an address, and its name here; its other fields have the domain's word before them."""
FIELDS: Final = {"address": "addres"}
_GOODS = re.compile(r"goods\[([0-9]+)\](?:\.(\w+))?")


@dataclass(frozen=True, kw_only=True)
class OrdersToCreate:
    """Parcels to be booked, all of them or none."""

    order: Annotated[tuple[OrderToCreate, ...], Many(1, MOST_ORDERS), Doc("The parcels.")]
    mark: (
        Annotated[str, Key(50), Doc("The mark of earlier orders whose labels are to be in one file with these.")]
        | None
    ) = None
    access_token: Token | None = None


class Barcode(Struct, gc=False):
    """The carrier's number of an order, empty until there is one.

    `guid` is your own number of it. `state` is how far it is.
    """

    ATTRIBUTES: ClassVar = ("guid", "state")
    CONTENT: ClassVar = "number"
    guid: str | None
    state: str
    number: str


class Created(Struct):
    """What was booked, in the order of the call.

    `timestamp` is the time in China. `mark` is what further orders name, for their labels to be in the same file.
    `PDF_10_EN_URL`, `PDF_10_LCL_URL`, `PDF_A4_EN_URL` and `PDF_A4_LCL_URL` are links to the labels of the mark so
    far, good for 24 hours without a token, as soon as all carriers have given their numbers: on pages of 10 x 10
    cm or of A4, with the address in English or in the language of the destination before the other.
    """

    timestamp: str
    barcode: list[Barcode]
    wish_standard_tracking_id: list[str]
    mark: str
    PDF_10_EN_URL: str
    PDF_10_LCL_URL: str
    PDF_A4_EN_URL: str
    PDF_A4_LCL_URL: str


@api.write(
    "/create_order",
    scope="user.order.write",
    fails=[*BOOKING_FAILS, MarkFull, PickupMissing],
)
async def create_order(
    ctx: ShipperCtx,
    *,
    asked: Annotated[OrdersToCreate, BodyMarkup(OrdersToCreate), Doc("The parcels.")],
    base_url: BaseUrl,
) -> Created:
    """Create orders.

    Each has our number at once; the carrier's comes later, and only then can there be a label: ask for the status
    with ours until it is there. If one of them cannot be booked, none is. What they cost is frozen in the account.
    """
    mark = asked.mark or ctx.new_id()
    booked = []
    for number, order in enumerate(asked.order):
        place = f"order[{number}]."
        try:
            booked.append(await parcels.book_parcel(ctx, order.booking(mark, place)))
        except Failure as failure:
            raise _in_words_of_this_wire(failure, place, order.product_items is not None) from None
    urls = _urls(ctx, await parcels.marked_parcels(ctx, mark), base_url)
    return Created(
        v.china_time(ctx.now),
        [Barcode(parcel.guid, v.STATE_NAMES[parcel.state], parcel.tracking_number or "") for parcel in booked],
        [parcel.wish_id for parcel in booked],
        mark,
        *urls,
    )


def _urls(ctx: ShipperCtx, found: Sequence[parcels.Parcel], base_url: str) -> tuple[str, str, str, str]:
    ten, ten_local, a4, a4_local = (
        base_url + parcels.link_to_labels(ctx, ctx.link_keys, found, Sheet(size, local))
        for size in parcels.SIZES
        for local in (False, True)
    )
    return ten, ten_local, a4, a4_local


def _in_words_of_this_wire(failure: Failure, place: str, by_product: bool) -> Failure:
    """The same failure with the place in the booking as this wire calls it."""
    blanks = failure.blanks()
    if "place" not in blanks:
        return failure
    return type(failure)(**blanks | {"place": place + _called(blanks["place"], by_product)})


def _called(place: str, by_product: bool) -> str:
    if goods := _GOODS.fullmatch(place):
        if by_product:
            inner = f".product_item_{goods[2]}" if goods[2] else ""
            return f"product_items.product_item[{goods[1]}]{inner}"
        return FLAT_GOODS[goods[2] or "name"]
    whose, _, field = place.partition(".")
    if field == "name":
        return ADDRESSES[whose]
    if (whose, field) == ("recipient", "zipcode"):
        return "recipient_postcode"
    return f"{whose}_{FIELDS.get(field, field)}"
