"""The products of a shop: the list with stock and prices to edit, one product, a new one. Chapter *Product*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tradepost.domain import products
from tradepost.domain.context import MerchantCtx
from tradepost.domain.products import ProductRef, ShopFilter
from tradepost.domain.products.failures import ParentSkuTaken, SkuTaken
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.site import Page, Visit, is_ours
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Bookmark, Fact
from tradepost.wire.http_types import Response

REVIEWS: Final = ("pending", "approved", "rejected")
SALES: Final = {"yes": True, "no": False}
CONDITIONS: Final = ("NEW", "USED", "REFURBISHED")
LINES: Final = 25
FIELDS: Final = {
    SkuTaken.__name__: "sku",
    ParentSkuTaken.__name__: "parent_sku",
    "MainImageMissing": "main_image",
    "NewImageUnreachable": "main_image",
    "ImageUnreachable": "main_image",
}
ADDED: Final = (
    *("name", "description", "tags", "sku", "parent_sku", "color", "size", "inventory", "price", "localized_price"),
    *("shipping", "localized_shipping", "main_image", "extra_images", "upc", "condition", "max_quantity"),
    "landing_page_url",
)
CHANGED: Final = (*("name", "description", "tags", "upc", "condition", "max_quantity", "landing_page_url"),)
NEW_VARIATION: Final = ("sku", "color", "size", "inventory", "price", "localized_price")


async def show_products(visit: Visit, problem: Problem | None = None, about: str = "") -> Response:
    """The products, the last changed first, searched and filtered; of each with one variation stock and price."""
    query = visit.query
    text = lists.asked_text(visit, "text", 100)
    review = lists.one_of(query.get("review"), REVIEWS)
    sale = lists.one_of(query.get("sale"), list(SALES))
    wanted = ShopFilter(text or None, review or None, SALES.get(sale))
    async with visit.shop() as ctx:
        found, more = await products.page_shop(ctx, wanted, lists.bookmark(visit), LINES)
    last = Bookmark(found[-1].updated_at, found[-1].id) if found else None
    say = visit.say
    return visit.render(
        "shop/products.html",
        200 if problem is None else problem.status,
        found=found,
        pages=lists.behind(visit, last, more),
        given={"text": text, "review": review, "sale": sale},
        reviews=[("", say("any")), *((one, say(f"product.{one}")) for one in REVIEWS)],
        sales=[("", say("any")), ("yes", say("for_sale")), ("no", say("not_for_sale"))],
        problem=problem,
        about=about,
        money=money_of(ctx),
        sent=visit.sent,
    )


def money_of(ctx: MerchantCtx) -> Mapping[str, Any]:
    """In which amounts a shop sets its prices: the name of the parameter, and the currency."""
    own = not ctx.actor.paid_in_usd
    return {
        "own": own,
        "price": "localized_price" if own else "price",
        "shipping": "localized_shipping" if own else "shipping",
        "currency": ctx.actor.currency if own else "USD",
    }


async def edit_line(visit: Visit) -> Response:
    """Set stock and price of one variation, from the list or from the product's own page."""
    sku, back = visit.form.get("sku") or "", visit.form.get("back") or "/products"
    here = back if is_ours(visit.site, back) else "/products"
    try:
        async with visit.shop() as ctx:
            await visit.call(ctx, "/variant/update", {**_amounts(visit, ctx, "price"), "sku": sku, **_stock(visit)})
    except Fact as fact:
        problem = visit.problem(fact, FIELDS)
        product_id = here.removeprefix("/products/")
        if here.startswith("/products/") and "/" not in product_id:
            visit.blanks = {"id": product_id}
            return await show_product(visit, problem, sku)
        return await show_products(visit, problem, sku)
    return visit.done("variation_changed", here, sku=sku)


def _stock(visit: Visit) -> dict[str, str]:
    return {"inventory": visit.form.get("inventory") or ""}


def _amounts(visit: Visit, ctx: MerchantCtx, *names: str) -> dict[str, str]:
    """The amounts of a form, in the currency that the shop sets its prices in."""
    if ctx.actor.paid_in_usd:
        return {name: visit.form.get(name) or "" for name in names}
    own = {f"localized_{name}": visit.form.get(f"localized_{name}") or "" for name in names}
    return own | ({"localized_currency_code": ctx.actor.currency} if any(own.values()) else {})


async def show_product(visit: Visit, problem: Problem | None = None, about: str = "") -> Response:
    """One product: what it is, its variations, its pictures; `about` is the form that a problem is about."""
    async with visit.shop() as ctx:
        product = await products.find_product(ctx, ProductRef(id=visit.blanks["id"]), None)
    say = visit.say
    return visit.render(
        "shop/product.html",
        200 if problem is None else problem.status,
        product=product,
        problem=problem,
        about=about,
        sent=visit.sent,
        money=money_of(ctx),
        most=max((variation.inventory or 0 for variation in product.variations), default=0),
        conditions=[("", say("choose")), *((one, say(f"condition.{one}")) for one in CONDITIONS)],
        own_pictures=[image for image in product.pictures if image.startswith("/")],
        waiting=_waiting(product),
    )


