"""Parameters that recur in the merchant service, each with its reader and its meaning.

The names are the reference's; `products` and `variants` use them in their declarations.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from tradepost.domain import reference
from tradepost.domain.orders import unfit_at
from tradepost.domain.products import UNPAID, LogisticsChanges
from tradepost.domain.products import ProductRef as DomainRef
from tradepost.surfaces.merchant_v2 import failures
from tradepost.values import NOT_GIVEN, NotGiven
from tradepost.wire.params import (
    Boolean,
    Choice,
    Country,
    Digits,
    Doc,
    Key,
    Listed,
    LookedUp,
    Moment,
    Number,
    PriceMap,
    Span,
    Text,
    WebUrl,
    Whole,
    is_web_url,
)
from tradepost.wire.refusals import BadCharacter
from tradepost.wire.text import clean_text

SKU_LENGTH = 100
MOST_START = 25_000
# Far above any price: what a currency with small units needs for 100,000 US dollars.
LOCALIZED_MOST = "9999999999"
UNITS = (
    *("OUNCE", "POUND", "MILLIGRAM", "GRAM", "KILOGRAM"),
    *("FLUID_OUNCE", "PINT", "QUART", "GALLON", "MILLILITER", "CENTILITER", "LITER", "CUBICMETER"),
    *("INCH", "FOOT", "YARD", "CENTIMETER", "METER", "SQUARE_FOOT", "SQUARE_METER"),
    *("COUNT", "LOAD", "WASH", "ROLL", "POD"),
)
# Sites that show videos and do not hand them out as files.
VIDEO_SITES = ("youtube.com", "youtu.be", "amazon.com", "ebay.com", "etsy.com")
VIDEO_FORMATS = ("mp4", "mov", "wmv", "flv", "avi", "mkv", "webm")


@dataclass(frozen=True, slots=True)
class AnyId:
    """An id to look up; anything else than 24 hex digits is simply not there."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False

    def read(self, name: str, text: str) -> str:
        return LookedUp(200).read(name, text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9a-f]{24}$"}


