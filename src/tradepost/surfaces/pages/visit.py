"""A visit: one request to a page, who makes it, and what a page may do for him."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from jinja2 import Environment, PackageLoader, StrictUndefined

from tradepost.domain import merchants, parcels, world
from tradepost.domain.context import By, Ctx, MerchantCtx, ShipperCtx, random_id
from tradepost.domain.people import Signed
from tradepost.domain.sealing import SealingKeys
from tradepost.surfaces.pages.asked import Fields, cookie, day
from tradepost.surfaces.pages.formats import Formats
from tradepost.surfaces.pages.markdown import coded
from tradepost.surfaces.pages.words import LOCALES, Words
from tradepost.surfaces.sessions import Tools
from tradepost.values import Fact
from tradepost.wire.endpoint import Surface
from tradepost.wire.forms import Parameters
from tradepost.wire.http_types import Request, Response
from tradepost.wire.refusals import BadParameter

if TYPE_CHECKING:
    from tradepost.surfaces.pages.site import Site

NOBODY: Final = "nobody"
HTML: Final = "text/html; charset=utf-8"
SIGN_IN: Final = "/sign-in"
PROVE: Final = "/account/prove"
"""Where somebody shows once more who he is."""
STYLE: Final = (resources.files(__package__) / "static" / "pages.css").read_bytes()
STYLE_PATH: Final = f"/pages/{hashlib.sha256(STYLE).hexdigest()[:12]}.css"
ICON: Final = (resources.files(__package__) / "static" / "icon.svg").read_bytes()
ICON_PATH: Final = f"/pages/{hashlib.sha256(ICON).hexdigest()[:12]}.svg"
SCRIPT: Final = (resources.files(__package__) / "static" / "following.js").read_bytes()
SCRIPT_PATH: Final = f"/pages/{hashlib.sha256(SCRIPT).hexdigest()[:12]}.js"
"""The only script that there is, of pages that follow unfinished work."""
STATIC: Final = {
    STYLE_PATH: (STYLE, "text/css; charset=utf-8"),
    ICON_PATH: (ICON, "image/svg+xml"),
    SCRIPT_PATH: (SCRIPT, "text/javascript; charset=utf-8"),
}
"""What pages are dressed with, by paths that change with it."""
QUOTED: Final = (("'", "'"), ("„", "“"), ("« ", " »"), ("«\u00a0", "\u00a0»"), ("“", "”"))
"""How the sentences of the API set the name of a parameter off from the rest, in each of its languages."""
FOLLOWING_RULES: Final = "script-src 'self'; connect-src 'self'; "
"""What a page that follows may do besides others: have our script, which asks for that page."""
OF_LINKS: Final = ("next", "token")
"""What the link to a bare page may say and its form repeats: another language of a refused form has it as well."""
FORM_SEAL: Final = "form"
"""What the forms of whoever is signed in are sealed for."""

_templates = Environment(
    loader=PackageLoader("tradepost.surfaces.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["coded"] = coded
_templates.tests["day"] = lambda text: day(text) is not None


class Stop(Exception):
    """A page ends here, with an answer."""

    def __init__(self, response: Response) -> None:
        self.response = response


@dataclass(frozen=True, slots=True)
class Kit:
    """What pages need beside the database of their service."""

    api: Surface
    """The API that the pages are the twin of: what they change, they change by its endpoints."""
    tools: Callable[[], Tools]
    """What a call may need, as calls of the API have it."""
    desk: Any = None
    """The desk of the sandbox; None in production."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a form, in words; `field` is the name of the field that it is about, "" for the whole."""

    text: str
    field: str = ""
    status: int = 400


