"""The frame of all pages of one service: routes, sessions, languages, protection against forgery, headers.

A page is a coroutine that takes a `Visit` and gives a `Response`. What it changes it changes in one transaction, in
the role of the application, bound to the account of whoever is signed in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined

from tradepost.domain import people
from tradepost.domain.context import Ctx, random_id
from tradepost.domain.people import Signed
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.surfaces.pages.asked import MOST_QUERY, Fields, Unreadable, cookie, read_fields, read_form
from tradepost.surfaces.pages.words import LOCALES, Words, pick, words
from tradepost.values import Fact
from tradepost.wire.http_types import Request, Response

NOBODY: Final = "nobody"
HTML: Final = "text/html; charset=utf-8"
STYLE: Final = (resources.files(__package__) / "static" / "pages.css").read_bytes()
STYLE_PATH: Final = f"/pages/{hashlib.sha256(STYLE).hexdigest()[:12]}.css"

log = structlog.get_logger("tradepost.pages")

_templates = Environment(
    loader=PackageLoader("tradepost.surfaces.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Stop(Exception):
    """A page ends here, with an answer."""

    def __init__(self, response: Response) -> None:
        self.response = response


@dataclass(slots=True)
class Visit:
    """One request to a page, and who makes it."""

    site: Site
    request: Request
    query: Fields
    form: Fields
    say: Words
    session: str
    """What the session's cookie holds, good or not."""

    @property
    def is_secure(self) -> bool:
        """Whether it came over https; in the sandbox it need not, from this machine."""
        return self.request.scheme == "https"

    @property
    def here(self) -> str:
        """The path and the query of this page."""
        return self.request.path + self.query.without()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Ctx, Signed | None]]:
        """A context in one transaction, and who is signed in: he is whom it is bound to."""
        async with self.site.database.acting_for(NOBODY) as connection:
            now = await connection.fetchval("select world_now()")
            ctx = Ctx(connection, now, None, random_id)
            yield ctx, await people.find_session(ctx, self.site.service, self.session)

    def render(self, template: str, status: int = 200, leads_to: str = "", **values: Any) -> Response:
        """A page out of a template; `leads_to` is where its form may lead besides here, by scheme and host."""
        text = _templates.get_template(template).render(
            say=self.say,
            service=self.site.service,
            style=STYLE_PATH,
            languages=[
                (name, LOCALES[name], f"{self.request.path}{_with_locale(self.query, name)}") for name in LOCALES
            ],
            **values,
        )
        return Response(status, text.encode(), HTML, self._headers(leads_to))

    def trouble(self, key: str, status: int = 400, **blanks: str) -> Response:
        """A page that says what is wrong, and leads nowhere."""
        return self.render("trouble.html", status, text=self.say(key, **blanks))

    def redirect(self, where: str) -> Response:
        """Go somewhere else, by GET."""
        return Response(303, b"", HTML, {"Location": where})

    def seal(self, purpose: str, secret: str) -> str:
        """What a form holds so that nobody else can have made it; `secret` is what only this browser knows."""
        return hmac.new(secret.encode(), f"{self.site.service}\n{purpose}".encode(), hashlib.sha256).hexdigest()

    def check_seal(self, purpose: str, secret: str, told: str | None) -> None:
        """Stop where a form was made by somebody else, for somebody else or for something else."""
        if not secret or not hmac.compare_digest(self.seal(purpose, secret).encode(), (told or "").encode()):
            raise Stop(self.trouble("forged", 403))

    def cookie(self, name: str, value: str, *, gone: bool = False) -> str:
        """A cookie of this service. Over https no other host and no plain http can have set it."""
        life = "; Max-Age=0" if gone else ""
        safe = "; Secure" if self.is_secure else ""
        return f"{cookie_name(self, name)}={value}; Path=/; HttpOnly; SameSite=Lax{safe}{life}"

    def _headers(self, leads_to: str) -> dict[str, str]:
        rules = (
            "default-src 'none'; style-src 'self'; img-src 'self'; "
            f"form-action 'self'{' ' + leads_to if leads_to else ''}; frame-ancestors 'none'; base-uri 'none'"
        )
        found = {
            "Content-Security-Policy": rules,
            "X-Frame-Options": "DENY",
            # Nothing goes to others; without any, browsers would not say where a form of ours came from.
            "Referrer-Policy": "same-origin",
            "Content-Language": self.say.locale,
        }
        if self.is_secure:
            found["Strict-Transport-Security"] = "max-age=31536000"
        return found


Page = Callable[[Visit], Awaitable[Response]]


class Site:
    """The pages of one service, by path and method."""

    def __init__(
        self, service: str, database: Database, scopes: Mapping[str, str], pages: Mapping[str, Mapping[str, Page]]
    ) -> None:
        self.service = service
        self.database = database
        self.scopes = scopes
        self._pages = pages

    def has(self, path: str) -> bool:
        """Whether this is a page of ours."""
        return path in self._pages or path == STYLE_PATH

    async def answer(self, request: Request) -> Response:
        """Answer a request to one of our pages, whatever happens, with a page."""
        if request.path == STYLE_PATH:
            return Response(200, STYLE, "text/css; charset=utf-8", {"Cache-Control": "public, max-age=31536000"})
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
            log.warning("a page met a fact that it has no words for", fact=type(fact).__name__, path=request.path)
            return visit.trouble("unreadable")
        except Exception:
            log.exception("unexpected", path=request.path)
            return visit.trouble("unexpected", 500)

    async def _answer(self, visit: Visit) -> Response:
        request = visit.request
        method = "GET" if request.method == "HEAD" else request.method
        pages = self._pages[request.path]
        if method not in pages:
            response = visit.trouble("method", 405)
            response.headers["Allow"] = ", ".join(pages)
            return response
        visit.query = read_fields(request.query, MOST_QUERY)
        if method == "POST":
            if not comes_from_here(request):
                return visit.trouble("forged", 403)
            visit.form = await read_form(request)
        return await pages[method](visit)

    def _visit(self, request: Request) -> Visit:
        try:
            query = read_fields(request.query, MOST_QUERY)
        except Unreadable:
            query = read_fields(b"", MOST_QUERY)
        locale = pick(query.get("locale"), request.headers.get("accept-language", ""))
        visit = Visit(self, request, query, read_fields(b"", 0), words(locale), "")
        visit.session = cookie(request, cookie_name(visit, "session"))
        return visit


def cookie_name(visit: Visit, name: str) -> str:
    """What a cookie is called. Both services may have one host, and cookies know no ports."""
    return f"{'__Host-' if visit.is_secure else ''}{visit.site.service}-{name}"


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


def _with_locale(query: Fields, locale: str) -> str:
    left = query.without("locale")
    return f"{left}{'&' if left else '?'}locale={locale}"
