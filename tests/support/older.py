"""Calls of the generation before: good ones for every endpoint of WishPost API v2, how to send and read them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from tests.support import consent
from tests.support.answer import Answer
from tests.support.calls import PARCELS
from tests.support.market import WISHPOST_URL, Market
from tradepost.domain.parcels.booking import wish_id
from tradepost.surfaces.wishpost_v2.chapters import api
from tradepost.wire.endpoint import Endpoint

SERVICE = "wishpost_v2"
MARK = "shelf-7"
SENDER = {
    "from": "Lan Chen",
    "sender_province": "Guangdong",
    "sender_city": "Shenzhen",
    "sender_district": "Nanshan",
    "sender_addres": "88 Lantern Road",
    "sender_zipcode": "518000",
    "sender_phone": "+86 755 0000 0000",
}
RECIPIENT = {
    "to": "Ann Buyer",
    "recipient_country_short": "US",
    "recipient_province": "CA",
    "recipient_city": "Fresno",
    "recipient_district": "Tower",
    "recipient_addres": "12 Elm Street",
    "recipient_postcode": "93650",
    "recipient_phone": "+1 559 555 0100",
    "to_local": "安",
    "recipient_province_local": "加州",
    "recipient_city_local": "弗雷斯诺",
    "recipient_district_local": "塔区",
    "recipient_addres_local": "榆树街12号",
}
PICKUP = {
    "doorpickup": "1",
    "pickup_service": "42-0",
    "receive_from": "陈岚",
    "receive_province": "广东",
    "receive_city": "深圳",
    "receive_district": "南山",
    "receive_addres": "灯笼路88号",
    "receive_phone": "+86 755 0000 0000",
}
FLAT_GOODS = {
    "content": "Paper Lantern",
    "content_chinese": "纸灯笼",
    "num": "1",
    "weight": "0.25",
    "single_price": "7.90",
    "from_country": "CN",
    "product_url": "https://shop.example/lantern",
    "has_battery": "0",
}
LAMP = {
    "product_item_name": "Bamboo Lamp",
    "product_item_name_chinese": "竹灯",
    "product_item_num": "2",
    "product_item_weight": "0.6",
    "product_item_single_price": "15.50",
    "product_item_from_country": "CN",
    "product_item_product_url": "https://shop.example/lamp",
    "product_item_has_battery": "1",
    "product_item_sensitivity_type": "1",
}
BESIDES = {"type_no": "1", "user_desc": "shelf 7", "trade_amount": "31.00"}
FLAT_ORDER = {"otype": "5001-1", **SENDER, **RECIPIENT, **PICKUP, **FLAT_GOODS, **BESIDES, "trande_no": "a" * 24}
ORDER: dict[str, Any] = {
    "guid": "7-1",
    "otype": "5001-1",
    **SENDER,
    **RECIPIENT,
    **BESIDES,
    "product_items": {"product_item": [LAMP]},
    "wish_order_id": "60a4d0c1000000000000000a,60a4d0c1000000000000000b",
}
GOOD: dict[str, dict[str, Any]] = {
    "/api/v2/oauth/access_token": consent.exchange("wishpost"),
    "/api/v2/oauth/refresh_token": consent.refresh("wishpost"),
    "/api/v2/auth_test": {},
    "/api/v2/create_order": {"mark": MARK, "order": [ORDER, FLAT_ORDER]},
    "/api/v2/generate_label": {
        "printlang": "2",
        "printcode": "1",
        "barcodes": {"barcode": [wish_id(PARCELS["lan"]["numbered"]), wish_id(PARCELS["lan"]["delivered"])]},
    },
    "/api/v2/tracking": {
        "language": "en",
        "track": [{"barcode": wish_id(PARCELS["lan"][state])} for state in ("delivered", "booked")],
    },
}
QUERY: dict[str, dict[str, str]] = {"/api/v2/download_label": {"mark": MARK, "format": "A4", "use_local": "true"}}
BOOK = "update parcel set mark = 'shelf-7' where tracking_number is not null and state <> 'cancelled'"
"""Puts parcels that have labels under the mark of the good call."""


def to_xml(value: Any, root: str = "root") -> bytes:
    """A body: mappings as elements, lists as so many of them."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{_inside(value)}</{root}>'
    return text.encode("utf-8", "surrogatepass")


def _inside(value: Any) -> str:
    if not isinstance(value, Mapping):
        return escape(str(value))
    found = []
    for name, inner in value.items():
        found += [f"<{name}>{_inside(i)}</{name}>" for i in (inner if isinstance(inner, list) else [inner])]
    return "".join(found)


def send(
    market: Market,
    endpoint: Endpoint | str,
    body: Any = None,
    who: str | None = "wishpost:lan",
    headers: Mapping[str, str] | None = None,
    **query: str,
) -> Answer:
    """Call an endpoint as it is documented; a mapping is sent as XML, without one the good call."""
    found = next(e for e in api.endpoints if e.path == endpoint) if isinstance(endpoint, str) else endpoint
    text = "&".join(f"{name}={value}" for name, value in (QUERY.get(found.path, {}) | query).items())
    target = f"{WISHPOST_URL}{found.path}?{text}"
    if found.documented_method == "GET":
        return market.request("GET", target, who, b"", headers)
    body = GOOD[found.path] if body is None else body
    data = body if isinstance(body, bytes) else to_xml(body)
    # As clients of this generation label it.
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return market.request("POST", target, who, data, {**kind, **(headers or {})})


def read(answer: Answer) -> tuple[int, str, Any]:
    """Status, sentence and root of an answer, which is XML or a file."""
    if answer.headers["content-type"] == "application/pdf":
        assert answer.body.startswith(b"%PDF")
        return 0, "", None
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    root = etree.fromstring(answer.body)
    assert root.tag == "root"
    assert root[0].tag == "status"
    status = int(root[0].text or "")
    if status:
        assert [child.tag for child in root] == ["status", "error_message"]
        return status, root[1].text or "", root
    assert root[1].tag == "timestamp"
    return 0, "", root


_TRICKS = (
    b"<!DOCTYPE a>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"&x;",
    b"&#0;",
    b"<?x ?>",
    b"<a>",
    b"</a>",
    b"\0",
)


def spoiled_bytes(rng: random.Random, data: bytes) -> bytes:
    """Bytes of which a few are others, or gone, or there again, or something that XML can do is between them."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(made) + 1)
        match rng.randrange(4):
            case 0:
                made[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del made[at : at + rng.randrange(1, 40)]
            case 2:
                made[at:at] = made[: rng.randrange(40)]
            case _:
                made[at:at] = rng.choice(_TRICKS)
    return bytes(made)
