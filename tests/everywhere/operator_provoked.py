"""Calls of the operator's service that fail, by the name of the failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support.answer import Answer
from tests.support.calls import ORDERS, PARCELS, RINGS, TICKETS
from tests.support.market import Market
from tests.support.operator_calls import BODIES, MERCHANTS, PREFIX, USD
from tradepost.domain.access import new_operator_token
from tradepost.domain.parcels.booking import wish_id

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
NEVER = "0" * 24
Call = Callable[[Market, str], Answer]


def ask(path: str, body: object, headers: dict[str, str] | None = None, query: str = "") -> Call:
    """A POST of a JSON value."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda market, locale: market.request(
        "POST", f"{PREFIX}/{path}?locale={locale}{query}", "operator:desk", raw, {**JSON, **(headers or {})}
    )


def good(path: str, **changes: Any) -> Call:
    """A good call but for the changes."""
    return ask(path, BODIES[path] | changes)


def get(path: str, query: str = "", who: str | None = "operator:desk", base: str = "", **headers: str) -> Call:
    """A GET."""
    return lambda market, locale: market.request(
        "GET", f"{base}{PREFIX}/{path}?locale={locale}{query}", who, headers=headers
    )


def first(sql: str, then: Call) -> Call:
    """A call after something was changed behind the scenes."""

    def provoke(market: Market, locale: str) -> Answer:
        market.sql(sql)
        return then(market, locale)

    return provoke


def twice(call: Call, then: Call | None = None) -> Call:
    """A call that worked, and the same once more, or another one."""

    def provoke(market: Market, locale: str) -> Answer:
        assert call(market, locale).status == 200
        return (then or call)(market, locale)

    return provoke


def limited(market: Market, locale: str) -> Answer:
    """The call after the last one of this window, or of the next if that begins meanwhile."""
    market.sql(
        "insert into rate_window (key, started_at, used) select 'operator/default/operator:' || id, "
        "date_bin('1 minute', clock_timestamp() + interval '1 minute', '1970-01-01'), 30000 from operator_account"
    )
    return get("operator")(market, locale)


def closed(market: Market, locale: str) -> Answer:
    """Something about an infraction that is over."""
    assert good("infractions/close")(market, locale).status == 200
    return good("infractions/answer")(market, locale)


