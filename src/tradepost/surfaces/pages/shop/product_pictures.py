"""The pictures of a product: from a file or from an address, in their order. Chapter *Upload a Temporary Image*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tradepost.domain import pictures, products
from tradepost.domain.context import MerchantCtx
from tradepost.domain.pictures import FOLDER, MOST_BYTES
from tradepost.domain.products import Gallery, ProductRef
from tradepost.surfaces.pages.asked import FileTooLarge
from tradepost.surfaces.pages.shop.products import add_product, show_new, whole_urls
from tradepost.surfaces.pages.site import Page, Stop, Visit
from tradepost.surfaces.pages.visit import Problem
from tradepost.values import Fact
from tradepost.wire.http_types import Response

MOST_FILE: Final = MOST_BYTES["upload"]
MOST_FORM: Final = 32 << 20
"""Of a form with a file: what comes from a camera may be larger than what is taken, and is told so."""
FILE: Final = "picture"
FACTS: Final = {
    "FileTooLarge": "picture_too_heavy",
    "PictureUnreadable": "picture_unreadable",
    "PictureTooSmall": "picture_too_small",
    "PictureTooLarge": "picture_too_large",
}
"""What can be wrong with a file, and the words for it."""
MOVES: Final = {"earlier": -1, "later": 1}
MAIN: Final = "main"
REMOVE: Final = "remove"


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture as the page shows it: what stands for it, where it can be seen, and whether it is here to stay."""

    image: str
    path: str
    is_here: bool


class Changed(Exception):
    """The pictures are not those any more that the page showed."""


async def show_pictures(visit: Visit, problem: Problem | None = None, about: str = "") -> Response:
    """The main picture, the extra ones in their order, and the form for one more; `about` is the form at fault."""
    product_id = visit.blanks["id"]
    async with visit.shop() as ctx:
        product = await products.find_product(ctx, ProductRef(id=product_id), None)
        gallery = await products.find_gallery(ctx, product_id)
    say = visit.say
    main = gallery.wanted or gallery.main
    return visit.render(
        "shop/product_pictures.html",
        200 if problem is None else problem.status,
        product=product,
        main=_shot(main) if main else None,
        before=_shot(gallery.main) if gallery.wanted and gallery.main else None,
        extra=[_shot(image) for image in gallery.extra],
        uses=[("extra", say("picture_as_extra")), (MAIN, say("picture_as_main"))],
        problem=problem,
        about=about,
        sent=visit.sent,
        most=str(MOST_FILE >> 20),
    )


def _shot(image: str) -> Shot:
    file = pictures.read_file(image.removeprefix(FOLDER)) if image.startswith(FOLDER) else None
    return Shot(image, "" if file is None else image, file is not None and file.expires_at is None)


async def keep_file(visit: Visit) -> str | None:
    """The whole URL of the picture whose file a form has, kept as the API keeps uploads; None without a file.

    It is kept whatever becomes of the rest of the form, so that nobody has to choose it again. Raises FileTooLarge
    and what `pictures.upload_picture` raises.
    """
    if FILE in visit.form.too_large:
        raise FileTooLarge
    data = visit.form.files.get(FILE)
    if not data:
        return None
    async with visit.site.heavy.take(visit.session), visit.shop() as ctx:
        return visit.request.base_url + await pictures.upload_picture(ctx, data)


async def add_picture(visit: Visit) -> Response:
    """Add a picture from a file or an address, as the main one or behind the extra ones."""
    product_id = visit.blanks["id"]
    as_main = visit.form.get("use") == MAIN
    try:
        url = await keep_file(visit) or (visit.form.get("picture_url") or "").strip()
        if not url:
            return await show_pictures(visit, Problem(visit.say("picture_none"), FILE), "add")
        async with visit.shop() as ctx:
            gallery = await products.find_gallery(ctx, product_id)
            if as_main:
                await visit.call(ctx, "/product/update", {"id": product_id, "main_image": url})
            else:
                await _set_extra(visit, ctx, product_id, [*gallery.extra, url])
    except Fact as fact:
        return await show_pictures(visit, _problem(visit, fact), "add")
    return visit.done("picture_added", f"/products/{product_id}/pictures")


