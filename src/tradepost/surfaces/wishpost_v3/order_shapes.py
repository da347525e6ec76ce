"""Parcels as this service takes and shows them, where they are called orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final

from msgspec import Struct

from tradepost.domain import ledger, parcels, reference
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.reasons import OTHER, REASONS
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.wire.bodies import Many
from tradepost.wire.params import Boolean, Choice, Country, Doc, Key, Listed, LookedUp, Number, Text, WebUrl, Whole

PARCEL_TYPES: Final = ("1", "2", "3", "4")
GRAM: Final = "0.001"
_IsoCountry = Country(reference.ISO_COUNTRIES)

Name = Annotated[str, Key(100), Doc("The person or the company.")]
Phone = Annotated[str, Key(20), Doc("The telephone number.")]
CountryCode = Annotated[str, _IsoCountry, Doc("The country.")]
Province = Annotated[str, Key(100), Doc("The province or the state.")]
City = Annotated[str, Key(100), Doc("The town.")]
District = Annotated[str, Key(100), Doc("The district.")]
Street = Annotated[str, Key(200), Doc("The street and the number.")]
Zipcode = Annotated[str, Key(20), Doc("The postal code.")]

GoodsName = Annotated[str, Key(200), Doc("What it is, in English: at least one Latin letter.")]
ChineseGoodsName = Annotated[str, Key(200), Doc("What it is, in Chinese: at least one Chinese character.")]
Pieces = Annotated[int, Whole(1, 10_000), Doc("How many pieces.")]
LineWeight = Annotated[Decimal, Number(GRAM, "100", 3), Doc("What all its pieces weigh together, in kg.")]
PiecePrice = Annotated[Decimal, Number("0.01", "100000"), Doc("What one piece is worth, in USD.")]
MadeIn = Annotated[str, _IsoCountry, Doc("Where it was made.")]
SoldAt = Annotated[str, WebUrl(), Doc("Where it is sold.")]
HasBattery = Annotated[bool, Boolean(), Doc("Whether there is a battery in it.")]
Sensitivity = Annotated[
    str,
    Choice(("0", "1", "2")),
    Doc("0 general, which has no battery; 1 with battery; 2 sensitive, which has one as well."),
]
Guid = Annotated[str, Key(100), Doc("Your own number of it; a second parcel cannot have it.")]
Handover = Annotated[str, LookedUp(20), Doc("The warehouse you deliver it to, on channels that have some.")]
ParcelType = Annotated[str, Choice(PARCEL_TYPES), Doc("1 gift, 2 document, 3 sample, 4 other.")]
OnLabel = Annotated[str, Text(99), Doc("Anything that is to stand on its label.")]
TradeAmount = Annotated[Decimal, Number("0", "1000000"), Doc("What the buyer paid, in USD.")]


@dataclass(frozen=True, kw_only=True)
class AddressToWrite:
    """An address inside a booking."""

    name: Name
    country: CountryCode
    city: City
    address: Street
    province: Province | None = None
    district: District | None = None
    zipcode: Zipcode | None = None
    phone: Phone | None = None

    def told(self) -> parcels.Address:
        """The address for the domain."""
        return parcels.Address(**vars(self))


@dataclass(frozen=True, kw_only=True)
class GoodsToWrite:
    """One line of goods inside a booking."""

    name: GoodsName
    name_chinese: ChineseGoodsName
    num: Pieces
    weight: LineWeight
    single_price: PiecePrice
    from_country: MadeIn
    product_url: SoldAt
    has_battery: HasBattery
    sensitivity_type: Sensitivity

    def told(self) -> parcels.Goods:
        """The goods for the domain."""
        return parcels.Goods(
            name=self.name,
            name_chinese=self.name_chinese,
            pieces=self.num,
            weight=self.weight,
            price=self.single_price,
            from_country=self.from_country,
            product_url=self.product_url,
            has_battery=self.has_battery,
            kind=int(self.sensitivity_type),
        )


@dataclass(frozen=True, kw_only=True)
class OrderToCreate:
    """A parcel to be booked."""

    otype: Annotated[str, LookedUp(50), Doc("The channel, as `channels` tells it.")]
    wish_order_id: Annotated[
        tuple[str, ...],
        Listed(",", parcels.MOST_ORDER_IDS, 24, no_blanks=True),
        Doc(
            "The Wish orders in the parcel: 24 letters and digits each, with commas and no blanks between them; "
            "`NonWishOrder` for other platforms."
        ),
    ]
    sender: Annotated[AddressToWrite, Doc("Who sends it, without Chinese characters.")]
    recipient: Annotated[AddressToWrite, Doc("Who gets it, without Chinese characters.")]
    goods: Annotated[tuple[GoodsToWrite, ...], Many(1, 50), Doc("What is in it.")]
    guid: Guid | None = None
    recipient_local: Annotated[AddressToWrite, Doc("Who gets it, in the language of his country.")] | None = None
    pickup_service: (
        Annotated[str, LookedUp(50), Doc("The company that collects it at your door; you deliver it if left out.")]
        | None
    ) = None
    pickup: Annotated[AddressToWrite, Doc("Where it is collected, in Chinese.")] | None = None
    warehouse_code: Handover | None = None
    type_no: ParcelType = "4"
    user_desc: OnLabel | None = None
    trade_amount: TradeAmount | None = None

    def told(self) -> parcels.NewParcel:
        """The booking for the domain."""
        details = parcels.Details(
            sender=self.sender.told(),
            recipient=self.recipient.told(),
            goods=tuple(goods.told() for goods in self.goods),
            recipient_local=self.recipient_local.told() if self.recipient_local else None,
            pickup=self.pickup.told() if self.pickup else None,
            pickup_service=self.pickup_service,
            warehouse_code=self.warehouse_code,
            parcel_type=int(self.type_no),
            user_desc=self.user_desc,
            trade_amount=self.trade_amount,
        )
        return parcels.NewParcel(otype=self.otype, order_ids=self.wish_order_id, details=details, guid=self.guid)


@dataclass(frozen=True, kw_only=True)
class OrderToCancel:
    """A parcel to be cancelled."""

    tracking_id: Annotated[str, LookedUp(64), Doc("The carrier's number, or ours while there is no other.")]
    cancel_reason_code: Annotated[str, Choice(REASONS), Doc("Why.")]
    invalid_reason: Annotated[
        str, Text(200, strip=True), Doc(f"Why, in your own words; required with {OTHER}.")
    ] = ""


class CancelledOrder(Struct, gc=False):
    """What became of one wish to cancel.

    `tracking_id` is the number as it was sent. `code` is 0 where the order is cancelled. `message` says why not
    otherwise.
    """

    tracking_id: str
    code: int
    message: str


class BookedOrder(Struct, gc=False):
    """A parcel that was just booked.

    `wish_standard_tracking_id` is its number here; the carrier's comes later. `fee` is what it costs, which is
    frozen.
    """

    id: str
    wish_standard_tracking_id: str
    fee: v.Money


class OrderAddress(Struct, gc=False):
    """Somebody, and where he is."""

    name: str
    country: str
    province: str | None
    city: str
    district: str | None
    address: str
    zipcode: str | None
    phone: str | None


class OrderGoods(Struct, gc=False):
    """One line of what is in a parcel.

    `weight` is that of the whole line in kg. `single_price` is that of one piece in USD.
    """

    name: str
    name_chinese: str
    num: int
    weight: str
    single_price: str
    from_country: str
    product_url: str
    has_battery: bool
    sensitivity_type: int


class Order(Struct, gc=False):
    """A parcel.

    `wish_standard_tracking_id` is its number here. `tracking_id` is the carrier's number, null until there is
    one. `wish_transaction_ids` are the Wish orders in it. `state_name` is how far it is. `state_code` is the same
    as a number. `can_cancel` says whether it can be cancelled. `cant_cancel_reason` says why not. `has_label`
    says whether there can be a label. `cancel_reason_code` is why it was cancelled. `invalid_reason` is that in
    the user's words. `fail_reason` is why the carrier refused it. `weight` is that of all goods in kg. `fee` is
    what it costs.
    """

    id: str
    wish_standard_tracking_id: str
    tracking_id: str | None
    guid: str | None
    otype: str
    wish_transaction_ids: list[str]
    state_name: str
    state_code: int
    can_cancel: bool
    cant_cancel_reason: str | None
    has_label: bool
    cancel_reason_code: str | None
    invalid_reason: str | None
    fail_reason: str | None
    weight: str
    fee: v.Money
    sender: OrderAddress
    recipient: OrderAddress
    goods: list[OrderGoods]
    created_at: str
    updated_at: str


def order(parcel: parcels.Parcel, locale: str) -> Order:
    """A parcel with its details as an order."""
    why_not = parcels.why_not_cancel(parcel)
    details: parcels.Details = parcel.details
    # Lists are long, and names would cost as much as what they name: these are the fields in their order.
    return Order(
        parcel.id,
        parcel.wish_id,
        parcel.tracking_number,
        parcel.guid,
        parcel.otype,
        list(parcel.order_ids),
        v.STATE_NAMES[parcel.state],
        v.STATE_CODES[parcel.state],
        why_not is None,
        None if why_not is None else api.table.tell(why_not, locale).message,
        parcel.has_label,
        parcel.cancel_reason,
        parcel.cancel_words or None,
        parcel.refusal,
        v.fixed(parcel.weight, 3),
        money(parcel.fee),
        _address(details.sender),
        _address(details.recipient),
        [_goods(goods) for goods in details.goods],
        v.moment(parcel.created_at),
        v.moment(parcel.updated_at),
    )


def money(amount: Decimal) -> v.Money:
    """An amount of an account."""
    return v.Money(v.fixed(amount, 2), ledger.CURRENCY)


def _address(address: parcels.Address) -> OrderAddress:
    return OrderAddress(
        address.name,
        address.country,
        address.province,
        address.city,
        address.district,
        address.address,
        address.zipcode,
        address.phone,
    )


def _goods(goods: parcels.Goods) -> OrderGoods:
    return OrderGoods(
        goods.name,
        goods.name_chinese,
        goods.pieces,
        v.fixed(goods.weight, 3),
        v.fixed(goods.price, 2),
        goods.from_country,
        goods.product_url,
        goods.has_battery,
        goods.kind,
    )
