"""Calls that provoke the failures of token calls, on both services."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Final

from tests.support import consent
from tests.support.answer import Answer
from tests.support.market import MERCHANT_URL, WISHPOST_URL, Market

Provoke = Callable[[Market, str], Answer]
NEW, OLD = "/api/v3/oauth", "/api/v2/oauth"
_LATE: Final = "update world_clock set fixed_at = fixed_at + interval '{}'"
# The window after this one, so that it does not end meanwhile.
_FULL: Final = (
    "insert into rate_window values ('merchant/oauth/ip:127.0.0.1', "
    "date_bin('1 minute', clock_timestamp() + interval '1 minute', '1970-01-01'), 1000000)"
)
_USED: Final = "update refresh_token set used_at = created_at, seed = '\\x00'"


def token_call(service: str, path: str, good: dict[str, str], first: str = "", **changes: str) -> Provoke:
    """A good call with some things changed, after something happened in the database."""

    def do(market: Market, locale: str) -> Answer:
        if first:
            market.sql(first)
        base = WISHPOST_URL if service == "wishpost" else MERCHANT_URL
        return market.post(base + path, None, **{**good, **changes, "locale": locale})

    return do


def twice(service: str, path: str, good: dict[str, str]) -> Provoke:
    """The same call once more."""

    def do(market: Market, locale: str) -> Answer:
        assert token_call(service, path, good)(market, locale).status == 200
        return token_call(service, path, good)(market, locale)

    return do


def header(service: str, name: str) -> Provoke:
    """A call whose header shows another app than its parameters."""

    def do(market: Market, locale: str) -> Answer:
        base = WISHPOST_URL if service == "wishpost" else MERCHANT_URL
        told = {"authorization": "Basic " + b64encode(f"{name}:s".encode()).decode()}
        app_id = consent.APP_IDS[service]
        return market.request(
            "POST", f"{base}{NEW}/revoke_token?locale={locale}&client_id={app_id}", None, b"", told
        )

    return do


def _provoked(service: str) -> dict[tuple[str, str], Provoke]:
    exchange, refresh = consent.exchange(service), consent.refresh(service)
    to_token, to_refresh = f"{NEW}/access_token", f"{NEW}/refresh_token"
    calls = {
        "ClientMissing": token_call(service, to_token, exchange, client_secret=""),
        "ClientsDisagree": header(service, "0" * 24),
        "ClientRefused": token_call(service, to_token, exchange, client_secret="s"),
        "AppDisabled": token_call(service, to_token, exchange, "update app set disabled_at = now()"),
        "GrantTypeWrong": token_call(service, to_token, exchange, grant_type="password"),
        "RedirectRefused": token_call(service, to_token, exchange, redirect_uri="https://erp.example/other"),
        "CodeUnknown": token_call(service, to_token, exchange, code="c"),
        "CodeExpired": token_call(service, to_token, exchange, _LATE.format("60 seconds")),
        "CodeUsed": twice(service, to_token, exchange),
        "VerifierRefused": token_call(service, to_token, exchange, code_verifier=consent.VERIFIER.upper()),
        "RefreshUnknown": token_call(service, to_refresh, refresh, refresh_token="r"),
        "RefreshExpired": token_call(service, to_refresh, refresh, _LATE.format("364 days")),
        "RefreshRevoked": token_call(
            service, to_refresh, refresh, "update consent set ended_at = now(), ended_because = 'withdrawn'"
        ),
        "RefreshReused": token_call(service, to_refresh, refresh, _USED),
        "OwnerSuspended": token_call(
            service,
            to_token,
            exchange,
            f"update {'merchant' if service == 'merchant' else 'shipper'} set suspended_at = now()",
        ),
    }
    return {(service, name): call for name, call in calls.items()}


CONSENT_PROVOKED: Final = _provoked("merchant") | _provoked("wishpost")
CONSENT_PROVOKED[("merchant", "IpLimitReached")] = token_call(
    "merchant", f"{NEW}/access_token", consent.exchange("merchant"), _FULL
)
CONSENT_PROVOKED[("merchant", "OldClientRefused")] = token_call(
    "merchant", f"{OLD}/access_token", consent.exchange("merchant"), code="c"
)
CONSENT_PROVOKED[("merchant", "OldGrantExpired")] = token_call(
    "merchant", f"{OLD}/refresh_token", consent.refresh("merchant"), _LATE.format("364 days")
)
CONSENT_PROVOKED[("merchant", "OldGrantOver")] = token_call(
    "merchant", f"{OLD}/access_token", consent.exchange("merchant"), _LATE.format("60 seconds")
)