def _waiting(product: products.Product) -> list[str]:
    """The URLs of pictures that are not here yet; the main one is known by where it comes from."""
    main = [] if product.main_image else [product.original_image_url]
    return [url for url in (*main, *product.pictures) if url and not url.startswith("/")]


def whole_urls(visit: Visit, images: list[str]) -> list[str]:
    """Pictures as endpoints take them: those of ours by their whole URL."""
    return [visit.request.base_url + image if image.startswith("/") else image for image in images]


async def _change(visit: Visit, path: str, given: dict[str, str], about: str, done: str, **blanks: str) -> Response:
    """Change the product of this page by an endpoint; or show what is wrong with the form."""
    product_id = visit.blanks["id"]
    try:
        async with visit.shop() as ctx:
            await visit.call(ctx, path, given | {"id": product_id})
    except Fact as fact:
        return await show_product(visit, visit.problem(fact, FIELDS), about)
    return visit.done(done, f"/products/{product_id}", **blanks)


async def change_product(visit: Visit) -> Response:
    """Save what the product is."""
    given = {name: visit.form.get(name) or "" for name in CHANGED}
    return await _change(visit, "/product/update", given, "product", "product_changed")


async def put_on_sale(visit: Visit) -> Response:
    """Put the whole product on sale, or take it off."""
    path = "/product/enable" if visit.form.get("sale") == "yes" else "/product/disable"
    return await _change(visit, path, {}, "sale", "sale_changed")


async def put_variation_on_sale(visit: Visit) -> Response:
    """Put one variation on sale, or take it off."""
    sku = visit.form.get("sku") or ""
    path = "/variant/enable" if visit.form.get("sale") == "yes" else "/variant/disable"
    try:
        async with visit.shop() as ctx:
            await visit.call(ctx, path, {"sku": sku})
    except Fact as fact:
        return await show_product(visit, visit.problem(fact, FIELDS), sku)
    return visit.done("sale_changed", f"/products/{visit.blanks['id']}")


async def add_variation(visit: Visit) -> Response:
    """Add a variation to the product."""
    product_id, sku = visit.blanks["id"], visit.form.get("sku") or ""
    try:
        async with visit.shop() as ctx:
            product = await products.find_product(ctx, ProductRef(id=product_id), None)
            given = {name: visit.form.get(name) or "" for name in NEW_VARIATION} | _amounts(visit, ctx, "price")
            if not ctx.actor.paid_in_usd:
                given["price"] = products.UNPAID
            await visit.call(ctx, "/variant/add", given | {"parent_sku": product.parent_sku})
    except Fact as fact:
        return await show_product(visit, visit.problem(fact, FIELDS), "variation")
    return visit.done("variation_added", f"/products/{product_id}", sku=sku)


async def remove_product(visit: Visit) -> Response:
    """Remove the product for good."""
    try:
        async with visit.shop() as ctx:
            await visit.call(ctx, "/product/remove", {"id": visit.blanks["id"]})
    except Fact as fact:
        return await show_product(visit, visit.problem(fact, FIELDS), "remove")
    return visit.done("product_removed", "/products")


async def show_new(visit: Visit, problem: Problem | None = None, main_image: str = "") -> Response:
    """The form for a new product; `main_image` is the URL of a picture that was sent with it and is kept."""
    async with visit.shop() as ctx:
        money = money_of(ctx)
    say = visit.say
    return visit.render(
        "shop/product_new.html",
        200 if problem is None else problem.status,
        problem=problem,
        money=money,
        sent=visit.sent,
        main_image=main_image or visit.sent["main_image"],
        conditions=[("", say("choose")), *((one, say(f"condition.{one}")) for one in CONDITIONS)],
    )


async def add_product(visit: Visit, main_image: str) -> Response:
    """Add a product with its first variation and a main picture."""
    try:
        async with visit.shop() as ctx:
            given = {name: visit.form.get(name) or "" for name in ADDED} | {"main_image": main_image}
            given |= _amounts(visit, ctx, "price", "shipping")
            if not ctx.actor.paid_in_usd:
                given |= {"price": products.UNPAID, "shipping": products.UNPAID}
            made = await visit.call(ctx, "/product/add", given)
    except Fact as fact:
        return await show_new(visit, visit.problem(fact, FIELDS), main_image)
    return visit.done("product_added", f"/products/{made.Product.id}")


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    "/products": {"GET": show_products},
    "/products/edit": {"POST": edit_line},
    "/products/{id}": {"GET": show_product, "POST": change_product},
    "/products/{id}/sale": {"POST": put_on_sale},
    "/products/{id}/variation-sale": {"POST": put_variation_on_sale},
    "/products/{id}/variations": {"POST": add_variation},
    "/products/{id}/remove": {"POST": remove_product},
}
LARGE: Final = {"/products/{id}": 1 << 20}
"""Descriptions are long, and a character of them may be nine bytes of a form."""
