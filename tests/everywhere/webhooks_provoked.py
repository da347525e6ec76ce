"""Calls that provoke the failures of webhooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from tests.support.answer import Answer
from tests.support.calls import DELIVERIES, WEBHOOKS
from tests.support.market import Market

Provoke = Callable[[Market, str], Answer]
BASE: Final = "/api/v3/webhook"
_MANY: Final = """
    insert into webhook_subscription (merchant_id, id, app_id, topic, endpoint, secret, created_at, updated_at)
    select merchant_id, lpad(n::text, 24, '0'), app_id, topic, endpoint || n, secret, created_at, updated_at
      from webhook_subscription, generate_series(2, 1000) n where id = '{}'
""".format(WEBHOOKS["usd"])
_STOPPED: Final = "update webhook_subscription set is_active = false"


def _call(method: str, path: str, first: str = "", **params: str) -> Provoke:
    def do(market: Market, locale: str) -> Answer:
        if first:
            market.sql(first)
        query = urlencode({**params, "locale": locale})
        return market.request(method, f"{BASE}/{path}?{query}")

    return do


WEBHOOKS_PROVOKED: Final[dict[tuple[str, str], Provoke]] = {
    ("merchant", "TopicUnknown"): _call("POST", "subscriptions", topic_id="0", endpoint="https://a.example"),
    ("merchant", "EndpointRefused"): _call("POST", "subscriptions", topic_id="1", endpoint="https://10.0.0.1"),
    ("merchant", "SubscriptionNotFound"): _call("GET", f"subscriptions/{'0' * 24}"),
    ("merchant", "AlreadySubscribed"): _call(
        "POST", "subscriptions", topic_id="2", endpoint="https://hooks.example/orders"
    ),
    ("merchant", "TooManySubscriptions"): _call(
        "POST", "subscriptions", _MANY, topic_id="1", endpoint="https://a.example"
    ),
    ("merchant", "SubscriptionActive"): _call(
        "PUT", f"subscriptions/{WEBHOOKS['usd']}", endpoint="https://a.example"
    ),
    ("merchant", "SubscriptionInactive"): _call("POST", "redeliver", _STOPPED, id=DELIVERIES["usd"]),
    ("merchant", "DeliveryNotFound"): _call("GET", f"deliveries/{'0' * 24}"),
}
