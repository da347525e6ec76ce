"""Where parcels come back to, and which products take part. Chapter *Returns*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.domain import reference, returns
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

PLACE: Final = (
    *("warehouse_name", "ship_to", "phone_number", "email", "city", "state", "zipcode"),
    *("street_address1", "street_address2"),
)
NEW: Final = (*PLACE, "region", "country")
FIELDS: Final = {
    "NotEmail": "email",
    "NotPhone": "phone_number",
    "CountryOutsideRegion": "country",
    "RegionDiffers": "region",
    "ReturnWarehouseNotFound": "warehouse_id",
    "AddressUnderValidation": "warehouse_id",
    "AddressInvalid": "warehouse_id",
    "DimensionsMissing": "id",
    "ProductNotFound": "id",
    "InvalidId": "id",
}


async def show_returns(visit: Visit, problem: Problem | None = None, about: str = "") -> Response:
    """The return warehouses, with forms for one more and to enrol a product; `about` is the form that is wrong."""
    async with visit.shop() as ctx:
        found = await returns.list_warehouses(ctx)
    return visit.render(
        "shop/returns.html",
        200 if problem is None else problem.status,
        found=found,
        regions=[(code, code) for code in reference.RETURN_REGIONS],
        warehouses=[(one.id, f"{one.region} · {one.name or one.ship_to}") for one in found],
        problem=problem,
        about=about,
        sent=visit.sent,
    )


async def _change(visit: Visit, path: str, given: dict[str, str], about: str, done: str) -> Response:
    """Change something by an endpoint; or show what is wrong with the form."""
    try:
        async with visit.shop() as ctx:
            await visit.call(ctx, path, given)
    except Fact as fact:
        problem = visit.problem(fact, FIELDS)
        name = getattr(fact, "name", "")
        if not problem.field and f"field.{name}" in visit.say:
            problem = Problem(problem.text, name, problem.status)
        return await show_returns(visit, problem, about)
    return visit.done(done, "/returns")


async def add_warehouse(visit: Visit) -> Response:
    """Add a return warehouse."""
    given = {name: visit.form.get(name) or "" for name in NEW}
    return await _change(visit, "/returns/create-return-warehouse", given, "new", "returns_added")


async def change_warehouse(visit: Visit) -> Response:
    """Change a return warehouse."""
    warehouse_id = visit.blanks["id"]
    given = {name: visit.form.get(name) or "" for name in PLACE} | {"warehouse_id": warehouse_id}
    return await _change(visit, "/returns/edit-return-warehouse", given, warehouse_id, "returns_changed")


async def enroll(visit: Visit) -> Response:
    """Let a product be returned to a warehouse."""
    given = {name: visit.form.get(name) or "" for name in ("id", "region", "warehouse_id")}
    return await _change(visit, "/returns/enroll-product-in-returns", given, "enroll", "enrolled")


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    "/returns": {"GET": show_returns, "POST": add_warehouse},
    "/returns/enroll": {"POST": enroll},
    "/returns/{id}": {"POST": change_warehouse},
}
