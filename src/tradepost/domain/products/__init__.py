"""Products and their variations: what a merchant sells.

A product and its variations are one whole: they share the time of the last change, the pictures and the fate
of being removed. So they share an area, with the product's verbs beside the variation's.
"""

from tradepost.domain.products.dimensions import Dimensions, NewDimensions
from tradepost.domain.products.money import UNPAID
from tradepost.domain.products.operations.bulk import (
    find_newer,
    find_variations,
    hold_products,
    next_revision,
    note_changes,
    set_enabled,
    set_stock,
)
from tradepost.domain.products.operations.dimensions import find_dimensions, find_unmeasured, set_dimensions
from tradepost.domain.products.operations.export import copy_catalogue, count_catalogue
from tradepost.domain.products.operations.product import (
    add_product,
    change_parent_sku,
    disable_product,
    enable_product,
    find_product,
    hold_product,
    list_products,
    remove_extra_images,
    remove_product,
    require_product,
    update_product,
)
from tradepost.domain.products.operations.review import review_product, take_down_variation
from tradepost.domain.products.operations.variation import (
    add_variation,
    change_sku,
    disable_variation,
    enable_variation,
    find_variation,
    update_inventory,
    update_variation,
)
from tradepost.domain.products.product import (
    CatalogueFilter,
    CountryPrice,
    KnownVariation,
    ListFilter,
    Logistics,
    LogisticsChanges,
    NewProduct,
    NewVariation,
    Product,
    ProductChanges,
    ProductRef,
    Variation,
    VariationChanges,
    tag_id,
)

__all__ = [
    "UNPAID",
    "CatalogueFilter",
    "CountryPrice",
    "Dimensions",
    "KnownVariation",
    "ListFilter",
    "Logistics",
    "LogisticsChanges",
    "NewDimensions",
    "NewProduct",
    "NewVariation",
    "Product",
    "ProductChanges",
    "ProductRef",
    "Variation",
    "VariationChanges",
    "add_product",
    "add_variation",
    "change_parent_sku",
    "change_sku",
    "copy_catalogue",
    "count_catalogue",
    "disable_product",
    "disable_variation",
    "enable_product",
    "enable_variation",
    "find_dimensions",
    "find_newer",
    "find_product",
    "find_unmeasured",
    "find_variation",
    "find_variations",
    "hold_product",
    "hold_products",
    "list_products",
    "next_revision",
    "note_changes",
    "remove_extra_images",
    "remove_product",
    "require_product",
    "review_product",
    "set_dimensions",
    "set_enabled",
    "set_stock",
    "tag_id",
    "take_down_variation",
    "update_inventory",
    "update_product",
    "update_variation",
]
