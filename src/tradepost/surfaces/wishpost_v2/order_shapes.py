"""Orders as this generation takes them: one flat list of fields, with goods in it or laid flat as well.

`addres` is how it spells the word. What the documents name beside these (other platforms, the receiving store, the
submission number) means nothing to a parcel and is read over.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final

from tradepost.domain import parcels, reference
from tradepost.surfaces.wishpost_v2.failures import PickupMissing
from tradepost.surfaces.wishpost_v3.order_shapes import (
    GRAM,
    ChineseGoodsName,
    City,
    District,
    GoodsName,
    Guid,
    Handover,
    HasBattery,
    LineWeight,
    MadeIn,
    OnLabel,
    ParcelType,
    Phone,
    PiecePrice,
    Pieces,
    Province,
    Sensitivity,
    SoldAt,
    Street,
    TradeAmount,
    Zipcode,
)
from tradepost.wire import refusals
from tradepost.wire.bodies import Called, Many
from tradepost.wire.params import Choice, Country, Doc, Key, Listed, LookedUp, Number

HOME: Final = "CN"
"""Where parcels are sent from: this generation does not ask."""
MOST_ORDERS: Final = 50
MOST_GOODS: Final = 50

_IsoCountry = Country(reference.ISO_COUNTRIES)


@dataclass(frozen=True, kw_only=True)
class ProductItem:
    """One line of goods."""

    product_item_name: GoodsName
    product_item_name_chinese: ChineseGoodsName
    product_item_num: Pieces
    product_item_weight: LineWeight
    product_item_single_price: PiecePrice
    product_item_from_country: MadeIn
    product_item_product_url: SoldAt
    product_item_has_battery: HasBattery
    product_item_sensitivity_type: Sensitivity

    def told(self) -> parcels.Goods:
        """The goods for the domain."""
        return parcels.Goods(
            name=self.product_item_name,
            name_chinese=self.product_item_name_chinese,
            pieces=self.product_item_num,
            weight=self.product_item_weight,
            price=self.product_item_single_price,
            from_country=self.product_item_from_country,
            product_url=self.product_item_product_url,
            has_battery=self.product_item_has_battery,
            kind=int(self.product_item_sensitivity_type),
        )


@dataclass(frozen=True, kw_only=True)
class ProductItems:
    """What is in a parcel, product by product."""

    product_item: Annotated[tuple[ProductItem, ...], Many(1, MOST_GOODS), Doc("The products.")]


@dataclass(frozen=True, kw_only=True)
class FlatGoods:
    """What is in a parcel, in one description; each field is required where there are no `product_items`."""

    content: Annotated[str, Key(200), Doc("What is in it, in English: at least one Latin letter.")] | None = None
    content_chinese: (
        Annotated[str, Key(200), Doc("What is in it, in Chinese: at least one Chinese character.")] | None
    ) = None
    num: Pieces | None = None
    weight: Annotated[Decimal, Number(GRAM, "100", 3), Doc("What it weighs, in kg.")] | None = None
    single_price: PiecePrice | None = None
    from_country: MadeIn | None = None
    product_url: SoldAt | None = None
    has_battery: HasBattery = False

    def told_flat(self, place: str) -> parcels.Goods:
        """The one line of goods for the domain; raises ParameterMissing."""

        def need(name: str) -> object:
            if (value := getattr(self, name)) is None:
                raise refusals.ParameterMissing(name=place + name)
            return value

        given = {name: need(name) for name in FLAT_GOODS.values()}
        return parcels.Goods(
            **dict(zip(FLAT_GOODS, given.values(), strict=True)),  # type: ignore[arg-type]
            has_battery=self.has_battery,
            kind=1 if self.has_battery else 0,
        )


# What our goods are called in the flat form.
FLAT_GOODS: Final = {
    "name": "content",
    "name_chinese": "content_chinese",
    "pieces": "num",
    "weight": "weight",
    "price": "single_price",
    "from_country": "from_country",
    "product_url": "product_url",
}


@dataclass(frozen=True, kw_only=True)
class OrderToCreate(FlatGoods):
    """A parcel to be booked."""

    otype: Annotated[str, LookedUp(50), Doc("The channel, as `get_channels` of v3 tells it.")]
    sender: Annotated[str, Called("from"), Key(100), Doc("Who sends it, without Chinese characters.")]
    sender_city: City
    sender_addres: Street
    to: Annotated[str, Key(100), Doc("Who gets it, without Chinese characters.")]
    recipient_country_short: Annotated[str, _IsoCountry, Doc("The country; the United Kingdom is GB.")]
    recipient_city: City
    recipient_addres: Street
    guid: Guid | None = None
    wish_order_id: (
        Annotated[
            tuple[str, ...],
            Listed(",", parcels.MOST_ORDER_IDS, 24, no_blanks=True),
            Doc(
                "The Wish orders in it: 24 letters and digits each, with commas and no blanks between them; "
                "`NonWishOrder` for other platforms."
            ),
        ]
        | None
    ) = None
    trande_no: (
        Annotated[
            tuple[str, ...],
            Listed(",", parcels.MOST_ORDER_IDS, 24, no_blanks=True),
            Doc("An older name of `wish_order_id`."),
        ]
        | None
    ) = None
    product_items: Annotated[ProductItems, Doc("What is in it, product by product.")] | None = None
    sender_province: Annotated[str, Key(100), Doc("The province.")] | None = None
    sender_district: District | None = None
    sender_zipcode: Zipcode | None = None
    sender_phone: Phone | None = None
    recipient_province: Province | None = None
    recipient_district: District | None = None
    recipient_postcode: Zipcode | None = None
    recipient_phone: Phone | None = None
    to_local: Annotated[str, Key(100), Doc("Who gets it, in the language of the destination.")] | None = None
    recipient_province_local: Annotated[str, Key(100), Doc("The province in that language.")] | None = None
    recipient_city_local: Annotated[str, Key(100), Doc("The town in that language.")] | None = None
    recipient_district_local: Annotated[str, Key(100), Doc("The district in that language.")] | None = None
    recipient_addres_local: Annotated[str, Key(200), Doc("The street in that language.")] | None = None
    doorpickup: (
        Annotated[str, Choice(("0", "1")), Doc("1 for a company to collect it, 0 for you to deliver it.")] | None
    ) = None
    pickup_service: Annotated[str, LookedUp(50), Doc("The company; you deliver it if left out.")] | None = None
    receive_from: Annotated[str, Key(100), Doc("Who hands it over, in Chinese.")] | None = None
    receive_province: Annotated[str, Key(100), Doc("His province.")] | None = None
    receive_city: Annotated[str, Key(100), Doc("His town.")] | None = None
    receive_district: Annotated[str, Key(100), Doc("His district.")] | None = None
    receive_addres: Annotated[str, Key(200), Doc("His street, in Chinese.")] | None = None
    receive_phone: Annotated[str, Key(20), Doc("His telephone number.")] | None = None
    warehouse_code: Handover | None = None
    type_no: ParcelType = "4"
    user_desc: OnLabel | None = None
    trade_amount: TradeAmount | None = None

    def booking(self, mark: str, place: str) -> parcels.NewParcel:
        """The booking for the domain; raises OneOfMissing, ParameterMissing, PickupMissing."""
        order_ids = self.wish_order_id or self.trande_no
        if order_ids is None:
            raise refusals.OneOfMissing(name=f"{place}wish_order_id", other="trande_no")
        service = None if self.doorpickup == "0" else self.pickup_service
        if self.doorpickup == "1" and service is None:
            raise PickupMissing(name=f"{place}pickup_service")
        items = self.product_items.product_item if self.product_items else None
        details = parcels.Details(
            sender=self._sender(),
            recipient=self._recipient(),
            goods=tuple(item.told() for item in items) if items else (self.told_flat(place),),
            recipient_local=self._recipient_local(),
            pickup=self._pickup(place) if service else None,
            pickup_service=service,
            warehouse_code=self.warehouse_code,
            parcel_type=int(self.type_no),
            user_desc=self.user_desc,
            trade_amount=self.trade_amount,
        )
        return parcels.NewParcel(otype=self.otype, order_ids=order_ids, details=details, guid=self.guid, mark=mark)

    def _sender(self) -> parcels.Address:
        return parcels.Address(
            name=self.sender,
            country=HOME,
            city=self.sender_city,
            address=self.sender_addres,
            province=self.sender_province,
            district=self.sender_district,
            zipcode=self.sender_zipcode,
            phone=self.sender_phone,
        )

    def _recipient(self) -> parcels.Address:
        return parcels.Address(
            name=self.to,
            country=self.recipient_country_short,
            city=self.recipient_city,
            address=self.recipient_addres,
            province=self.recipient_province,
            district=self.recipient_district,
            zipcode=self.recipient_postcode,
            phone=self.recipient_phone,
        )

    def _recipient_local(self) -> parcels.Address | None:
        if self.recipient_addres_local is None:
            return None
        return parcels.Address(
            name=self.to_local or self.to,
            country=self.recipient_country_short,
            city=self.recipient_city_local or self.recipient_city,
            address=self.recipient_addres_local,
            province=self.recipient_province_local,
            district=self.recipient_district_local,
            zipcode=self.recipient_postcode,
            phone=self.recipient_phone,
        )

    def _pickup(self, place: str) -> parcels.Address:
        needed = ("receive_from", "receive_city", "receive_addres")
        for name in needed:
            if getattr(self, name) is None:
                raise PickupMissing(name=place + name)
        name, city, address = (str(getattr(self, field)) for field in needed)
        return parcels.Address(
            name=name,
            country=HOME,
            city=city,
            address=address,
            province=self.receive_province,
            district=self.receive_district,
            phone=self.receive_phone,
        )
