"""The frame of all pages of one service: routes, languages, protection against forgery, what happens to faults.

A page is a coroutine that takes a `Visit` and gives a `Response`. What it changes it changes in one transaction, in
the role of the application, bound to the account of whoever is signed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import structlog

from tradepost.domain import people
from tradepost.domain.context import Ctx
from tradepost.domain.people import Device, Person, Signed
from tradepost.domain.sealing import SealingKeys
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.surfaces.pages.asked import MOST_QUERY, Fields, Unreadable, cookie, read_fields, read_form
from tradepost.surfaces.pages.navigation import Group, Line, menu
from tradepost.surfaces.pages.navigation import Page as Page
from tradepost.surfaces.pages.visit import HTML as HTML
from tradepost.surfaces.pages.visit import STATIC
from tradepost.surfaces.pages.visit import STYLE as STYLE
from tradepost.surfaces.pages.visit import Kit as Kit
from tradepost.surfaces.pages.visit import Stop as Stop
from tradepost.surfaces.pages.visit import Visit as Visit
from tradepost.surfaces.pages.visit import cookie_name as cookie_name
from tradepost.surfaces.pages.words import LOCALES, pick, words
from tradepost.values import Fact
from tradepost.wire.http_types import Request, Response
from tradepost.wire.turns import HEAVY_TURNS, MOST_IN_LINE, Turns

MOST_BLANK: Final = 200

log = structlog.get_logger("tradepost.pages")

Methods = Mapping[str, Page]


class Site:
    """The pages of one service, by path and method. `root` is what the paths of a person's own pages begin with."""

    root = ""
    who = "person"
    """As what its people stand in the audit log."""
    words = ""
    """What the keys of their own words for fields begin with."""

    def __init__(self, database: Database, groups: Sequence[Group], kit: Kit) -> None:
        self.service: str = kit.api.name
        self.database = database
        self.scopes: Mapping[str, str] = kit.api.scopes
        self.kit = kit
        self.groups = groups
        self._plain: dict[str, Methods] = {}
        self._open: dict[tuple[str, int], list[tuple[list[str], Methods]]] = {}
        self._large: dict[int, int] = {}
        self._files: dict[int, Mapping[str, int]] = {}
        self._bodies = Turns()
        self.heavy = Turns(HEAVY_TURNS, HEAVY_TURNS, MOST_IN_LINE)
        """Turns at what keeps a connection for long, such as having a picture made."""
        for group in groups:
            for path, methods in group.pages.items():
                self._add(path, methods)
                if path in group.large:
                    self._large[id(methods)] = group.large[path]
                    self._files[id(methods)] = group.files.get(path, {})

    @property
    def first(self) -> str:
        """Where somebody goes who signed in and wants nothing in particular: the first line of the menu."""
        return self.groups[0].entries[0].path

    @property
    def pages(self) -> Mapping[str, Methods]:
        """Every page by its path, blanks in braces, and its methods."""
        return {path: methods for group in self.groups for path, methods in group.pages.items()}

    async def find_session(self, ctx: Ctx, session: str, *, needs_code: bool = False) -> Signed | None:
        """Who is signed in by a session; None where it is none or over. Or who has yet to show his code."""
        return await people.find_session(ctx, self.service, session, needs_code=needs_code)

    async def person_of(self, ctx: Ctx, signed: Signed) -> tuple[Person, str]:
        """Who is signed in, with what is kept of his password, and what he signs in with."""
        return await people.person_of(ctx, self.service, signed)

    async def prove(self, ctx: Ctx, signed: Signed) -> None:
        """Note that whoever is signed in has just shown his password."""
        await people.prove(ctx, signed)

    async def enter_code(self, ctx: Ctx, half: Signed, code: str, seals: SealingKeys, device: Device) -> str | None:
        """Sign in whoever has shown his password and now a code; gives his session, None where it is wrong."""
        return await people.enter_code(ctx, self.service, half, code, seals, device)

    def _add(self, path: str, methods: Methods) -> None:
        parts = path.split("/")
        if not any(part.startswith("{") for part in parts):
            self._plain[path] = methods
            return
        self._open.setdefault((parts[1], len(parts)), []).append((parts, methods))

    def has(self, path: str) -> bool:
        """Whether this is a page of ours."""
        return path in STATIC or self._find(path) is not None

    def page_of(self, path: str) -> str:
        """The page with the form that leads to a path: that path, or what it is below; "" where there is none."""
        while path:
            found = self._find(path)
            if found is not None and "GET" in found[0]:
                break
            path = path.rpartition("/")[0]
        return path

    def navigation(self, path: str) -> list[tuple[str, list[Line]]]:
        """The menu on a page."""
        return menu(self.groups, path)

    def _find(self, path: str) -> tuple[Methods, dict[str, str]] | None:
        """The page of a path with what fills its blanks; a path without any goes before one with some."""
        if methods := self._plain.get(path):
            return methods, {}
        parts = path.split("/")
        for wanted, methods in self._open.get((parts[1] if len(parts) > 1 else "", len(parts)), ()):
            pairs = list(zip(wanted, parts, strict=True))
            if all(part if name.startswith("{") else name == part for name, part in pairs):
                return methods, {name[1:-1]: part for name, part in pairs if name.startswith("{")}
        return None

    async def answer(self, request: Request) -> Response:
        """Answer a request to one of our pages, whatever happens, with a page."""
        if request.path in STATIC:
            data, kind = STATIC[request.path]
            return Response(200, data, kind, {"Cache-Control": "public, max-age=31536000"})
        visit = self._visit(request)
        try:
            return await self._answer(visit)
        except Stop as stop:
            return stop.response
        except Unreadable:
            return visit.trouble("unreadable")
        except StorageUnavailable:
            return visit.trouble("unavailable", 503)
        except Fact as fact:
            if type(fact) in self.kit.api.table:
                problem = visit.problem(fact)
                is_gone = type(fact).__name__.endswith("NotFound")
                return visit.trouble_told(problem.text, 404 if is_gone else problem.status)
            log.warning("a page met a fact that it has no words for", fact=type(fact).__name__, path=request.path)
            return visit.trouble("unreadable")
        except Exception:
            log.exception("unexpected", path=request.path)
            return visit.trouble("unexpected", 500)

    async def _answer(self, visit: Visit) -> Response:
        request = visit.request
        method = "GET" if request.method == "HEAD" else request.method
        found = self._find(request.path)
        assert found is not None, "only what has() says is asked for"
        pages, visit.blanks = found
        if any(len(text) > MOST_BLANK or not text.isprintable() for text in visit.blanks.values()):
            return visit.trouble("not_there", 404)
        if method not in pages:
            response = visit.trouble("method", 405)
            response.headers["Allow"] = ", ".join(pages)
            return response
        visit.query = read_fields(request.query, MOST_QUERY)
        if method == "POST":
            if not comes_from_here(request):
                return visit.trouble("forged", 403)
            visit.form = await self._form(visit, id(pages))
        return await pages[method](visit)

    async def _form(self, visit: Visit, page: int) -> Fields:
        """The form that was sent; a large one is read in its turn, for the memory that it takes."""
        most = self._large.get(page)
        if most is None:
            return await read_form(visit.request)
        async with self._bodies.take(visit.session):
            return await read_form(visit.request, most, self._files[page])

    def _visit(self, request: Request) -> Visit:
        try:
            query = read_fields(request.query, MOST_QUERY)
        except Unreadable:
            query = read_fields(b"", MOST_QUERY)
        visit = Visit(self, request, query, read_fields(b"", 0), words(pick(None, "")), "")
        asked = query.get("locale")
        wish = asked if asked in LOCALES else cookie(request, cookie_name(visit, "locale"))
        visit.say = words(pick(wish, request.headers.get("accept-language", "")))
        visit.session = cookie(request, cookie_name(visit, "session"))
        return visit


def comes_from_here(request: Request) -> bool:
    """Whether a form was sent by a page of this very site, as browsers tell it."""
    origin = request.headers.get("origin")
    if origin is not None and origin != "null":
        return origin == request.base_url
    return request.headers.get("sec-fetch-site") == "same-origin"


def is_ours(site: Site, where: str | None) -> bool:
    """Whether a path with its query leads to one of our pages and nowhere else."""
    if where is None or not where.isascii() or not where.isprintable() or not where.startswith("/"):
        return False
    parts = urlsplit(where)
    return not parts.scheme and not parts.netloc and "\\" not in where and site.has(parts.path)