_ODD = "\u2003"
_PLACE = BODIES["orders/place"]
_KEY = {"idempotency-key": "k"}
OPERATORS_PROVOKED: dict[str, Call] = {
    "PathUnknown": get("nothing"),
    "MethodNotAllowed": get("orders/place"),
    "HttpsRequired": get("operator", base="http://merchant.example"),
    "RequestMalformed": get("operator", host="a b"),
    "BodyTooLarge": ask("orders/place", b"[" + b"1," * (1 << 19) + b"1]"),
    "ContentTypeUnknown": ask("orders/place", {}, {"content-type": "text/xml"}),
    "JsonMalformed": ask("orders/place", b'{"merchant_id": }'),
    "BodyNotObject": ask("orders/place", [1]),
    "BodyMalformed": lambda market, locale: market.request(
        "GET", f"{PREFIX}/merchants?locale={locale}", "operator:desk", b"-", {"content-type": "multipart/form-data"}
    ),
    "TooManyFields": lambda market, locale: market.request(
        "GET", f"{PREFIX}/merchants?locale={locale}", "operator:desk", b"&".join([b"a=1"] * 1001), FORM
    ),
    "TokenMissing": get("operator", who=None),
    "TokenMalformed": get("operator", who=None, authorization="Basic abc"),
    "TokenForged": get("operator", who=None, authorization="Bearer abc"),
    "TokenUnknown": lambda market, locale: get(
        "operator", who=None, authorization=f"Bearer {new_operator_token()}"
    )(market, locale),
    "TokenExpired": first("update operator_token set expires_at = '2021-05-19'", get("operator")),
    "TokenRevoked": first("update operator_token set revoked_at = now()", get("operator")),
    "AccountSuspended": first("update operator_account set disabled_at = now()", get("operator")),
    "ScopeMissing": first("update operator_token set scopes = '{}'", get("merchants")),
    "RateLimitReached": limited,
    "ParameterMissing": ask("merchants/suspend", {}),
    "GivenTwice": get("merchants", "&limit=1&limit=2"),
    "PlacesDisagree": lambda market, locale: market.request(
        "GET", f"{PREFIX}/merchants?locale={locale}&limit=1", "operator:desk", b'{"limit": 2}', JSON
    ),
    "NotOneValue": ask("merchants/suspend", {"merchant_id": [1]}),
    "NotUtf8": get("merchants", "&limit=%ff"),
    "BadCharacter": good("products/remove-variation", sku="a\0b"),
    "BadLength": good("products/remove-variation", sku="a" * 101),
    "NotWhole": good("orders/refund", responsibility=101),
    "NotDecimal": good("infractions/issue", fine="1e3"),
    "NotBoolean": good("infractions/close", waive="yes"),
    "NotChoice": good("products/review", verdict="fine"),
    "NotMoment": good("tracking/record", at="yesterday"),
    "NotUrl": good("notifications/send", link="javascript:alert(1)"),
    "NotCountry": good("parcels/record-scan", country="UK"),
    "NotObject": good("orders/place", address="Ottawa"),
    "NotItems": good("orders/place", items=[]),
    "BodyNameUnknown": good("orders/refund", responsibilty=0),
    "NotId": ask("merchants/suspend", {"merchant_id": "7"}),
    "NotBookmark": get("merchants", "&after=7"),
    "KeyReused": twice(ask("merchants/suspend", USD, _KEY), ask("merchants/reinstate", USD, _KEY)),
    "MerchantUnknown": ask("merchants/suspend", {"merchant_id": NEVER}),
    "RecipientUnknown": good("announcements/message", merchant_ids=[MERCHANTS["usd"], NEVER]),
    "ShipperUnknown": good("parcels/hand-over", sender_id=NEVER),
    "OrderNotFound": good("orders/refund", order_id=ORDERS["cny"]["open"]),
    "ProductNotFound": good("products/review", product_id=RINGS["cny"][0]),
    "VariationNotFound": good("products/remove-variation", sku="zzz"),
    "TicketNotFound": good("tickets/close", ticket_id=TICKETS["cny"][0]),
    "InfractionNotFound": good("infractions/close", infraction_id=NEVER),
    "ProofNotFound": good("infractions/issue", proofs=[{"kind": "order", "object_id": ORDERS["cny"]["open"]}]),
    "TrackingUnknown": good("tracking/record", tracking_number="TR1234CNY"),
    "ParcelNotFound": good("parcels/hand-over", number=wish_id(PARCELS["ada"]["numbered"])),
    "OrderNotUnderReview": good("orders/release", order_id=ORDERS["usd"]["open"]),
    "OrderRefunded": good("orders/refund", order_id=ORDERS["usd"]["refunded"]),
    "OrderNotShipped": good("orders/cancel-tracking", order_id=ORDERS["usd"]["open"]),
    "TrackingConfirmed": good("orders/cancel-tracking", order_id=ORDERS["usd"]["delivered"]),
    "TrackingTooOld": first(
        "update world_clock set fixed_at = fixed_at + interval '26 days'", good("orders/cancel-tracking")
    ),
    "AddressUnusable": good("orders/place", address=_PLACE["address"] | {"city": "New\u200bYork"}),
    "MoreThanAllowed": good("orders/place", items=[{"sku": "ring-red", "quantity": 6}]),
    "NotForSale": first(
        "update product set review_status = 'rejected' where parent_sku = 'scarf'", good("orders/place")
    ),
    "NotShippedThere": good("orders/place", address=_PLACE["address"] | {"country": "FR"}),
    "OutOfStock": good("orders/place", items=[{"sku": "scarf", "quantity": 8}]),
    "ScanUnusable": good("tracking/record", at="2999-01-01"),
    "ScanBeforeOrder": good("tracking/record", at="2001-01-01"),
    "ScanBeforeBooking": good("parcels/record-scan", at="2000-01-01"),
    "ScanTooEarly": good("parcels/record-scan", at="2999-01-01"),
    "NotInCarriersHands": good("parcels/hand-over", number=wish_id(PARCELS["lan"]["refused"])),
    "ProductRemoved": first(
        "update product set removed_at = now() where parent_sku = 'scarf'", good("products/review")
    ),
    "ReasonMissing": good("products/review", reason=None),
    "TextUnusable": good("tickets/answer", message=_ODD),
    "TicketUnusable": good("tickets/open", product_ids=[], order_ids=[], kind=None),
    "TicketClosed": good("tickets/close", ticket_id=TICKETS["usd"][3]),
    "InfractionClosed": closed,
    "FineUnusable": good("infractions/issue", fine="0.001"),
    "AnnouncementUnusable": good("announcements/senders", title=f"a{_ODD}b"),
}
