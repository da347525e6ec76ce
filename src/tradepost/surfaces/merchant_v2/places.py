"""Parameters that name countries and regions, one or many, or have a price for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final

from tradepost.domain import reference
from tradepost.domain.products import UNPAID
from tradepost.surfaces.merchant_v2.vocabulary import LOCALIZED_MOST
from tradepost.wire import refusals
from tradepost.wire.declared import Each
from tradepost.wire.params import Country, Doc, Number
from tradepost.wire.text import clean_text

COUNTRY_PATTERN: Final = "[A-Z]{2}"
REGION_PATTERN: Final = "[A-Z]{2}_[A-Z0-9]{2,3}"


@dataclass(frozen=True, slots=True)
class Place:
    """The code of a country or of a region, such as US or US_HI."""

    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False

    def read(self, name: str, text: str) -> str:
        if text not in reference.REGIONS and text not in reference.COUNTRIES:
            raise refusals.NotCountry(name=name, value=text)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{COUNTRY_PATTERN}$|^{REGION_PATTERN}$"}


@dataclass(frozen=True, slots=True)
class Places:
    """Codes of countries, of regions, or of both, with commas between them; each counts once."""

    countries: bool = True
    regions: bool = True
    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False

    def read(self, name: str, text: str) -> tuple[str, ...]:
        codes = [code for part in clean_text(name, text).split(",") if (code := part.strip(" \t\n"))]
        for code in codes:
            known = self.countries and code in reference.COUNTRIES
            if not known and not (self.regions and code in reference.REGIONS):
                raise refusals.BadItem(name=name, item=code)
        return tuple(dict.fromkeys(codes))

    def schema(self) -> dict[str, Any]:
        codes = [COUNTRY_PATTERN] * self.countries + [REGION_PATTERN] * self.regions
        return {"type": "string", "description": f"`{'` or `'.join(codes)}`, separated by ','"}


KnownCountry = Annotated[
    str, Country(frozenset(reference.COUNTRIES)), Doc("A country that can be shipped to, such as CA.")
]
KnownPlace = Annotated[
    str, Place(), Doc("A country that can be shipped to, such as CA, or one of its regions, such as US_HI.")
]

_USD = Number("0", "1000", besides=UNPAID)
_OWN = Number("0", LOCALIZED_MOST, 3)

CountryShippingPrices = Annotated[
    Mapping[str, Decimal],
    _USD,
    Each("<CC>", tuple(reference.COUNTRIES)),
    Doc(
        "One parameter per country, such as `CA`: the shipping price to it in US dollars, at most 1,000. It "
        "enables the country in the warehouse and, where the country stands in `wish_express_add_countries` and no "
        "warehouse is named, in its Express warehouse at the same price."
    ),
]
OwnCountryShippingPrices = Annotated[
    Mapping[str, Decimal],
    _OWN,
    Each("localized_CC", tuple(reference.COUNTRIES), "localized_"),
    Doc(
        "One parameter per country, such as `localized_CA`: the same in your own currency; required beside `<CC>` "
        "if you are not paid in US dollars."
    ),
]
RegionShippingPrices = Annotated[
    Mapping[str, Decimal],
    _USD,
    Each("<CC_RC>", tuple(reference.REGIONS)),
    Doc(
        "One parameter per region, such as `US_HI`: the shipping price to it in US dollars, at most twice its "
        "country's. It enables the region in the warehouse."
    ),
]
OwnRegionShippingPrices = Annotated[
    Mapping[str, Decimal],
    _OWN,
    Each("localized_CC_RC", tuple(reference.REGIONS), "localized_"),
    Doc(
        "One parameter per region, such as `localized_US_HI`: the same in your own currency; required beside "
        "`<CC_RC>` if you are not paid in US dollars."
    ),
]

ShippingPrice = Annotated[
    Decimal,
    _USD,
    Doc(
        "The shipping price to the country or region in US dollars, at most 1,000; that of a region at most twice "
        "its country's. It enables the place unless `enabled` is false."
    ),
]
OwnShippingPrice = Annotated[
    Decimal, _OWN, Doc("The same in your own currency; required if you are not paid in US dollars.")
]
DefaultShippingPrice = Annotated[
    Decimal,
    _USD,
    Doc("The shipping price in US dollars to every country without one of its own, at most 1,000."),
]
OwnDefaultShippingPrice = Annotated[
    Decimal,
    _OWN,
    Doc("The same in your own currency; required beside the other if you are not paid in US dollars."),
]