@dataclass(frozen=True, slots=True)
class StrictId:
    """An id of something to change; anything else than 24 hex digits is refused as it is."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    _pattern: ClassVar[re.Pattern[str]] = re.compile("[0-9a-f]{24}", re.ASCII)

    def read(self, name: str, text: str) -> str:
        if not self._pattern.fullmatch(text):
            raise failures.InvalidId(id=text)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9a-f]{24}$"}


@dataclass(frozen=True, slots=True)
class AddressLine(LookedUp):
    """One line of an address as buyers all over the world write them; a blank of any kind becomes a plain one."""

    def read(self, name: str, text: str) -> str:
        text = "".join(" " if unicodedata.category(char) == "Zs" else char for char in text)
        text = LookedUp.read(self, name, text)
        if (at := unfit_at(text)) is not None:
            raise BadCharacter(name=name, character=f"U+{ord(text[at]):04X}", position=at + 1)
        return text


@dataclass(frozen=True, slots=True)
class Image:
    """The URL of one picture, or of several with | between them; checked as text and kept."""

    unreachable: type[failures.ImageUnreachable | failures.NewImageUnreachable]
    several: bool = False
    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False

    def read(self, name: str, text: str) -> str | tuple[str, ...]:
        urls = clean_text(name, text).split("|") if self.several else [text]
        urls = [url.strip(" ") for url in urls]
        for url in urls:
            if not is_web_url(url):
                raise self.unreachable(url=url)
        return tuple(urls) if self.several else urls[0]

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": "separated by '|'"} if self.several else WebUrl().schema()


@dataclass(frozen=True, slots=True)
class Video:
    """The URL of a video file; where `takes_empty` is set, the empty text takes the video away."""

    takes_empty: bool = False
    takes_json: ClassVar[bool] = False

    def read(self, name: str, text: str) -> str:
        url = WebUrl(takes_empty=self.takes_empty).read(name, text)
        host = (urlsplit(url).hostname or "").lower()
        for site in VIDEO_SITES:
            # amazon.com stands for every shop of that name: amazon.de, amazon.co.uk.
            label = site.partition(".")[0]
            if host == site or host.endswith("." + site) or label in host.split("."):
                raise failures.VideoHostRefused(host=host)
        return url

    def schema(self) -> dict[str, Any]:
        return WebUrl().schema()


Sku = Annotated[str, Key(SKU_LENGTH), Doc("Your own identifier of a variation; upper and lower case differ.")]
KnownSku = Annotated[str, LookedUp(SKU_LENGTH), Doc("The SKU of one of your variations.")]
ParentSku = Annotated[str, Key(SKU_LENGTH), Doc("Your own identifier of a product.")]
KnownParentSku = Annotated[str, LookedUp(SKU_LENGTH), Doc("The parent SKU of one of your products.")]
WarehouseName = Annotated[
    str,
    LookedUp(100),
    Doc("The warehouse whose stock and shipping are meant, by its `warehouse_unit_id`; STANDARD if left out."),
]
Inventory = Annotated[int, Whole(0, 500_000), Doc("Pieces in stock, at most 500,000.")]
Price = Annotated[
    Decimal, Number("0.01", "100000", besides=UNPAID), Doc("Price of one piece in US dollars, at most 100,000.")
]
LocalizedPrice = Annotated[
    Decimal,
    Number("0.01", LOCALIZED_MOST, 3),
    Doc("Price of one piece in your own currency; required if you are not paid in US dollars."),
]
Shipping = Annotated[
    Decimal,
    Number("0", "1000", besides=UNPAID),
    Doc(
        "Default shipping price of the product in US dollars, at most 1,000; it counts for every country without "
        "a price of its own."
    ),
]
LocalizedShipping = Annotated[
    Decimal,
    Number("0", "1000", 3),
    Doc("Default shipping price in your own currency, at most 1,000; required if you are not paid in US dollars."),
]
CurrencyCode = Annotated[
    str,
    Text(3),
    Doc("Your own currency, an ISO 4217 code; must accompany every localized amount."),
]
Msrp = Annotated[Decimal, Number("0", "9999999999"), Doc("A reference price to compare with, in US dollars.")]
LocalizedMsrp = Annotated[
    Decimal, Number("0", LOCALIZED_MOST, 3), Doc("A reference price to compare with, in your own currency.")
]
ShippingTime = Annotated[
    str, Span(2), Doc("Days until the buyer has it, such as 5-10; kept and shown, used for nothing.")
]
Color = Annotated[str, Text(50, strip=True), Doc("The colour, for example red.")]
Size = Annotated[str, Text(49, strip=True), Doc("The size, for example Large or 7.5; fewer than 50 characters.")]
Condition = Annotated[str, Choice(("NEW", "USED", "REFURBISHED"), fold=True), Doc("The condition of the goods.")]
Name = Annotated[str, Text(1000, strip=True), Doc("Name of the product as buyers see it.")]
Description = Annotated[
    str, Text(50_000), Doc("What the product is, in plain text with line feeds; HTML is not interpreted.")
]
Tags = Annotated[
    tuple[str, ...],
    Listed(",", most=10, item_most=100, cut=True, skip_empty=True),
    Doc("Words that describe the product, separated by commas. Ten are kept, the rest is ignored."),
]
BrandId = Annotated[str, Text(100, strip=True), Doc("Id of the product's brand.")]
LandingPage = Annotated[str, WebUrl(), Doc("Page about the product on your own site.")]
Upc = Annotated[str, Digits(8, 14), Doc("GTIN (UPC, EAN, ISBN): 8 to 14 digits and nothing else.")]
MaxQuantity = Annotated[int, Whole(1, 500_000), Doc("The most pieces that one order may have.")]
ReferenceValue = Annotated[
    Decimal,
    Number("0", LOCALIZED_MOST, 4),
    Doc("For the price per unit: how many units the unit price is for."),
]
QuantityValue = Annotated[
    Decimal, Number("0", LOCALIZED_MOST, 4), Doc("For the price per unit: how many units this variation has.")
]
Unit = Annotated[
    str | None,
    Choice(UNITS, nothing="null"),
    Doc("The unit of `reference_value` and `quantity_value`; `null` takes it away."),
]
CountryPrices = Annotated[
    Mapping[str, Decimal],
    PriceMap(
        codes=frozenset(reference.COUNTRIES),
        ignored=frozenset(reference.ISO_COUNTRIES - reference.COUNTRIES.keys()),
        prefix="LOCAL_",
        most="1000",
        local_most=LOCALIZED_MOST,
    ),
    Doc(
        'Shipping prices by country as a JSON object such as {"US": 3.99, "LOCAL_US": 24.0}; LOCAL_ marks your '
        "own currency. Countries that are not shipped to are ignored."
    ),
]

NewMainImage = Annotated[
    str,
    Image(failures.NewImageUnreachable),
    Doc("URL of the main picture itself: JPEG, PNG or GIF, at least 100 x 100 pixels."),
]
MainImage = Annotated[
    str,
    Image(failures.ImageUnreachable),
    Doc("URL of the picture itself: JPEG, PNG or GIF, at least 100 x 100 pixels."),
]
NewExtraImages = Annotated[
    tuple[str, ...],
    Image(failures.NewImageUnreachable, several=True),
    Doc("URLs of more pictures, separated by `|`. With the pictures of variations at most 100."),
]
ExtraImages = Annotated[
    tuple[str, ...],
    Image(failures.ImageUnreachable, several=True),
    Doc(
        "URLs of all extra pictures in the order they are shown, separated by `|`; they replace those there "
        "are. With the pictures of variations at most 100."
    ),
]
NewCleanImage = Annotated[
    str,
    Image(failures.NewImageUnreachable),
    Doc("URL of the clean picture: the same as `main_image` or one of `extra_images`."),
]
CleanImage = Annotated[
    str,
    Image(failures.ImageUnreachable),
    Doc("URL of the clean picture. One that is none of the product's pictures is passed over."),
]
NewVideo = Annotated[
    str, Video(), Doc(f"URL of a demo video as a file ({', '.join(VIDEO_FORMATS)}), at most 50 MB.")
]
VideoOrNone = Annotated[
    str,
    Video(takes_empty=True),
    Doc(f"URL of a demo video as a file ({', '.join(VIDEO_FORMATS)}), at most 50 MB; empty takes it away."),
]


@dataclass(frozen=True, kw_only=True)
class LogisticsParams(LogisticsChanges):
    """The logistics attributes of a variation."""

    length: (
        Annotated[Decimal, Number("0.001", "100000", 3), Doc("Length of the packed goods in cm.")] | NotGiven
    ) = NOT_GIVEN
    width: Annotated[Decimal, Number("0.001", "100000", 3), Doc("Width of the packed goods in cm.")] | NotGiven = (
        NOT_GIVEN
    )
    height: (
        Annotated[Decimal, Number("0.001", "100000", 3), Doc("Height of the packed goods in cm.")] | NotGiven
    ) = NOT_GIVEN
    weight: (
        Annotated[Decimal, Number("0.001", "10000000", 3), Doc("Weight of the packed goods in g.")] | NotGiven
    ) = NOT_GIVEN
    declared_name: Annotated[str, Text(200, strip=True), Doc("What the customs are told it is.")] | NotGiven = (
        NOT_GIVEN
    )
    declared_local_name: (
        Annotated[str, Text(200, strip=True), Doc("The same in the local language.")] | NotGiven
    ) = NOT_GIVEN
    pieces: Annotated[int, Whole(1, 500_000), Doc("How many pieces belong to one item.")] | NotGiven = NOT_GIVEN
    declared_value: (
        Annotated[Decimal, Number("0", "100000"), Doc("What the customs are told it is worth, in US dollars.")]
        | NotGiven
    ) = NOT_GIVEN
    hscode: Annotated[str, Digits(4, 14), Doc("Code of the Harmonized System for the customs.")] | NotGiven = (
        NOT_GIVEN
    )
    origin_country: (
        Annotated[str, Country(reference.ISO_COUNTRIES), Doc("Where it is made: ISO 3166 alpha-2, such as CN.")]
        | NotGiven
    ) = NOT_GIVEN
    has_powder: Annotated[bool, Boolean(), Doc("Whether there is powder in it.")] | NotGiven = NOT_GIVEN
    has_liquid: Annotated[bool, Boolean(), Doc("Whether there is liquid in it.")] | NotGiven = NOT_GIVEN
    has_battery: Annotated[bool, Boolean(), Doc("Whether there is a battery in it.")] | NotGiven = NOT_GIVEN
    has_metal: Annotated[bool, Boolean(), Doc("Whether there is metal in it.")] | NotGiven = NOT_GIVEN


@dataclass(frozen=True)
class ProductRef:
    """A product to read: its id or its parent SKU; the id counts where both are given."""

    one_of: ClassVar[tuple[str, str]] = ("id", "parent_sku")

    id: Annotated[str, AnyId(), Doc("The product's id, 24 hex digits.")] | None = None
    parent_sku: KnownParentSku | None = None

    def meant(self) -> DomainRef:
        """The reference as the domain takes it."""
        return DomainRef(self.id, self.parent_sku)


@dataclass(frozen=True)
class ChangedProductRef(ProductRef):
    """A product to change: its id or its parent SKU."""

    id: Annotated[str, StrictId(), Doc("The product's id, 24 hex digits.")] | None = None


def changed(things: str, when: str) -> str:
    """What a bound of a list by the time of the last change means."""
    return f"Only {things} changed {when} this time: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, UTC."


Since = Annotated[datetime, Moment(), Doc(changed("products", "at or after"))]
Upto = Annotated[datetime, Moment(), Doc(changed("products", "before"))]
ShowRejected = Annotated[bool, Boolean(), Doc("Whether rejected products are listed, too.")]
Start = Annotated[int, Whole(0, MOST_START), Doc("How many to pass over; 0 is the beginning, 25,000 the most.")]
