"""How large and heavy a product or a variation is, packed to be shipped: cm and g.

A variation that says nothing of its own is as large as its product. A product that says nothing of its own is as
large as all its variations, where these agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tradepost.domain.products.product import Amount


@dataclass(frozen=True, slots=True)
class NewDimensions:
    """Dimensions to be set, all of them together."""

    length: Decimal
    width: Decimal
    height: Decimal
    weight: Decimal


MEASURES: Final = tuple(NewDimensions.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Dimensions as they are; None where nobody said."""

    length: Amount | None
    width: Amount | None
    height: Amount | None
    weight: Amount | None
