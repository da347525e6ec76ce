"""The page where a person lets an app in, and what it sends the app. Chapters *OAuth2*; RFC 6749, 7636, 9207.

Nobody is sent to an address that is not the app's: what is wrong with the app or its address is told here, and what
is wrong with the rest is told to the app.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from tradepost.domain import access, consents
from tradepost.domain.access import App
from tradepost.domain.access.failures import AppDisabled, AppUnknown
from tradepost.domain.consents import Asking, NewConsent
from tradepost.domain.consents import failures as c
from tradepost.domain.context import Ctx
from tradepost.domain.people import Signed
from tradepost.surfaces.pages.site import Stop, Visit
from tradepost.wire.http_types import Response

_ADDRESSING: Final = ("client_id", "redirect_uri")
_TROUBLES: Final[Mapping[type[Exception], str]] = {
    AppUnknown: "app_unknown",
    AppDisabled: "app_disabled",
    c.AppNotVerified: "app_not_verified",
    c.AppOfAnother: "app_of_another",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a link asks for, as far as it holds together."""

    app: App
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None

    @property
    def whole(self) -> str:
        """All of it as one text, so that what is agreed to is what was shown."""
        return "\n".join(
            [self.app.id, self.redirect_uri, " ".join(self.scopes), repr(self.state), self.challenge or ""]
        )


async def show(visit: Visit) -> Response:
    """Who asks for what, and two buttons."""
    async with visit.open() as (ctx, signed):
        asked, person = await _read(visit, ctx, signed)
        maker = await consents.find_maker(ctx, asked.app)
    nonce = access.new_code()
    parts = urlsplit(asked.redirect_uri)
    return visit.render(
        "consent.html",
        bare=True,
        leads_to=f"{parts.scheme}://{parts.netloc}",
        app=asked.app.name,
        is_public=asked.app.owner_id is None,
        is_verified=asked.app.owner_id is None and asked.app.verified,
        host=parts.netloc,
        maker=maker,
        account=person.account_name,
        scopes=[visit.say(f"scope.{name}") for name in asked.scopes],
        action=visit.here,
        nonce=nonce,
        seal=visit.seal(f"consent\n{nonce}\n{asked.whole}", visit.session),
        sign_out=visit.seal("sign-out", visit.session),
    )


async def decide(visit: Visit) -> Response:
    """Give the app its code, or tell it that it does not get one.

    The code is made of the session and the form: the same form sent twice gives the same code, once.
    """
    async with visit.open() as (ctx, signed):
        asked, person = await _read(visit, ctx, signed)
        nonce = visit.form.get("nonce") or ""
        visit.check_seal(f"consent\n{nonce}\n{asked.whole}", visit.session, visit.form.get("seal"))
        if visit.form.get("decision") != "accept":
            return _back(visit, asked.redirect_uri, asked.state, error="access_denied")
        made = f"{nonce}\n{asked.whole}".encode()
        code = access.made_of(access.CODE_PREFIX, visit.session, made)
        consent_id = hashlib.sha256(visit.session.encode() + made).hexdigest()[:24]
        agreed = NewConsent(person.account_id, person.user_id, asked.scopes, asked.redirect_uri, asked.challenge)
        try:
            await consents.give(ctx, asked.app, agreed, consent_id, code)
        except c.CodeUsed:
            return visit.trouble("answered")
    return _back(visit, asked.redirect_uri, asked.state, code=code)


async def metadata(visit: Visit) -> Response:
    """What a client library asks first: RFC 8414."""
    base = visit.request.base_url
    told = {
        "issuer": base,
        "authorization_endpoint": f"{base}/v3/oauth/authorize",
        "token_endpoint": f"{base}/api/v3/oauth/access_token",
        "revocation_endpoint": f"{base}/api/v3/oauth/revoke_token",
        "introspection_endpoint": f"{base}/api/v3/oauth/introspect_token",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": list(visit.site.scopes),
        "authorization_response_iss_parameter_supported": True,
    }
    return Response(200, msgspec.json.encode(told), "application/json")


async def _read(visit: Visit, ctx: Ctx, signed: Signed | None) -> tuple[_Asked, Signed]:
    """What is asked for, and of whom; stops with a page, with a way to sign in, or back at the app."""
    query = visit.query
    client_id = query.get("client_id")
    if client_id is None or any(name in query.twice for name in _ADDRESSING):
        raise Stop(visit.trouble("app_unknown"))
    try:
        app = await access.find_app(ctx, visit.site.service, client_id[:64].replace("\0", " "))
        uri = consents.check_app(app, None, query.get("redirect_uri"))
        person = visit.need_signed(
            signed, again=query.get("force_login") == "true" and visit.request.method == "GET"
        )
        consents.check_app(app, person.account_id, uri)
    except c.RedirectRefused:
        key = "redirect_missing" if query.get("redirect_uri") is None else "redirect_wrong"
        raise Stop(visit.trouble(key)) from None
    except tuple(_TROUBLES) as failure:
        raise Stop(visit.trouble(_TROUBLES[type(failure)])) from None
    if person.suspended:
        raise Stop(visit.trouble("suspended", 403))
    return _read_rest(visit, app, uri), person


def _read_rest(visit: Visit, app: App, uri: str) -> _Asked:
    query = visit.query
    state = query.get("state")
    state = None if state is None or len(state) > consents.MOST_STATE else state
    if query.twice:
        raise Stop(_back(visit, uri, state, error="invalid_request"))
    challenge = query.get("code_challenge")
    asking = Asking(
        uri,
        query.get("response_type"),
        query.get("response_mode"),
        query.get("scope"),
        query.get("state"),
        challenge,
        query.get("code_challenge_method"),
    )
    try:
        scopes = consents.check_asking(app, asking, visit.site.scopes)
    except c.ScopeRefused:
        raise Stop(_back(visit, uri, state, error="invalid_scope")) from None
    except c.AskedUnusably as failure:
        kind = "unsupported_response_type" if failure.name == "response_type" else "invalid_request"
        raise Stop(_back(visit, uri, state, error=kind)) from None
    return _Asked(app, uri, scopes, state, challenge)


def _back(visit: Visit, uri: str, state: str | None, **answer: str) -> Response:
    """Back to the app with an answer, the state that it gave, and who answers."""
    told = answer | ({} if state is None else {"state": state}) | {"iss": visit.request.base_url}
    return visit.redirect(f"{uri}{'&' if '?' in uri else '?'}{urlencode(told)}")
