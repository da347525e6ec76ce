"""What the catalogue does not allow, and what is not in it. `name` is the parameter that asked for it."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class ProductNotFound(Failure):
    """The merchant has no such product; the sentence says None where it was looked up by its parent SKU."""

    id: str | None


class VariationNotFound(Failure):
    """The merchant has no live variation of this SKU."""

    sku: str


class VariationIdNotFound(Failure):
    """The product has no variation with this id."""

    id: str


class ParentNotFound(Failure):
    """The merchant has no live product of this parent SKU, nor one with a variation of this SKU."""

    parent_sku: str


class ProductRemoved(Failure):
    """The product was removed; nothing about it can change."""

    id: str


class VariationRemovedByWish(Failure):
    """The marketplace took the variation down; it cannot be enabled again."""

    sku: str


class SkuTaken(Failure):
    """Another live variation of the merchant has this SKU."""

    name: str
    sku: str


class ParentSkuTaken(Failure):
    """Another live product of the merchant has this parent SKU."""

    name: str
    sku: str


class NeitherColorNorSize(Failure):
    """An added variation says neither what colour nor what size it is."""


class ColorAndSizeTaken(Failure):
    """Another variation of the product has this colour and size."""

    color: str
    size: str


class TooManyVariations(Failure):
    """The product has as many variations as a product can have."""

    limit: int


class TooManyPictures(Failure):
    """Extra pictures and pictures of variations together are too many."""

    name: str
    limit: int


class CleanImageUnknown(Failure):
    """The clean picture of a new product is neither its main nor one of its extra pictures."""


class LocalizedMissing(Failure):
    """A merchant who is not paid in US dollars left out an amount in his own currency, or which currency it is."""

    name: str


class CurrencyMismatch(Failure):
    """The currency given is not the merchant's own."""

    given: str
    currency: str


class TooPrecise(Failure):
    """The amount has more decimals than the merchant's currency."""

    name: str
    currency: str
    places: int


class AboveLimit(Failure):
    """An amount in US dollars is above its limit, by whichever parameter it came."""

    name: str
    limit: str


class AmountsDiffer(Failure):
    """The merchant's own currency is the US dollar, and its two amounts are not the same."""

    name: str
    other: str
