"""One good call for every endpoint and each way of being paid, for sweeps that need something to vary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support import consent, operator_calls
from tests.support.named import (
    BULK_JOBS,
    DELIVERIES,
    DOWNLOAD_JOBS,
    EXPRESS,
    INFRACTIONS,
    JPEG,
    MANAGER,
    NOTIFICATIONS,
    ORDER_JOBS,
    ORDER_KINDS,
    ORDERS,
    PARCELS,
    RETURN_WAREHOUSES,
    RINGS,
    SCARVES,
    SENDERS,
    STATES,
    TICKETS,
    WEBHOOKS,
)
from tradepost.domain.parcels.booking import wish_id
from tradepost.surfaces.merchant_v2.chapters import api as merchant_v2
from tradepost.surfaces.operator_v1.chapters import api as operator_v1
from tradepost.surfaces.wishpost_v3.chapters import api as wishpost_v3
from tradepost.wire.endpoint import Endpoint, Surface

# What the world has, beside what is here.
__all__ = [
    "BULK_JOBS",
    "DELIVERIES",
    "DOWNLOAD_JOBS",
    "EXPRESS",
    "INFRACTIONS",
    "JPEG",
    "MANAGER",
    "NOTIFICATIONS",
    "ORDERS",
    "ORDER_JOBS",
    "ORDER_KINDS",
    "PARCELS",
    "RETURN_WAREHOUSES",
    "RINGS",
    "SCARVES",
    "SENDERS",
    "STATES",
    "TICKETS",
    "WEBHOOKS",
]

ADDRESS = {
    "name": "Lan Chen",
    "country": "CN",
    "city": "Shenzhen",
    "address": "88 Lantern Road",
    "province": "Guangdong",
    "district": "Nanshan",
    "zipcode": "518000",
    "phone": "+86 755 0000 0000",
}
NEW_ORDER: dict[str, Any] = {
    "otype": "5001-1",
    "wish_order_id": "60a4d0c1000000000000000a,60a4d0c1000000000000000b",
    "guid": "shelf-7",
    "sender": ADDRESS,
    "recipient": ADDRESS | {"name": "Ann Buyer", "country": "US", "city": "Fresno", "province": "CA"},
    "recipient_local": ADDRESS | {"name": "安"},
    "pickup_service": "42-0",
    "pickup": ADDRESS | {"name": "陈岚", "address": "灯笼路88号", "city": "深圳"},
    "type_no": 4,
    "user_desc": "shelf 7 戒指",
    "trade_amount": "31.00",
    "goods": [
        {
            "name": "Bamboo Lamp",
            "name_chinese": "竹灯",
            "num": 2,
            "weight": 0.6,
            "single_price": "15.50",
            "from_country": "CN",
            "product_url": "https://shop.example/lamp",
            "has_battery": True,
            "sensitivity_type": 1,
        }
    ],
}

NEW_PRODUCT = {
    "name": "red shoe",
    "description": "this is a cool shoe",
    "tags": "red,shoe,cool",
    "sku": "red-shoe-11",
    "color": "red",
    "condition": "NEW",
    "size": "11",
    "inventory": "100",
    "price": "100",
    "shipping": "10",
    "country_shipping_prices": '{"US":3.99,"CA":4.99}',
    "msrp": "113.9",
    "shipping_time": "5-10",
    "main_image": "https://pictures.example/shoe.jpg",
    "parent_sku": "red-shoe",
    "requested_product_brand_id": "5a0a0a0a0a0a0a0a0a0a0a0a",
    "landing_page_url": "https://shop.example/shoe",
    "upc": "12345678",
    "extra_images": "https://pictures.example/left.jpg|https://pictures.example/right.jpg",
    "clean_image": "https://pictures.example/left.jpg",
    "max_quantity": "5",
    "reference_value": "1",
    "quantity_value": "2",
    "unit": "COUNT",
    "demo_video_asset_url": "https://videos.example/shoe.mp4",
}
LOGISTICS = {
    "length": "2",
    "width": "23",
    "height": "12",
    "weight": "2.5",
    "declared_name": "Shoe",
    "declared_local_name": "鞋",
    "pieces": "1",
    "declared_value": "32",
    "hscode": "6404110000",
    "origin_country": "CN",
    "has_powder": "false",
    "has_liquid": "false",
    "has_battery": "false",
    "has_metal": "true",
}
OWN_PRICE = {"localized_price": "600", "localized_msrp": "700"}
OWN_SHIPPING = {"localized_shipping": "60"}

# Parameters of a good call by the path of the endpoint; whatever is optional is given as well.
GOOD: dict[tuple[str, str], dict[str, str]] = {
    ("merchant", "/api/v2/product/add"): NEW_PRODUCT | LOGISTICS,
    ("merchant", "/api/v2/product"): {"parent_sku": "ring", "warehouse_name": "STANDARD"},
    ("merchant", "/api/v2/product/update"): {
        "parent_sku": "ring",
        "name": "Nicer ring",
        "description": "Better than before.",
        "tags": "ring,nice",
        "requested_product_brand_id": "5b0b0b0b0b0b0b0b0b0b0b0b",
        "landing_page_url": "https://shop.example/nicer-ring",
        "upc": "87654321",
        "main_image": "https://pictures.example/nicer.jpg",
        "extra_images": "https://pictures.example/nicer-side.jpg",
        "clean_image": "https://pictures.example/nicer.jpg",
        "max_quantity": "9",
        "condition": "USED",
        "reference_value": "3",
        "unit": "GRAM",
        "demo_video_asset_url": "https://videos.example/nicer.mp4",
    },
    ("merchant", "/api/v2/product/change-sku"): {"parent_sku": "ring", "new_parent_sku": "bow-ring"},
    ("merchant", "/api/v2/product/enable"): {"parent_sku": "ring"},
    ("merchant", "/api/v2/product/disable"): {"parent_sku": "ring"},
    ("merchant", "/api/v2/product/remove"): {"parent_sku": "ring"},
    ("merchant", "/api/v2/product/remove-extra-images"): {"parent_sku": "ring"},
    ("merchant", "/api/v2/product/multi-get"): {
        "start": "0",
        "limit": "10",
        "since": "2021-05-19",
        "upto": "2021-05-20T00:00:00",
        "show_rejected": "true",
        "warehouse_name": "STANDARD",
    },
    ("merchant", "/api/v2/variant/add"): {
        "parent_sku": "ring",
        "sku": "ring-gold",
        "color": "gold",
        "size": "8",
        "inventory": "10",
        "price": "10",
        "msrp": "20",
        "shipping_time": "5-10",
        "main_image": "https://pictures.example/gold.jpg",
        "quantity_value": "2",
        **LOGISTICS,
    },
    ("merchant", "/api/v2/variant"): {"sku": "ring-green", "warehouse_name": "STANDARD"},
    ("merchant", "/api/v2/variant/update"): {
        "sku": "ring-green",
        "inventory": "1000",
        "price": "10.11",
        "enabled": "true",
        "size": "9",
        "color": "teal",
        "msrp": "12",
        "shipping_time": "6-12",
        "main_image": "https://pictures.example/teal.jpg",
        "update_product_image": "false",
        "warehouse_name": "STANDARD",
        "quantity_value": "4",
        **LOGISTICS,
    },
    ("merchant", "/api/v2/variant/change-sku"): {"sku": "ring-green", "new_sku": "ring-teal"},
    ("merchant", "/api/v2/variant/enable"): {"sku": "ring-green"},
    ("merchant", "/api/v2/variant/disable"): {"sku": "ring-green"},
    ("merchant", "/api/v2/variant/update-inventory"): {
        "sku": "ring-green",
        "inventory": "100",
        "warehouse_name": "STANDARD",
    },
    ("merchant", "/api/v2/variant/multi-get"): {"start": "0", "limit": "10", "warehouse_name": "STANDARD"},
    ("merchant", "/api/v2/fulfillment/get-confirmed-delivery-shipping-carriers-for-country"): {
        "country_code": "US"
    },
    ("merchant", "/api/v2/product/update-shipping"): {
        "parent_sku": "ring",
        "country": "US",
        "price": "2.99",
        "enabled": "true",
        "wish_express": "false",
        "default_shipping_price": "3.99",
        "use_country_shipping": "false",
        "use_product_shipping": "false",
        "warehouse_name": "STANDARD",
    },
    ("merchant", "/api/v2/product/update-multi-shipping"): {
        "CA": "2.99",
        "AU": "1.99",
        "US_HI": "5",
        "disabled_countries": "GB,US_AK",
        "enabled_countries": "AU, CA_NL",
        "wish_express_remove_countries": "CA",
        "regions_use_country_shipping": "US_GU",
        "use_product_shipping_countries": "DE",
        "default_shipping_price": "3.99",
        "warehouse_name": "STANDARD",
    },
    # To the country for which the shop has an Express warehouse, with regions.
    ("merchant", "/api/v2/product/get-shipping"): {"parent_sku": "ring", "country": "US"},
    ("merchant", "/api/v2/product/get-all-shipping"): {"parent_sku": "ring"},
    ("merchant", "/api/v2/product/get-products-shipping"): {},
    ("merchant", "/api/v2/product/create-download-job"): {
        "since": "2021-05-19",
        "limit": "100",
        "sort": "asc",
        "show_rejected": "true",
        "warehouse_name": "STANDARD",
    },
    ("merchant", "/api/v2/product/get-download-job-status"): {},
    ("merchant", "/api/v2/product/cancel-download-job"): {},
    ("merchant", "/api/v2/variant/bulk-sku-update"): {
        "updates": '[{"sku": "ring-green", "inventory": 12}, {"sku": "ring-blue", "enabled": false}]',
        "warehouse_name": "STANDARD",
    },
    ("merchant", "/api/v2/variant/get-bulk-update-job-status"): {},
    # A page of one, so that there is a next one.
    ("merchant", "/api/v2/variant/get-bulk-update-job-successes"): {"start": "0", "limit": "1"},
    ("merchant", "/api/v2/variant/get-bulk-update-job-failures"): {"start": "0", "limit": "1"},
    ("merchant", "/api/v2/variant/cancel-bulk-update-job"): {},
    ("merchant", "/api/v2/image"): {"image": JPEG},
    ("merchant", "/api/v2/returns/get-product-return-settings"): {},
    ("merchant", "/api/v2/returns/enroll-product-in-returns"): {"region": "US"},
    ("merchant", "/api/v2/returns/get-product-variation-dimensions"): {},
    ("merchant", "/api/v2/returns/set-product-logistics"): {
        "height": "3",
        "length": "4.5",
        "width": "3",
        "weight": "3",
    },
    ("merchant", "/api/v2/returns/create-return-warehouse"): {
        "ship_to": "Returns Desk",
        "warehouse_name": "Lyon",
        "region": "EU",
        "phone_number": "+33 4 72 00 00 00",
        "email": "returns@shop.example",
        "city": "Lyon",
        "state": "Rhône",
        "country": "FR",
        "zipcode": "69001",
        "street_address1": "1 Place des Terreaux",
        "street_address2": "Backyard",
    },
    ("merchant", "/api/v2/returns/edit-return-warehouse"): {
        "warehouse_name": "Bentonville South",
        "ship_to": "Returns Desk South",
        "phone_number": "(479) 555-0100",
        "email": "south@shop.example",
        "city": "Rogers",
        "state": "Arkansas",
        "zipcode": "72756",
        "street_address1": "12 Walnut Street",
        "street_address2": "Dock 4",
    },
    ("merchant", "/api/v2/returns/disable-return-setting-for-region"): {"region": "US"},
    ("merchant", "/api/v2/order"): {},
    # A page in the middle, so that there is one before and one behind it.
    ("merchant", "/api/v2/order/multi-get"): {
        "start": "1",
        "limit": "2",
        "since": "2021-05-01",
        "upto": "2021-05-20T00:00:00",
        "wish_express_only": "false",
        "show_original_shipping_detail": "True",
    },
    ("merchant", "/api/v2/order/get-fulfill"): {
        "start": "0",
        "limit": "1",
        "since": "2021-05-01",
        "wish_express_only": "false",
    },
    ("merchant", "/api/v2/order/fulfill-one"): {
        "tracking_provider": "USPS",
        "tracking_number": "9400110200881234567890",
        "ship_note": "in the blue box",
        "origin_country_code": "CN",
    },
    ("merchant", "/api/v2/order/modify-tracking"): {
        "tracking_provider": "UPS",
        "tracking_number": "1Z999AA10123456784",
        "ship_note": "in the green box",
    },
    ("merchant", "/api/v2/order/refund"): {"reason_code": "-1", "reason_note": "fell from the shelf"},
    ("merchant", "/api/v2/order/create-download-job"): {
        "start": "2021-05-17",
        "end": "2021-05-17",
        "since": "2021-05-17",
        "limit": "100",
        "sort": "asc",
    },
    ("merchant", "/api/v2/order/get-download-job-status"): {},
    ("merchant", "/api/v2/order/cancel-download-job"): {},
    ("merchant", "/api/v2/order/change-shipping"): {
        "street_address1": "2 Rue du Port",
        "street_address2": "Apt 5",
        "city": "Montréal",
        "state": "QC",
        "zipcode": "H2Y 1A1",
        "country": "CA",
        "phone_number": "+1 514 555 0100",
    },
    ("merchant", "/api/v2/ticket"): {},
    ("merchant", "/api/v2/ticket/get-action-required"): {
        "start": "0",
        "limit": "1",
        "ticket_type": "post_purchase_tickets",
    },
    ("merchant", "/api/v2/ticket/reply"): {"reply": "It is on its way."},
    ("merchant", "/api/v2/ticket/close"): {},
    ("merchant", "/api/v2/ticket/appeal-to-wish-support"): {},
    ("merchant", "/api/v2/ticket/re-open"): {"reply": "Your parcel came back to us."},
    # A page of one in the middle, so that there are both links.
    ("merchant", "/api/v2/noti/fetch-unviewed"): {"start": "1", "limit": "1"},
    ("merchant", "/api/v2/noti/mark-as-viewed"): {},
    ("merchant", "/api/v2/count/infractions"): {"stage": "1"},
    ("merchant", "/api/v2/get/infractions"): {
        "start": "0",
        "limit": "1",
        "stage": "1",
        "since": "2021-05-01",
        "upto": "2021-05-20T00:00:00",
    },
}
GOOD |= {
    ("wishpost", "/api/v3/orders"): {
        "limit": "10",
        "sort_by": "created_at.desc",
        "state": "Accepted",
        "id_min": "0" * 24,
        "id_max": "f" * 24,
        "created_at_min": "2021-05-01T00:00:00Z",
        "created_at_max": "2021-05-31T00:00:00.000+08:00",
    },
    ("wishpost", "/api/v3/orders/get"): {"id": PARCELS["lan"]["numbered"]},
    ("wishpost", "/api/v3/tracking"): {"tracking_ids": wish_id(PARCELS["lan"]["delivered"])},
    ("wishpost", "/api/v3/labels"): {
        "tracking_ids": wish_id(PARCELS["lan"]["numbered"]),
        "format": "A4",
        "use_local": "true",
    },
    ("wishpost", "/api/v3/payments/cash_flow"): {
        "limit": "10",
        "sort_by": "id.asc",
        "id_min": "0",
        "id_max": "999999",
        "created_at_min": "2021-05-01T00:00:00Z",
        "created_at_max": "2021-05-31T00:00:00Z",
    },
    ("wishpost", "/api/v3/announcements"): {
        "limit": "10",
        "sort_by": "publish_time.asc",
        "id_min": "0" * 24,
        "id_max": "f" * 24,
        "created_at_min": "2021-05-01T00:00:00Z",
        "created_at_max": "2021-05-31T00:00:00Z",
        "publish_time_min": "2021-05-01T00:00:00Z",
        "publish_time_max": "2021-05-31T00:00:00Z",
    },
}
GOOD |= {
    (service, f"/api/{path}"): call(service)
    for service in ("merchant", "wishpost")
    for path, call in (
        ("v3/oauth/access_token", consent.exchange),
        ("v3/oauth/refresh_token", consent.refresh),
        ("v2/oauth/access_token", consent.exchange),
        ("v2/oauth/refresh_token", consent.refresh),
        ("v3/access_token", consent.exchange),
        ("v3/access_token/refresh", consent.refresh),
        (
            "v3/oauth/revoke_token",
            lambda service: consent.client(service) | {"token": consent.REFRESH_TOKENS[service]},
        ),
        (
            "v3/oauth/introspect_token",
            lambda service: consent.client(service) | {"token": consent.REFRESH_TOKENS[service]},
        ),
    )
}
# The body of a good call where that is a JSON value by itself.
GOOD_BODIES: dict[str, Any] = {
    "/api/v3/order_status": {"wish_standard_tracking_ids": [wish_id(PARCELS["lan"]["numbered"])]},
    "/api/v3/cancel_orders": {
        "orders": [{"tracking_id": wish_id(PARCELS["lan"]["numbered"]), "cancel_reason_code": "40101"}]
    },
    "/api/v3/get_channels": {"channels": ["1", "200-1"]},
    "/api/v3/announcements": {
        "start_date": "2021-05-01",
        "end_date": "2021-05-31 23:59:59",
        "offset": 1,
        "limit": 10,
    },
    "/api/v3/warehouse": {"warehouse_ids": [1, 4]},
    "/api/v3/scopes": {"scope_names": ["user.order.read"]},
    "/api/v3/orders/create": NEW_ORDER,
    "/api/v3/orders/cancel": [
        {"tracking_id": wish_id(PARCELS["lan"]["numbered"]), "cancel_reason_code": "USER_BIZ_DUPLICATE_ORDER"}
    ],
}
# The kind of order that a good call is about, by the last part of the path.
ORDER_OF_CALL = {"modify-tracking": "shipped"}
# What a merchant with a currency of his own adds.
OWN = {
    "/api/v2/product/add": OWN_PRICE | OWN_SHIPPING,
    "/api/v2/variant/add": OWN_PRICE,
    "/api/v2/variant/update": OWN_PRICE,
    "/api/v2/product/update-shipping": {"localized_price": "18", "localized_default_shipping_price": "24"},
    "/api/v2/product/update-multi-shipping": {
        "localized_CA": "18",
        "localized_AU": "12",
        "localized_US_HI": "7",
        "localized_default_shipping_price": "24",
    },
}

GOOD |= {("operator", f"{operator_calls.PREFIX}/{path}"): call for path, call in operator_calls.GOOD.items()}
GOOD_BODIES |= {f"{operator_calls.PREFIX}/{path}": body for path, body in operator_calls.BODIES.items()}

GOOD |= {
    ("merchant", "/api/v3/webhook/subscriptions"): {"topic_id": "2", "endpoint": "https://hooks.example/new"},
    ("merchant", "/api/v3/webhook/subscriptions/{id}"): {
        "status": "ACTIVE",
        "endpoint": "https://hooks.example/orders",
    },
    ("merchant", "/api/v3/webhook/secret"): {"overlap_hours": "24"},
    ("merchant", "/api/v3/webhook/deliveries"): {"start": "0", "limit": "5"},
}

SURFACES: Mapping[str, Surface] = {"merchant": merchant_v2, "wishpost": wishpost_v3, "operator": operator_v1}
ENDPOINTS = [(surface.name, endpoint) for surface in SURFACES.values() for endpoint in surface.endpoints]
IDS = [f"{name}:{endpoint.path}" for name, endpoint in ENDPOINTS]


def caller(service: str) -> str:
    """Somebody of the cast who may call the service."""
    return {"merchant": "usd", "wishpost": "wishpost:lan", "operator": "operator:desk"}[service]


def good_call(service: str, endpoint: Endpoint, who: str = "usd") -> dict[str, str]:
    """The parameters of a call that succeeds for this merchant."""
    # An older call may share its path with a newer one; with a body it has nothing in its query.
    params = {} if endpoint.flat and endpoint.body else dict(GOOD.get((service, endpoint.path), {}))
    if service != "merchant":
        return params
    if any(param.name == "job_id" for param in endpoint.params):
        params["job_id"] = jobs_like(endpoint)[who]
    if endpoint.chapter == "orders" and any(param.name == "id" for param in endpoint.params):
        params["id"] = ORDERS[who][ORDER_OF_CALL.get(endpoint.path.rpartition("/")[2], "open")]
    elif endpoint.chapter == "webhooks":
        ids = {"subscription_id": WEBHOOKS[who], "id": webhook_like(endpoint)[who]}
        params |= {param.name: ids[param.name] for param in endpoint.params if param.name in ids}
    elif endpoint.chapter == "returns":
        ids = dict(zip(("id", "variation_id"), RINGS[who], strict=True)) | {"warehouse_id": RETURN_WAREHOUSES[who]}
        params |= {param.name: ids[param.name] for param in endpoint.params if param.name in ids}
    elif endpoint.chapter == "tickets":
        # One that awaits the merchant, but for what only a closed one takes.
        place = 3 if endpoint.path.endswith("re-open") else 0
        params |= {param.name: TICKETS[who][place] for param in endpoint.params if param.name == "id"}
    elif any(param.name == "id" and param.required for param in endpoint.params):
        params |= {"id": RINGS[who][0], "wish_express_add_countries": EXPRESS[who]}
    if any(param.name == "noti_id" for param in endpoint.params):
        params["noti_id"] = NOTIFICATIONS[who]
    if any(param.name == "ids" for param in endpoint.params):
        params["ids"] = RINGS[who][0]
    if who in ("cny", "eur") and endpoint.path in OWN:
        params |= OWN[endpoint.path] | {"localized_currency_code": who.upper()}
    return params


def webhook_like(endpoint: Endpoint) -> Mapping[str, str]:
    """The subscriptions of the world or what they were told, whichever an endpoint is about, by the shop."""
    return WEBHOOKS if "subscriptions" in endpoint.path else DELIVERIES


def jobs_like(endpoint: Endpoint) -> Mapping[str, str]:
    """The jobs of the world that an endpoint is about, by the shop that has them."""
    if "/order/" in endpoint.path:
        return ORDER_JOBS
    return BULK_JOBS if "bulk" in endpoint.path else DOWNLOAD_JOBS


def url(service: str, endpoint: Endpoint) -> str:
    """Where the endpoint is."""
    return ("https://wishpost.cn" if service == "wishpost" else "https://merchant.example") + endpoint.path