def _problem(visit: Visit, fact: Fact) -> Problem:
    """What is wrong, at the field of the file, or of the address where there is no file."""
    if key := FACTS.get(type(fact).__name__):
        blanks = {"limit": MOST_FILE >> 20} | fact.blanks()
        return Problem(visit.say(key, **{name: str(value) for name, value in blanks.items()}), FILE)
    problem = visit.problem(fact)
    if problem.status == 404:
        raise Stop(visit.trouble_told(problem.text, 404))
    return Problem(problem.text, FILE if visit.form.files.get(FILE) else "picture_url", problem.status)


async def _set_extra(visit: Visit, ctx: MerchantCtx, product_id: str, images: list[str]) -> None:
    """Replace the extra pictures, by the endpoint that does it."""
    if not images:
        await visit.call(ctx, "/product/remove-extra-images", {"id": product_id})
        return
    given = {"id": product_id, "extra_images": "|".join(whole_urls(visit, images))}
    await visit.call(ctx, "/product/update", given)


async def arrange(visit: Visit) -> Response:
    """Move an extra picture, take it off, or make it the main one."""
    product_id, wish = visit.blanks["id"], visit.form.get("do") or ""
    try:
        async with visit.shop() as ctx:
            gallery = await products.find_gallery(ctx, product_id)
            images, at = list(gallery.extra), _place(visit, gallery)
            if wish in MOVES:
                to = min(max(at + MOVES[wish], 0), len(images) - 1)
                images.insert(to, images.pop(at))
            elif wish == MAIN:
                await _swap(visit, ctx, product_id, gallery, images, at)
            elif wish == REMOVE:
                del images[at]
            else:
                return visit.trouble("unreadable")
            if images != list(gallery.extra):
                await _set_extra(visit, ctx, product_id, images)
    except Changed:
        return await show_pictures(visit, Problem(visit.say("pictures_changed"), "", 409), "arrange")
    except Fact as fact:
        return await show_pictures(visit, visit.problem(fact), "arrange")
    done = {MAIN: "picture_main", REMOVE: "picture_removed"}.get(wish, "picture_moved")
    return visit.done(done, f"/products/{product_id}/pictures")


def _place(visit: Visit, gallery: Gallery) -> int:
    """Which extra picture a form means; raises Changed where it does not stand there any more."""
    text, image = visit.form.get("at") or "", visit.form.get("image") or ""
    at = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else len(gallery.extra)
    if at >= len(gallery.extra) or gallery.extra[at] != image:
        raise Changed
    return at


async def _swap(
    visit: Visit, ctx: MerchantCtx, product_id: str, gallery: Gallery, images: list[str], at: int
) -> None:
    """Make an extra picture the main one, which takes its place among the extra ones."""
    (url,) = whole_urls(visit, [images[at]])
    await visit.call(ctx, "/product/update", {"id": product_id, "main_image": url})
    if before := gallery.wanted or gallery.main:
        images[at] = before
    else:
        del images[at]


async def add_new(visit: Visit) -> Response:
    """Add a product, whose main picture may come as a file."""
    try:
        url = await keep_file(visit)
    except Fact as fact:
        return await show_new(visit, _problem(visit, fact))
    return await add_product(visit, url or visit.form.get("main_image") or "")


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    "/products/new": {"GET": show_new, "POST": add_new},
    "/products/{id}/pictures": {"GET": show_pictures, "POST": add_picture},
    "/products/{id}/pictures/arrange": {"POST": arrange},
}
LARGE: Final = {"/products/new": MOST_FORM, "/products/{id}/pictures": MOST_FORM}
FILES: Final = {path: {FILE: MOST_FILE} for path in LARGE}
