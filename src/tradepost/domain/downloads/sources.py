"""What downloads are made of: a source for each kind, which all go the same way afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from tradepost.domain import orders, products
from tradepost.domain.context import CopyingRows, MerchantCtx, Pieces
from tradepost.domain.downloads.download import ORDERS, PRODUCTS
from tradepost.domain.products import CatalogueFilter


class Source(Protocol):
    """Something that a merchant has and can download."""

    name: str
    """What the file is called in the store and, with a date and an id behind it, by a browser."""
    ready_topic: str
    failed_topic: str

    async def count(self, ctx: MerchantCtx, arguments: Mapping[str, Any]) -> int:
        """How many lines the file will have below its header."""

    async def copy(
        self, ctx: MerchantCtx, db: CopyingRows, arguments: Mapping[str, Any], base_url: str, output: Pieces
    ) -> int:
        """Write the file, all of it as it is at one moment; gives how many lines came below the header.

        URLs of our own begin with `base_url`.
        """


class Catalogue:
    """The products, one line for each variation."""

    name = "products"
    ready_topic = "download_ready"
    failed_topic = "download_failed"

    async def count(self, ctx: MerchantCtx, arguments: Mapping[str, Any]) -> int:
        """How many variations there will be."""
        return await products.count_catalogue(ctx, _catalogue(arguments))

    async def copy(
        self, ctx: MerchantCtx, db: CopyingRows, arguments: Mapping[str, Any], base_url: str, output: Pieces
    ) -> int:
        """Write the catalogue."""
        return await products.copy_catalogue(ctx, db, _catalogue(arguments), base_url, output)


class Orders:
    """The orders, one line for each."""

    name = "orders"
    ready_topic = "order_download_ready"
    failed_topic = "order_download_failed"

    async def count(self, ctx: MerchantCtx, arguments: Mapping[str, Any]) -> int:
        """How many orders there will be."""
        return await orders.count_orders(ctx, _orders(arguments))

    async def copy(
        self, ctx: MerchantCtx, db: CopyingRows, arguments: Mapping[str, Any], base_url: str, output: Pieces
    ) -> int:
        """Write the orders."""
        return await orders.copy_orders(ctx, db, _orders(arguments), base_url, output)


SOURCES: Final[Mapping[str, Source]] = {PRODUCTS: Catalogue(), ORDERS: Orders()}
"""The sources by the kind of job that makes files of them."""


def to_arguments(wanted: CatalogueFilter | orders.OrderCut) -> dict[str, Any]:
    """What is wanted, as a job keeps it."""
    told = {name: getattr(wanted, name) for name in wanted.__dataclass_fields__}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}


def _moments(arguments: Mapping[str, Any], *names: str) -> dict[str, Any]:
    told = {name: datetime.fromisoformat(text) for name in names if (text := arguments[name])}
    return {**arguments, **told}


def _catalogue(arguments: Mapping[str, Any]) -> CatalogueFilter:
    return CatalogueFilter(**_moments(arguments, "since"))


def _orders(arguments: Mapping[str, Any]) -> orders.OrderCut:
    return orders.OrderCut(**_moments(arguments, "since", "placed_from", "placed_before"))
