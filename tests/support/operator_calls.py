"""Good calls of the operator's service, and who is in the world that they are about."""

from __future__ import annotations

from typing import Any, Final

from tests.support.named import INFRACTIONS, ORDERS, PARCELS, RINGS, SCARVES, TICKETS
from tradepost.domain.parcels.booking import wish_id

PREFIX: Final = "/api/operator/v1"
MERCHANTS: Final = {
    "usd": "d8f16adf91b7584a2265b1f5",
    "cny": "3b1a11df587fd2803bab6c39",
    "eur": "8c7e134f5dfbd3d12c4a3698",
}
SHIPPERS: Final = {"lan": "01762741bab9f87ff5059285", "ada": "83333218bd91a1b7f03edca7"}
BUYER: Final = "60a4d0cc0000000000000001"
USD: Final = {"merchant_id": MERCHANTS["usd"]}
PAGE: Final = {"after": "1700000000000000-ffffffffffffffffffffffff", "limit": "10"}

GOOD: Final[dict[str, dict[str, str]]] = {
    "merchants": PAGE | {"text": "kenji"},
    "orders": USD | PAGE | {"transaction_id": "541aa45dae1e1d039ffa5c44", "tracking_number": "tr1234usd"},
    "orders/get": USD | {"order_id": ORDERS["usd"]["open"]},
    "senders": PAGE,
    "parcels": PAGE | {"sender_id": SHIPPERS["lan"]},
    "products": USD | PAGE,
    "products/pending": PAGE,
    "tickets": USD | PAGE,
    "tickets/awaiting-support": PAGE,
    "tickets/get": USD | {"ticket_id": TICKETS["usd"][0]},
    "infractions": USD | PAGE | {"stage": "2"},
    "infractions/awaiting-marketplace": PAGE,
    "infractions/get": USD | {"infraction_id": INFRACTIONS["usd"][1]},
}
WORDS: Final = {"message_en": "Where is it?", "message_zh": "它在哪里？"}
BODIES: Final[dict[str, Any]] = {
    "merchants/suspend": USD,
    "merchants/reinstate": USD,
    "orders/place": USD
    | {
        "items": [{"sku": "ring-red", "quantity": 2}, {"sku": "scarf"}],
        "address": {
            "recipient": "Robin Example",
            "street_address1": "1 Example Street",
            "street_address2": "Floor 2",
            "street_address3": "Door 3",
            "city": "Ottawa",
            "state_or_province": "ON",
            "zipcode": "K1A 0B1",
            "country": "CA",
            "phone_number": "+1 613 555 0100",
        },
        "buyer_id": BUYER,
        "under_review": False,
        "vat_required": True,
        "original_address": {
            "recipient": "Robin Example",
            "street_address1": "9 Far Road",
            "street_address2": "Floor 1",
            "street_address3": "Door 2",
            "city": "Iqaluit",
            "state_or_province": "NU",
            "zipcode": "X0A 0H0",
            "country": "CA",
            "phone_number": "+1 867 555 0100",
        },
    },
    "orders/release": USD | {"order_id": ORDERS["usd"]["review"]},
    "orders/refund": USD
    | {
        "order_id": ORDERS["usd"]["open"],
        "reason": "It never arrived.",
        "by": "customer",
        "responsibility": 50,
    },
    "orders/cancel-tracking": USD | {"order_id": ORDERS["usd"]["shipped"]},
    "tracking/record": USD
    | {"tracking_number": "TR1234USD", "kind": "in_transit", "at": "2021-05-19T10:00:00", "place": "Toronto"},
    "senders/verify": {"sender_id": SHIPPERS["lan"]},
    "senders/unverify": {"sender_id": SHIPPERS["lan"]},
    "parcels/hand-over": {"sender_id": SHIPPERS["lan"], "number": wish_id(PARCELS["lan"]["numbered"])},
    "parcels/record-scan": {
        "sender_id": SHIPPERS["lan"],
        "number": wish_id(PARCELS["lan"]["in_transit"]),
        "status": 5,
        "at": "2021-05-19T10:00:00",
        "country": "US",
        "province": "CA",
        "city": "Fresno",
        "remark": "At the depot",
    },
    "products/review": USD
    | {
        "product_id": SCARVES["usd"][0],
        "verdict": "rejected",
        "reason": "The picture shows another scarf.",
        "category": "Fashion",
        "auto_tags": ["wool"],
    },
    "products/remove-variation": USD | {"sku": "ring-red"},
    "tickets/open": USD
    | WORDS
    | {
        "subject": "Where is my ring?",
        "message": "¿Dónde está?",
        "buyer": {"id": BUYER, "name": "Robin Example", "locale": "es", "joined_at": "2020-01-01"},
        "kind": "customer_support",
        "order_ids": [ORDERS["usd"]["open"]],
        "product_ids": [RINGS["usd"][0]],
        "transaction_id": "541aa45dae1e1d039ffa5c44",
        "label": "Delivery",
        "sublabel": "Late",
        "refund_reason": 23,
    },
    "tickets/answer": USD | WORDS | {"ticket_id": TICKETS["usd"][4], "message": "Wo ist es?", "by": "support"},
    "tickets/close": USD | {"ticket_id": TICKETS["usd"][0], "by": "buyer"},
    "infractions/issue": USD
    | {
        "reason": "Misleading listing",
        "extra_reason": "The size is wrong",
        "fine": "12.50",
        "proofs": [{"kind": "product", "object_id": RINGS["usd"][0], "message": "See the picture."}],
    },
    "infractions/answer": USD | {"infraction_id": INFRACTIONS["usd"][1], "message": "Please show the receipt."},
    "infractions/close": USD | {"infraction_id": INFRACTIONS["usd"][1], "waive": True},
    "announcements/message": {
        "title": "A webinar",
        "message": "Join us on Friday.",
        "manager_name": "Tracy Example",
        "manager_id": "60a4d0c00000000000000001",
        "merchant_ids": [MERCHANTS["usd"], MERCHANTS["eur"]],
    },
    "announcements/update": {
        "features": [
            {
                "title": "Bulk updates",
                "body": "They are quicker now.",
                "link": "https://shop.example/news",
                "cn_title": "批量更新",
                "cn_body": "现在更快了。",
                "cn_link": "https://shop.example/news?cn",
                "categories": ["API", "PRODUCTS"],
                "program": "Beta",
                "important": True,
                "action": "Try them.",
                "cn_action": "试试看。",
                "action_at": "2021-06-01",
            }
        ]
    },
    "announcements/senders": {
        "title": "Holidays",
        "words": ["We are away.", "Until Monday."],
        "url": "https://shop.example/holidays",
        "publish_at": "2021-05-20T08:00:00",
    },
    "notifications/send": USD
    | {"title": "Your documents", "message": "They are here.", "link": "https://shop.example/documents"},
}
