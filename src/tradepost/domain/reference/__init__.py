"""What the world and the documents say once and for all: countries, regions, carriers, where returns go.

The lists are text files beside this module, checked when they are loaded. Nothing here touches a database.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from importlib import resources
from typing import Final


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a country with shipping of its own; chapter *Customizable Regions*."""

    code: str
    name: str
    country: str
    standard_enabled: bool
    express_enabled: bool


@dataclass(frozen=True, slots=True)
class ReturnRegion:
    """A part of the world that parcels are returned in; chapter *Wish Returns Program*.

    A return warehouse of the region stands in one of its countries and says whatever is required.
    """

    code: str
    countries: frozenset[str]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefundReason:
    """Why an order is refunded, as a merchant says it by a code."""

    code: int
    generation: str
    unfulfilled_only: bool
    words: str


def _rows(name: str) -> list[dict[str, str]]:
    text = (resources.files(__name__) / name).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    if not rows or any(None in row or None in row.values() for row in rows):
        raise ValueError(f"{name} is empty or has ragged lines")
    return rows


COUNTRIES: Final = {row["country_code"]: row["name"] for row in _rows("countries.tsv")}
"""The countries that can be shipped to, code to name; chapter *Shippable Countries*."""

ISO_COUNTRIES: Final = frozenset(row["code"] for row in _rows("iso_countries.tsv"))
"""Every officially assigned ISO 3166 alpha-2 code."""

REGIONS: Final = {
    row["region_code"]: Region(
        row["region_code"],
        row["name"],
        row["country_code"],
        row["standard_enabled_by_default"] == "True",
        row["express_enabled_by_default"] == "True",
    )
    for row in _rows("regions.tsv")
}
"""The regions by code."""

HANDOVER_WAREHOUSES: Final = {int(row["code"]): row for row in _rows("handover_warehouses.tsv")}
"""Where parcels are handed over on channels that have warehouses, by code; towns recorded, addresses ours."""

CARRIERS: Final = tuple(row["carrier"] for row in _rows("carriers.tsv"))
"""All accepted shipping providers, in the order of the reference; chapter *Accepted Shipping Providers*."""

CONFIRMED_DELIVERY: Final[dict[str, tuple[str, ...]]] = {}
"""Country to the carriers that confirm delivery there, for the countries that require it."""
for _row in _rows("confirmed_delivery.tsv"):
    CONFIRMED_DELIVERY.setdefault(_row["country_code"], ())
    CONFIRMED_DELIVERY[_row["country_code"]] += (_row["carrier"],)

RETURN_REGIONS: Final = {
    row["region"]: ReturnRegion(
        row["region"], frozenset(row["countries"].split(",")), tuple(row["required"].split(","))
    )
    for row in _rows("return_regions.tsv")
}
"""The regions of the returns programme by code."""

REFUND_REASONS: Final = {
    int(row["code"]): RefundReason(
        int(row["code"]), row["generation"], row["unfulfilled_only"] == "True", row["words"]
    )
    for row in _rows("refund_reasons.tsv")
}
"""Every reason for a refund that merchants could ever give, by its code: the older list and the newer one."""

if unknown := COUNTRIES.keys() - ISO_COUNTRIES:
    raise ValueError(f"not ISO 3166: {sorted(unknown)}")
if unknown := {region.country for region in REGIONS.values()} - COUNTRIES.keys():
    raise ValueError(f"regions of countries that nobody ships to: {sorted(unknown)}")
if unknown := {code for region in RETURN_REGIONS.values() for code in region.countries} - ISO_COUNTRIES:
    raise ValueError(f"countries of return regions that are none: {sorted(unknown)}")
