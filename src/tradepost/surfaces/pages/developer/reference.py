"""The generated reference, as pages: what `tools/reference.py` writes, each endpoint with a link to its form.

It is English, as the declarations are. An installed package has the files within; a clone has them in `docs/`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from markupsafe import Markup

from tradepost.surfaces.pages.markdown import document
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.surfaces.pages.words import words
from tradepost.wire.describe import operations_of
from tradepost.wire.describe.markdown import slug
from tradepost.wire.endpoint import Endpoint, Surface
from tradepost.wire.http_types import Response

REFERENCE: Final = "/developer/reference"
BOOKS: Final[Mapping[str, str]] = {"merchant": "merchant-v2", "wishpost": "wishpost-v3"}
"""The folder of each service's reference."""
OLDER: Final[Mapping[str, str]] = {"wishpost": "wishpost-v2"}
"""That of the generation before, which is a single page."""
OLDER_PAGE: Final = "v2"


def place_of(endpoint: Endpoint) -> str:
    """Where the reference tells of an endpoint."""
    return f"{REFERENCE}/{endpoint.chapter}#{slug(endpoint.title)}"


async def show_index(visit: Visit) -> Response:
    """How to call, and all there is."""
    return await _show(visit, "index")


async def show_chapter(visit: Visit) -> Response:
    """One chapter with its endpoints."""
    name = visit.blanks["chapter"]
    return visit.redirect(REFERENCE) if name == "index" else await _show(visit, name)


async def _show(visit: Visit, name: str) -> Response:
    async with visit.open() as (_, signed):
        visit.need_signed(signed)
    api = visit.site.kit.api
    if name not in _files(api.name):
        return visit.trouble("not_there", 404)
    # A long one takes a tenth of a second when it is made, in which others are answered.
    text = await asyncio.to_thread(_read, api, name, visit.say.locale)
    title = text.partition("</h1>")[0].rpartition(">")[2]
    older = OLDER_PAGE if api.name in OLDER and name == "index" else ""
    return visit.render("developer/reference.html", text=text, title=Markup(title), name=name, older=older)


@cache
def _files(service: str) -> dict[str, Traversable]:
    """The Markdown of a service's reference by the names of its pages."""
    found = {file.name.removesuffix(".md"): file for file in _folder(BOOKS[service]).iterdir()}
    if service in OLDER:
        found[OLDER_PAGE] = _folder(OLDER[service]) / "index.md"
    return found


def _folder(name: str) -> Traversable:
    within = resources.files("tradepost") / "reference" / name
    return within if within.is_dir() else Path(__file__).parents[5] / "docs" / name


@cache
def _read(api: Surface, name: str, locale: str) -> Markup:
    """A page as HTML; every one is made once."""
    say = words(locale)
    tries = {
        slug(endpoint.title): f'<p lang="{locale}"><a href="/developer/explorer/{operation}">'
        f"{Markup.escape(say('reference.try'))}</a></p>\n"
        for operation, endpoint in operations_of(api).items()
        if endpoint.chapter == name
    }
    return document(_files(api.name)[name].read_text(encoding="utf-8"), _link, tries)


def _link(target: str) -> str:
    """Where a link between the files leads here."""
    page, mark, anchor = target.partition("#")
    if page.endswith(".md"):
        page = REFERENCE if page == "index.md" else f"{REFERENCE}/{page.removesuffix('.md')}"
    return page + mark + anchor


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    REFERENCE: {"GET": show_index},
    f"{REFERENCE}/{{chapter}}": {"GET": show_chapter},
}