class Sent(dict[str, str]):
    """What a form held, for showing it again: a name that it did not have is empty."""

    def __missing__(self, name: str) -> str:
        return ""


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
    blanks: Mapping[str, str] = field(default_factory=dict)
    """What stands in the path where the page's has blanks."""
    signed: Signed | None = None
    """Who is signed in, as far as somebody looked."""

    @property
    def is_secure(self) -> bool:
        """Whether it came over https; in the sandbox it need not, from this machine."""
        return self.request.scheme == "https"

    @property
    def here(self) -> str:
        """The path and the query of this page."""
        return self.request.path + self.query.without()

    @property
    def sent(self) -> Sent:
        """What the form of this visit held."""
        return Sent(self.form.values)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Ctx, Signed | None]]:
        """A context in one transaction, and who is signed in: he is whom it is bound to."""
        async with self.site.database.acting_for(NOBODY) as connection:
            now = await connection.fetchval("select world_now()")
            ctx = Ctx(connection, now, None, random_id)
            self.signed = signed = await self.site.find_session(ctx, self.session)
            by = None if signed is None else By(self.site.who, signed.user_id, self.request.client or "")
            yield replace(ctx, by=by), signed

    def need_signed(self, signed: Signed | None, *, again: bool = False) -> Signed:
        """Whoever is signed in; anybody else is asked to, and comes back here. `again` asks everybody."""
        if signed is None or again:
            raise Stop(self.redirect(self.site.root + SIGN_IN + self._coming_back))
        return signed

    def need_proved(self, signed: Signed | None) -> Signed:
        """Whoever is signed in and has shown his password or a code a while ago at most.

        For what more than a browser left open should take, such as a secret that is shown; others are asked for it
        first, and come back here.
        """
        signed = self.need_signed(signed)
        if not signed.is_proved:
            raise Stop(self.redirect(self.site.root + PROVE + self._coming_back))
        return signed

    @property
    def _coming_back(self) -> str:
        """The query that leads back to this page afterwards; no link sends a form, so to the page that it is on."""
        path = self.request.path
        page = path if self.request.method in ("GET", "HEAD") else self.site.page_of(path)
        where = page + self.query.without("force_login") if page == path else page
        return f"?next={quote(where, safe='')}" if where else ""

    @property
    def seals(self) -> SealingKeys:
        """The keys that secrets are sealed with which have to be usable."""
        tools = self.site.kit.tools().webhooks
        assert tools is not None, "every service has sealing keys"
        return tools.seals

    @asynccontextmanager
    async def shop(self, *, proved: bool = False) -> AsyncIterator[MerchantCtx]:
        """One transaction as the merchant who is signed in: `account` on the merchant service."""
        async with self.account(proved=proved) as ctx:
            assert isinstance(ctx, MerchantCtx), "nobody else has a shop"
            yield ctx

    @asynccontextmanager
    async def account(self, *, proved: bool = False) -> AsyncIterator[MerchantCtx | ShipperCtx]:
        """One transaction as the account that is signed in, with all that a call of its to the API would have.

        Whoever is not signed in is asked to, and a form that was not made for this session is refused: no page
        that begins with this can be called otherwise. With `proved` he must have shown lately who he is.
        """
        async with self.open() as (ctx, signed):
            signed = self.need_signed(signed)
            is_sent = self.request.method == "POST"
            if is_sent:
                self.check_form()
            if proved:
                self.need_proved(signed)
            if signed.suspended:
                word = "shop_suspended" if self.site.service == "merchant" else "account_suspended"
                raise Stop(self.trouble(word, 403))
            made = await self._acting(ctx, signed, is_sent)
            if is_sent:
                await world.begin_anew(made)
            yield made

    async def _acting(self, ctx: Ctx, signed: Signed, is_sent: bool) -> MerchantCtx | ShipperCtx:
        """The context of a call by whoever is signed in."""
        tools = self.site.kit.tools()
        seed = None if tools.chance is None or not is_sent else tools.chance.seed
        new_id = random_id if seed is None else world.ForetoldIds(seed)
        by = By("person", signed.user_id, self.request.client or "")
        if self.site.service == "wishpost":
            sender = (await parcels.act_for(ctx, signed.account_id)).actor
            return ShipperCtx(ctx.db, ctx.now, sender, new_id, None, tools.link_keys, tools.press, by=by)
        shop = (await merchants.act_for(ctx, signed.account_id)).actor
        kit = tools.link_keys, tools.studio, tools.order_rules, tools.webhooks
        return MerchantCtx(ctx.db, ctx.now, shop, new_id, None, *kit, by=by)

    async def call(self, ctx: MerchantCtx, path: str, given: Mapping[str, str]) -> Any:
        """Do what an endpoint of the API does, in the same transaction: its readers judge what is given.

        `path` is the endpoint's without the prefix. A text that is empty is not given. Raises what the endpoint
        raises, which `problem` puts in words.
        """
        api = self.site.kit.api
        parameters = Parameters()
        parameters.add_place(list(given.items()))
        endpoint = api.find("POST", api.prefix + path)
        arguments = endpoint.bind(parameters, self.request.base_url, self.say.locale)
        return await endpoint.handler(ctx, **arguments)

    def problem(self, fact: Fact, fields: Mapping[str, str] | None = None) -> Problem:
        """What is wrong in the sentence that the API has for it; `fields` tells which field a fact is about.

        A parameter is called as its field is; `fields` may tell that, too, where the two have other names.
        """
        table, kind, fields = self.site.kit.api.table, type(fact), fields or {}
        if kind not in table:
            raise fact
        is_named = isinstance(fact, BadParameter) or table.line(kind.__name__).detail == "@name"
        parameter = str(fact.blanks()["name"]) if is_named else fields.get(kind.__name__, "")
        whole = parameter.partition("[")[0]  # a form has one field for the items of a list
        name = fields.get(whole, whole)
        told = table.tell(fact, self.say.locale)
        text, label = told.message, self._label(name)
        for opened, closed in QUOTED if label else ():
            text = text.replace(f"{opened}{parameter}{closed}", f"{opened}{label}{closed}")
        return Problem(text, name, told.http)

    def _label(self, name: str) -> str:
        """What a field is called in the page's language; "" where nobody says."""
        keys = [key for key in (f"{self.site.words}field.{name}", f"field.{name}") if key in self.say]
        return self.say(keys[0]) if name and keys else ""

    def done(self, key: str, where: str, **blanks: str) -> Response:
        """Go on to a page that says once what was done, in the words of `done.<key>`."""
        response = self.redirect(where)
        told = "&".join(quote(text, safe="") for text in (key, *(f"{k}={v}" for k, v in blanks.items())))
        response.headers["Set-Cookie"] = self.cookie("done", told)
        return response

    def render(
        self,
        template: str,
        status: int = 200,
        leads_to: str = "",
        *,
        bare: bool = False,
        follows: bool = False,
        **values: Any,
    ) -> Response:
        """A page out of a template; `leads_to` is where its form may lead besides here, by scheme and host.

        A `bare` page has no menu, whoever sees it. One that `follows` what is under way has a script for that.
        """
        signed = self.signed
        done = self._done() if signed is not None else ""
        kept = {name: self.form.get(name) or "" for name in OF_LINKS if bare and self.form.get(name)}
        text = _templates.get_template(template).render(
            say=self.say,
            show=Formats.of(self.say.locale),
            service=self.site.service,
            root=self.site.root,
            style=STYLE_PATH,
            icon=ICON_PATH,
            script=SCRIPT_PATH if follows else "",
            languages=[
                (name, LOCALES[name], self.request.path + self.query.with_(**kept, locale=name)) for name in LOCALES
            ],
            navigation=[] if signed is None or bare else self.site.navigation(self.request.path),
            whose="" if signed is None else signed.account_name,
            here=self.here,
            done=done,
            form_seal="" if signed is None else self.seal(FORM_SEAL, self.session),
            leave_seal="" if signed is None else self.seal("sign-out", self.session),
            is_sandbox=self.site.kit.desk is not None,
            **values,
        )
        told = {"Set-Cookie": self.cookie("done", "", gone=True)} if done else {}
        return Response(status, text.encode(), HTML, self._headers(leads_to, follows) | told | self._chosen())

    def trouble(self, key: str, status: int = 400, **blanks: str) -> Response:
        """A page that says what is wrong, and leads nowhere."""
        return self.trouble_told(self.say(key, **blanks), status)

    def trouble_told(self, text: str, status: int = 400) -> Response:
        """The same with words from elsewhere."""
        return self.render("trouble.html", status, text=text)

    def redirect(self, where: str) -> Response:
        """Go somewhere else, by GET."""
        return Response(303, b"", HTML, {"Location": where} | self._chosen())

    def _chosen(self) -> dict[str, str]:
        """The header that keeps the language which was just chosen, also on the way to a page to sign in first."""
        is_known = self.query.get("locale") in LOCALES
        return {"Set-Cookie": self.cookie("locale", self.say.locale)} if is_known else {}

    def seal(self, purpose: str, secret: str) -> str:
        """What a form holds so that nobody else can have made it; `secret` is what only this browser knows."""
        return hmac.new(secret.encode(), f"{self.site.service}\n{purpose}".encode(), hashlib.sha256).hexdigest()

    def check_seal(self, purpose: str, secret: str, told: str | None) -> None:
        """Stop where a form was made by somebody else, for somebody else or for something else."""
        if not secret or not hmac.compare_digest(self.seal(purpose, secret).encode(), (told or "").encode()):
            raise Stop(self.trouble("forged", 403))

    def check_form(self) -> None:
        """Stop where a form is not one of those that whoever is signed in was shown."""
        self.check_seal(FORM_SEAL, self.session, self.form.get("seal"))

    def cookie(self, name: str, value: str, *, gone: bool = False, seconds: int = 0) -> str:
        """A cookie of this service, for so long; without a time until the browser is closed.

        Over https no other host and no plain http can have set it.
        """
        life = f"; Max-Age={seconds}" if gone or seconds else ""
        safe = "; Secure" if self.is_secure else ""
        return f"{cookie_name(self, name)}={value}; Path=/; HttpOnly; SameSite=Lax{safe}{life}"

    def _done(self) -> str:
        """What was done before this page, in words; nothing where nothing was, or nobody knows what."""
        key, *blanks = [unquote(part) for part in cookie(self.request, cookie_name(self, "done")).split("&")]
        try:
            return self.say(f"done.{key}", **dict(text.split("=", 1) for text in blanks)) if key else ""
        except (KeyError, ValueError, TypeError):
            return ""

    def _headers(self, leads_to: str, follows: bool) -> dict[str, str]:
        rules = (
            "default-src 'none'; style-src 'self'; img-src 'self'; "
            f"{FOLLOWING_RULES if follows else ''}"
            f"form-action 'self'{' ' + leads_to if leads_to else ''}; frame-ancestors 'none'; base-uri 'none'"
        )
        found = {
            "Content-Security-Policy": rules,
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            # What somebody sees of his shop is kept by no cache and shown to nobody who comes after him.
            "Cache-Control": "no-store",
            # Nothing goes to others; without any, browsers would not say where a form of ours came from.
            "Referrer-Policy": "same-origin",
            "Content-Language": self.say.locale,
        }
        if self.is_secure:
            # The names of a sandbox are borrowed, and localhost has other services, which may know no https.
            seconds = 0 if self.site.kit.desk is not None else 31_536_000
            found["Strict-Transport-Security"] = f"max-age={seconds}"
        return found


def cookie_name(visit: Visit, name: str) -> str:
    """What a cookie is called. Both services may have one host, and cookies know no ports."""
    return f"{'__Host-' if visit.is_secure else ''}{visit.site.service}-{name}"
