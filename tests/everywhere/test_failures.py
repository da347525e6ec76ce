"""Every line of the failure tables is provoked by a real call and told in every language.

What no call of today's endpoints can provoke is in `not_provoked.tsv` with its reason; that list may only
shrink.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.everywhere.consent_provoked import CONSENT_PROVOKED, token_call
from tests.everywhere.operator_provoked import OPERATORS_PROVOKED
from tests.everywhere.orders_provoked import ORDERS_PROVOKED
from tests.everywhere.webhooks_provoked import WEBHOOKS_PROVOKED
from tests.support.answer import Answer
from tests.support.calls import (
    ADDRESS,
    DOWNLOAD_JOBS,
    JPEG,
    NEW_ORDER,
    PARCELS,
    RETURN_WAREHOUSES,
    RINGS,
    SCARVES,
    SURFACES,
    TICKETS,
    good_call,
)
from tests.support.consent import client
from tests.support.fill import FILL_WITH_VARIATIONS
from tests.support.market import Market
from tradepost.domain import merchants, products
from tradepost.domain.access import new_token
from tradepost.domain.parcels.booking import wish_id
from tradepost.surfaces.merchant_v2.chapters import api as merchant_v2

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
ADD, UPDATE, VARIANT = "/api/v2/product/add", "/api/v2/product/update", "/api/v2/variant"
BULK, DOWNLOAD = "/api/v2/variant/bulk-sku-update", "/api/v2/product/create-download-job"
IMAGE = "/api/v2/image"
RETURNS = "/api/v2/returns"
SHIPPING = "/api/v2/product/update-shipping"
CHANNELS = "https://wishpost.cn/api/v3/channels"

_rows = [line.split("\t") for line in (Path(__file__).parent / "not_provoked.tsv").read_text().splitlines()[1:]]
NOT_PROVOKED = {(service, name) for service, name, _ in _rows}


def post(path: str, who: str = "usd", **params: str) -> Callable[[Market, str], Answer]:
    """A form to an endpoint of the merchant service."""
    return lambda market, locale: market.post(path, who, locale=locale, **params)


def add(who: str = "usd", **changes: str) -> Callable[[Market, str], Answer]:
    """A product to add that is good but for the changes; None takes a parameter out."""
    endpoint = next(endpoint for endpoint in merchant_v2.endpoints if endpoint.path == ADD)
    return post(ADD, who, **good_call("merchant", endpoint, who) | changes)


def raw(body: bytes, content_type: str = FORM, **headers: str) -> Callable[[Market, str], Answer]:
    """Any bytes as a body."""
    sent = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return lambda market, locale: market.request("POST", f"{UPDATE}?locale={locale}", "usd", body, sent)


def bearer(token: str, target: str = "/api/v2/auth_test") -> Callable[[Market, str], Answer]:
    """A call with this Authorization header."""
    return lambda market, locale: market.request(
        "GET", f"{target}?locale={locale}", None, headers={"authorization": token}
    )


def first(sql: str, then: Callable[[Market, str], Answer]) -> Callable[[Market, str], Answer]:
    """A call after something happened in the database."""

    def do(market: Market, locale: str) -> Answer:
        market.sql(sql)
        return then(market, locale)

    return do


def bulk(*updates: object, more: str = "") -> Callable[[Market, str], Answer]:
    """A bulk update of these rows; the name of one more parameter is filled up to two megabytes."""
    form = {"updates": json.dumps(updates), **({more: "a" * (2 << 20)} if more else {})}
    return lambda market, locale: market.post(f"{BULK}?locale={locale}", **form)


def row(
    update: object, meanwhile: Callable[[Market], object] = lambda market: None
) -> Callable[[Market, str], Answer]:
    """The list of failures after a bulk update of one row was done; something may have happened meanwhile."""

    def do(market: Market, locale: str) -> Answer:
        job_id = market.post(BULK, updates=json.dumps([update])).data["job_id"]
        meanwhile(market)
        market.work()
        return market.get("/api/v2/variant/get-bulk-update-job-failures", job_id=job_id, locale=locale)

    return do


def link(market: Market) -> str:
    """The link to the download that the world has."""
    status = market.get("/api/v2/product/get-download-job-status", job_id=DOWNLOAD_JOBS["usd"])
    return str(status.data["download_link"])


def expired_link(market: Market, locale: str) -> Answer:
    found = link(market)
    market.sql("update world_clock set fixed_at = fixed_at + interval '66 hours'")
    return market.get(found, None)


def expired_upload(then: Callable[[Market, str, str], Answer]) -> Callable[[Market, str], Answer]:
    """Something that is asked about an upload when its time is over."""

    def do(market: Market, locale: str) -> Answer:
        url = market.post(IMAGE, image=JPEG).data["url"]
        market.sql("update world_clock set fixed_at = fixed_at + interval '14 days'")
        return then(market, locale, url)

    return do


def jpeg(width: int, height: int) -> str:
    """A picture of one colour, in base64."""
    out = io.BytesIO()
    Image.new("L", (width, height)).save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


def picture(market: Market) -> str:
    """The link to the picture of a ticket."""
    replies = market.get("/api/v2/ticket", id=TICKETS["usd"][0]).data["Ticket"]["replies"]
    return str(replies[0]["Reply"]["image_urls"][2:-2])


def expired_picture(market: Market, locale: str) -> Answer:
    found = picture(market)
    market.sql("update world_clock set fixed_at = fixed_at + interval '60 minutes'")
    return market.get(found, None)


def wishpost(
    query: str = "", method: str = "GET", body: bytes = b"", **headers: str
) -> Callable[[Market, str], Answer]:
    """A call for the list of channels."""
    return lambda market, locale: market.request(
        method, f"{CHANNELS}?locale={locale}&{query}", "wishpost:lan", body, headers
    )


def auth_test(market: Market, locale: str) -> Answer:
    return market.get("/api/v2/auth_test", locale=locale)


def removed_product(market: Market, locale: str) -> Answer:
    product_id = market.get("/api/v2/product", parent_sku="scarf").data["Product"]["id"]
    market.post("/api/v2/product/remove", id=product_id)
    return market.post(UPDATE, id=product_id, name="x", locale=locale)


def take_down(market: Market) -> None:
    """The marketplace takes a variation off."""
    merchant_id = market.world.merchants["usd"].account_id

    async def act(ctx: Any) -> None:
        await products.take_down_variation(await merchants.act_for(ctx, merchant_id), "ring-red")

    market.operate(act)


def taken_down(market: Market, locale: str) -> Answer:
    take_down(market)
    return market.post("/api/v2/variant/enable", sku="ring-red", locale=locale)


def full_product(market: Market, locale: str) -> Answer:
    market.sql(FILL_WITH_VARIATIONS, market.world.merchants["usd"].account_id, "scarf", 2, 400)
    return market.post(
        "/api/v2/variant/add", parent_sku="scarf", sku="401", color="x", inventory=1, price=1, locale=locale
    )


def limited(level: str) -> Callable[[Market, str], Answer]:
    """The wishpost call after the last one of a level: all other levels have room."""
    keys = {
        "ip": "'127.0.0.1'",
        "user": "t.account_id",
        "ip_user": "'127.0.0.1 ' || t.account_id",
        "ip_agent": "'127.0.0.1 ' || md5('')",
        "ip_user_agent": "'127.0.0.1 ' || t.account_id || ' ' || md5('')",
        "app": "t.app_id",
        "ip_app": "'127.0.0.1 ' || t.app_id",
        "app_user": "t.app_id || t.account_id",
    }
    service = "merchant" if level == "app_user" else "wishpost"
    sql = (
        f"insert into rate_window (key, started_at, used) select '{service}/default/{level}:' || {keys[level]}, "
        "date_bin('1 minute', clock_timestamp() + interval '1 minute', '1970-01-01'), 1000000000 "
        "from access_token t on conflict do nothing"
    )
    return first(sql, auth_test if level == "app_user" else wishpost())


def create(**changes: str) -> Callable[[Market, str], Answer]:
    """A return warehouse to create that is good but for the changes."""
    endpoint = next(e for e in merchant_v2.endpoints if e.path == f"{RETURNS}/create-return-warehouse")
    return post(endpoint.path, **good_call("merchant", endpoint) | changes)


def enroll(product_id: str = RINGS["usd"][0], region: str = "US") -> Callable[[Market, str], Answer]:
    """A product to enrol with the return warehouse of the world."""
    warehouse_id = RETURN_WAREHOUSES["usd"]
    return post(f"{RETURNS}/enroll-product-in-returns", id=product_id, region=region, warehouse_id=warehouse_id)


def address(state: str) -> Callable[[Market, str], Answer]:
    """A product to enrol with a return warehouse whose address stands like that."""
    return first(f"update return_warehouse set address_state = '{state}'", enroll())


def wishpost_get(path: str, **query: str) -> Callable[[Market, str], Answer]:
    """A read of the logistics service."""
    return lambda market, locale: market.get(
        f"https://wishpost.cn/api/v3/{path}", "wishpost:lan", **query, locale=locale
    )


def wishpost_post(path: str, body: object) -> Callable[[Market, str], Answer]:
    """A write of the logistics service with a JSON body."""
    return lambda market, locale: market.request(
        "POST",
        f"https://wishpost.cn/api/v3/{path}?locale={locale}",
        "wishpost:lan",
        json.dumps(body).encode(),
        {"content-type": JSON},
    )


def labels(*states: str) -> Callable[[Market, str], Answer]:
    """The labels of parcels in these states."""
    numbers = ",".join(wish_id(PARCELS["lan"][state]) for state in states)
    return wishpost_get("labels", tracking_ids=numbers)


def expired_labels(market: Market, locale: str) -> Answer:
    found = labels("numbered")(market, locale).data["url"]
    market.sql("update world_clock set fixed_at = fixed_at + interval '24 hours'")
    return market.request("GET", found, None, headers={"accept-language": locale})


def book(goods: dict[str, Any] | None = None, **changes: object) -> Callable[[Market, str], Answer]:
    """A parcel to book that is good but for the changes, those of its goods apart."""
    lines = [{**NEW_ORDER["goods"][0], **(goods or {})}]
    return wishpost_post("orders/create", NEW_ORDER | {"goods": lines} | changes)


def cancel(state: str) -> Callable[[Market, str], Answer]:
    """A parcel to cancel that is in this state."""
    number = wish_id(PARCELS["lan"][state])
    return wishpost_post(
        "orders/cancel", [{"tracking_id": number, "cancel_reason_code": "USER_BIZ_DUPLICATE_ORDER"}]
    )


MANY = "|".join(f"https://pictures.example/{number}.jpg" for number in range(101))

PROVOKED: dict[tuple[str, str], Callable[[Market, str], Answer]] = {
    ("merchant", "RequestMalformed"): lambda market, locale: market.request(
        "GET", f"{UPDATE}?locale={locale}", "usd", headers={"host": 'a"b'}
    ),
    ("merchant", "PathUnknown"): lambda market, locale: market.get("/api/v2/nothing", locale=locale),
    ("merchant", "MethodNotAllowed"): lambda market, locale: market.request("PUT", f"{UPDATE}?locale={locale}"),
    ("merchant", "HttpsRequired"): lambda market, locale: market.get(
        f"http://merchant.example{UPDATE}", locale=locale
    ),
    ("merchant", "BodyTooLarge"): raw(b"name=" + b"a" * (1 << 20)),
    ("merchant", "ContentTypeUnknown"): raw(b"<xml/>", "text/xml"),
    ("merchant", "BodyMalformed"): raw(b"--edge\r\nbroken", "multipart/form-data; boundary=edge"),
    ("merchant", "JsonMalformed"): raw(b'{"name": }', JSON),
    ("merchant", "BodyNotObject"): raw(b"[1]", JSON),
    ("merchant", "TooManyFields"): raw(b"&".join(b"f%d=1" % number for number in range(1001))),
    ("merchant", "TokenMissing"): lambda market, locale: market.get("/api/v2/auth_test", None, locale=locale),
    ("merchant", "TokenMalformed"): bearer("Basic abc"),
    ("merchant", "TokensDisagree"): lambda market, locale: market.get(
        "/api/v2/auth_test", locale=locale, access_token=market.token("cny")
    ),
    ("merchant", "ParameterMissing"): post("/api/v2/variant/enable"),
    ("merchant", "OneOfMissing"): post(UPDATE),
    ("merchant", "GivenTwice"): raw(b"parent_sku=ring&name=a&name=b"),
    ("merchant", "PlacesDisagree"): lambda market, locale: market.post(
        f"{UPDATE}?name=a", parent_sku="ring", name="b", locale=locale
    ),
    ("merchant", "NotOneValue"): raw(json.dumps({"parent_sku": "ring", "name": ["a"]}).encode(), JSON),
    ("merchant", "NotUtf8"): raw(b"parent_sku=ring&name=%ff"),
    ("merchant", "BadCharacter"): raw(b"parent_sku=ring&name=a%00b"),
    ("merchant", "BadLength"): add(size="x" * 50),
    ("merchant", "NotWhole"): add(inventory="500001"),
    ("merchant", "NotDecimal"): add(price="1e3"),
    ("merchant", "NotBoolean"): add(has_metal="yes"),
    ("merchant", "NotChoice"): add(unit="STONE"),
    ("merchant", "NotMoment"): post("/api/v2/product/multi-get", since="yesterday"),
    ("merchant", "NotUrl"): add(landing_page_url="javascript:alert(1)"),
    ("merchant", "NotDigits"): add(upc="1234567"),
    ("merchant", "NotCountry"): add(origin_country="UK"),
    ("merchant", "NotJson"): add(country_shipping_prices="{"),
    ("merchant", "TooManyItems"): post("/api/v2/product/get-products-shipping", ids="a" + 50 * ",a"),
    ("merchant", "BadItem"): add(country_shipping_prices='{"XX": 1}'),
    ("merchant", "NotSpan"): add(shipping_time="1-5"),
    ("merchant", "TokenForged"): bearer("Bearer abc"),
    ("merchant", "TokenUnknown"): bearer(f"Bearer {new_token()}"),
    ("merchant", "TokenExpired"): first("update access_token set expires_at = '2021-05-19'", auth_test),
    ("merchant", "TokenRevoked"): first("update access_token set revoked_at = now()", auth_test),
    ("merchant", "AccountSuspended"): first("update merchant set suspended_at = now()", auth_test),
    ("merchant", "ScopeMissing"): first("update access_token set scopes = '{}'", post(UPDATE, parent_sku="ring")),
    ("merchant", "RateLimitReached"): limited("app_user"),
    ("merchant", "InvalidId"): post(UPDATE, id="0"),
    ("merchant", "ProductNotFound"): post(UPDATE, id="0" * 24),
    ("merchant", "VariationNotFound"): post(VARIANT, sku="zzz"),
    ("merchant", "ParentNotFound"): post(
        "/api/v2/variant/add", parent_sku="zzz", sku="a", color="b", inventory="1", price="1"
    ),
    ("merchant", "ProductRemoved"): removed_product,
    ("merchant", "VariationRemovedByWish"): taken_down,
    ("merchant", "SkuTaken"): add(sku="ring-red"),
    ("merchant", "ParentSkuTaken"): add(parent_sku="ring"),
    ("merchant", "NeitherColorNorSize"): post(
        "/api/v2/variant/add", parent_sku="ring", sku="a", inventory="1", price="1"
    ),
    ("merchant", "ColorAndSizeTaken"): post("/api/v2/variant/update", sku="ring-red", color="blue"),
    ("merchant", "TooManyVariations"): full_product,
    ("merchant", "TooManyPictures"): add(extra_images=MANY),
    ("merchant", "CleanImageUnknown"): add(clean_image="https://pictures.example/other.jpg"),
    ("merchant", "MainImageMissing"): add(main_image=""),
    ("merchant", "ImageUnreachable"): post(UPDATE, parent_sku="ring", main_image="xxx"),
    ("merchant", "NewImageUnreachable"): add(main_image="xxx"),
    ("merchant", "VideoHostRefused"): add(demo_video_asset_url="https://www.youtube.com/watch?v=1"),
    ("merchant", "LocalizedMissing"): add("cny", localized_price=""),
    ("merchant", "CurrencyMismatch"): add("cny", localized_currency_code="EUR"),
    ("merchant", "TooPrecise"): add("cny", localized_price="600.001"),
    ("merchant", "AmountsDiffer"): add(localized_price="99", localized_currency_code="USD"),
    ("merchant", "AboveLimit"): post(
        "/api/v2/variant/update", sku="ring-red", localized_price="100000.01", localized_currency_code="USD"
    ),
    ("merchant", "WarehouseNotFound"): post(VARIANT, sku="ring-red", warehouse_name="EXPRESS-ZA"),
    ("merchant", "CountryNotServed"): post(SHIPPING, parent_sku="ring", country="FR", price="1"),
    ("merchant", "ShipsWorldwide"): first(
        "update shipping_mode set worldwide = true",
        post("/api/v2/product/get-shipping", parent_sku="ring", country="US"),
    ),
    ("merchant", "ExpressWarehouseMissing"): post(SHIPPING, parent_sku="ring", country="CA", wish_express="true"),
    ("merchant", "RegionTooDear"): post(SHIPPING, parent_sku="ring", country="US_HI", price="7.99"),
    ("merchant", "SpanReversed"): post("/api/v2/product/multi-get", since="2021-05-20", upto="2021-05-19"),
    ("merchant", "FieldsTooLarge"): bulk({"sku": "ring-red", "inventory": 1}, more="other"),
    ("merchant", "NotRows"): bulk(),
    ("merchant", "TooManyRows"): bulk(*[0] * 100_001),
    ("merchant", "RowTooLarge"): bulk({"sku": "a" * (1 << 16)}),
    ("merchant", "JobNotFound"): post("/api/v2/variant/get-bulk-update-job-status", job_id="0" * 24),
    ("merchant", "TooManyJobs"): first(
        "insert into job (account_id, id, kind, lane, arguments, created_at, due_at) "
        "select id, lpad(n::text, 24, '0'), 'product_download', 'product_download', '{}', now(), now() "
        "from merchant, generate_series(1, 1000) n",
        post(DOWNLOAD),
    ),
    ("merchant", "VariationIdNotFound"): post(
        f"{RETURNS}/get-product-variation-dimensions", id=RINGS["usd"][0], variation_id="0" * 24
    ),
    ("merchant", "ReturnWarehouseNotFound"): post(f"{RETURNS}/edit-return-warehouse", warehouse_id="0" * 24),
    ("merchant", "ReturnFieldMissing"): create(email=""),
    ("merchant", "CountryOutsideRegion"): create(country="CN"),
    ("merchant", "TooManyReturnWarehouses"): first("update return_warehouse set position = 100", create()),
    ("merchant", "NotEmail"): create(email="returns"),
    ("merchant", "NotPhone"): create(phone_number="1234"),
    ("merchant", "RegionDiffers"): enroll(region="EU"),
    ("merchant", "AddressUnderValidation"): address("validating"),
    ("merchant", "AddressInvalid"): address("invalid"),
    ("merchant", "DimensionsMissing"): enroll(SCARVES["usd"][0]),
    ("merchant", "NotEnrolled"): post(
        f"{RETURNS}/disable-return-setting-for-region", id=RINGS["usd"][0], region="EU"
    ),
    **{("merchant", name): call for name, call in ORDERS_PROVOKED.items()},
    **CONSENT_PROVOKED,
    **WEBHOOKS_PROVOKED,
    ("merchant", "NotificationNotFound"): post("/api/v2/noti/mark-as-viewed", noti_id="0" * 24),
    ("merchant", "TicketNotFound"): post("/api/v2/ticket/close", id="0" * 24),
    ("merchant", "TicketClosed"): post("/api/v2/ticket/reply", id=TICKETS["usd"][3], reply="x"),
    ("merchant", "TicketNotClosed"): post("/api/v2/ticket/re-open", id=TICKETS["usd"][0], reply="x"),
    ("merchant", "TicketWithSupport"): post("/api/v2/ticket/appeal-to-wish-support", id=TICKETS["usd"][4]),
    ("merchant", "TicketPictureNotFound"): lambda market, locale: market.get(picture(market) + "x", None),
    ("merchant", "TicketPictureExpired"): expired_picture,
    ("merchant", "DownloadNotFound"): lambda market, locale: market.get(link(market) + "x", None),
    ("merchant", "LinkExpired"): expired_link,
    ("merchant", "PictureExpired"): expired_upload(
        lambda market, locale, url: market.post(UPDATE, parent_sku="ring", main_image=url, locale=locale)
    ),
    ("merchant", "PictureGone"): expired_upload(lambda market, locale, url: market.get(url, None)),
    ("merchant", "PictureNotFound"): lambda market, locale: market.get("/pictures/x.jpg", None),
    ("merchant", "NotBase64"): post(IMAGE, image="a_b-"),
    ("merchant", "ImageTooLarge"): post(IMAGE, image="A" * (7 << 20)),
    ("merchant", "PictureUnreadable"): post(IMAGE, image=JPEG[:100]),
    ("merchant", "PictureTooSmall"): post(IMAGE, image=jpeg(100, 99)),
    ("merchant", "PictureTooLarge"): post(IMAGE, image=jpeg(6325, 6325)),
    ("merchant", "TooManyWaiting"): first(
        "insert into picture (merchant_id, id, kind, source, created_at) "
        "select id, lpad(n::text, 24, '0'), 'picture', n, now() from merchant, generate_series(1, 100000) n "
        "where merchant.payment_currency = 'USD' and merchant.currency = 'USD'",
        add(),
    ),
    **{("operator", name): call for name, call in OPERATORS_PROVOKED.items()},
    ("wishpost", "PathUnknown"): lambda market, locale: market.get(
        "https://wishpost.cn/api/v3/nothing", "wishpost:lan", locale=locale
    ),
    ("wishpost", "MethodNotAllowed"): wishpost(method="POST"),
    ("wishpost", "HttpsRequired"): lambda market, locale: market.get(
        CHANNELS.replace("https", "http"), "wishpost:lan", locale=locale
    ),
    ("wishpost", "BodyTooLarge"): wishpost(body=b"a" * ((1 << 20) + 1)),
    ("wishpost", "ContentTypeUnknown"): wishpost(body=b"<xml/>", **{"content-type": "text/xml"}),
    ("wishpost", "BodyMalformed"): wishpost(body=b"-", **{"content-type": "multipart/form-data"}),
    ("wishpost", "JsonMalformed"): wishpost(body=b"{", **{"content-type": JSON}),
    ("wishpost", "BodyNotObject"): wishpost(body=b"1", **{"content-type": JSON}),
    ("wishpost", "TooManyFields"): wishpost(
        body=b"&".join(b"f%d=1" % number for number in range(1001)), **{"content-type": FORM}
    ),
    ("wishpost", "TokenMissing"): lambda market, locale: market.get(CHANNELS, None, locale=locale),
    ("wishpost", "TokenMalformed"): bearer("Basic abc", CHANNELS),
    ("wishpost", "TokensDisagree"): wishpost_post("get_channels", {"access_token": new_token()}),
    ("wishpost", "GivenTwice"): wishpost("fields=otype&fields=otype"),
    ("wishpost", "PlacesDisagree"): wishpost("fields=otype", body=b"fields=channel_name", **{"content-type": FORM}),
    ("wishpost", "NotOneValue"): wishpost(body=b'{"fields": ["otype"]}', **{"content-type": JSON}),
    ("wishpost", "NotUtf8"): wishpost("fields=%ff"),
    ("wishpost", "NotChoice"): lambda market, locale: market.get(CHANNELS, "wishpost:lan", locale="xx"),
    ("wishpost", "BadFields"): wishpost("fields=otype("),
    ("wishpost", "TokenForged"): bearer("Bearer abc", CHANNELS),
    ("wishpost", "TokenUnknown"): bearer(f"Bearer {new_token()}", CHANNELS),
    ("wishpost", "TokenExpired"): first("update access_token set expires_at = '2021-05-19'", wishpost()),
    ("wishpost", "TokenRevoked"): first("update access_token set revoked_at = now()", wishpost()),
    ("wishpost", "AccountSuspended"): first("update shipper set suspended_at = now()", wishpost()),
    ("wishpost", "ScopeMissing"): first("update access_token set scopes = '{}'", wishpost()),
    ("wishpost", "ParameterMissing"): wishpost_get("tracking"),
    ("wishpost", "BadCharacter"): wishpost_get("orders/get", id="a\0b"),
    ("wishpost", "BadLength"): wishpost_get("orders/get", id="a" * 65),
    ("wishpost", "NotWhole"): wishpost_get("orders", limit="501"),
    ("wishpost", "NotMoment"): wishpost_get("orders", created_at_min="2021-05-19"),
    ("wishpost", "TooManyItems"): wishpost_get("tracking", tracking_ids="a" + 20 * ",a"),
    ("wishpost", "BadItem"): wishpost_get("tracking", tracking_ids="a,,b"),
    ("wishpost", "NotObjectId"): wishpost_get("orders", id_min="7"),
    ("wishpost", "NotTransferId"): wishpost_get("payments/cash_flow", id_min="a"),
    ("wishpost", "ParcelNotFound"): wishpost_get("orders/get", id="0" * 24),
    ("wishpost", "BodyNotList"): wishpost_post("orders/cancel", []),
    ("wishpost", "BodyParamBad"): book(sender=7),
    ("wishpost", "NoLabelYet"): labels("booked"),
    ("wishpost", "NoLabel"): labels("numbered", "cancelled"),
    ("wishpost", "LabelsExpired"): expired_labels,
    ("wishpost", "LabelsNotFound"): lambda market, locale: market.request(
        "GET", "https://wishpost.cn/labels/x.pdf", None, headers={"accept-language": locale}
    ),
    ("wishpost", "ChannelNotFound"): book(otype="7-7"),
    ("wishpost", "RealNameUnverified"): first("update shipper set unverified_at = now()", book()),
    ("wishpost", "GuidTaken"): book(guid="lan-booked"),
    ("wishpost", "OrderIdWrong"): book(wish_order_id="7"),
    ("wishpost", "TooManyOrderIds"): book(otype="1", warehouse_code="2"),
    ("wishpost", "NameWithoutLatin"): book({"name": "竹灯"}),
    ("wishpost", "NameWithoutChinese"): book({"name_chinese": "lamp"}),
    ("wishpost", "ChineseNotAllowed"): book(recipient=ADDRESS | {"city": "深圳"}),
    ("wishpost", "KindAndBatteryDisagree"): book({"has_battery": False}),
    ("wishpost", "KindNotTaken"): book({"sensitivity_type": "2"}, otype="200-1", pickup_service=None),
    ("wishpost", "ParcelTooHeavy"): book({"weight": "2.001"}),
    ("wishpost", "HandoverWarehouseWrong"): book(warehouse_code="9"),
    ("wishpost", "PickupServiceWrong"): book(pickup_service="27-1"),
    ("wishpost", "PickupAddressMissing"): book(pickup=ADDRESS),
    ("wishpost", "BalanceTooLow"): first(
        "update ledger_account set balance = -199, least = -200 where name = 'free'", book()
    ),
    ("wishpost", "OneOfMissing"): token_call(
        "wishpost", "/api/v3/access_token", client("wishpost"), grant_type="authorization_code"
    ),
    ("wishpost", "IpLimitReached"): limited("ip"),
    ("wishpost", "UserLimitReached"): limited("user"),
    ("wishpost", "IpUserLimitReached"): limited("ip_user"),
    ("wishpost", "IpAgentLimitReached"): limited("ip_agent"),
    ("wishpost", "IpUserAgentLimitReached"): limited("ip_user_agent"),
    ("wishpost", "AppLimitReached"): limited("app"),
    ("wishpost", "IpAppLimitReached"): limited("ip_app"),
}

# What a row of a bulk update can fail with, told in the list of failures and never as the answer to a call.
ROWS: dict[str, Callable[[Market, str], Answer]] = {
    "SkuUnknown": row({"sku": "ring-violet", "inventory": 1}),
    "SkuMissing": row({"inventory": 1}),
    "RowNotObject": row("ring-red"),
    "NothingToChange": row({"sku": "ring-red"}),
    "InventoryUnusable": row({"sku": "ring-red", "inventory": 500_001}),
    "EnabledUnusable": row({"sku": "ring-red", "enabled": "yes"}),
    "EnablingRemoved": row({"sku": "ring-red", "enabled": True}, take_down),
    "ChangedSince": row(
        {"sku": "ring-red", "inventory": 1},
        lambda market: market.post("/api/v2/variant/update-inventory", sku="ring-red", inventory=2),
    ),
}
# What an item of a list can be answered with that is judged by itself.
ITEMS: dict[str, Callable[[Market, str], Answer]] = {
    "AlreadyCancelled": cancel("cancelled"),
    "AlreadyScanned": cancel("delivered"),
    "AlreadyRefused": cancel("refused"),
}
# Told to somebody whose language is not known: a link is not called in anybody's name.
IN_ENGLISH = {("wishpost", "NotChoice"), ("merchant", "DownloadNotFound"), ("merchant", "LinkExpired")}
IN_ENGLISH |= {("merchant", "PictureGone"), ("merchant", "PictureNotFound")}
IN_ENGLISH |= {("merchant", "TicketPictureNotFound"), ("merchant", "TicketPictureExpired")}

EVERY = [(service, name) for service, surface in SURFACES.items() for name in surface.table.names()]


def test_every_failure_is_provoked_or_listed() -> None:
    provoked = PROVOKED.keys() | {("merchant", name) for name in ROWS} | {("wishpost", name) for name in ITEMS}
    assert provoked | NOT_PROVOKED == set(EVERY)
    assert not provoked & NOT_PROVOKED
    assert len(provoked) == len(PROVOKED) + len(ROWS) + len(ITEMS)


@pytest.mark.parametrize(("service", "name"), PROVOKED, ids=[f"{service}:{name}" for service, name in PROVOKED])
def test_failure(market: Market, service: str, name: str) -> None:
    """Status, code, detail and sentence are those of the table, in every language."""
    table = SURFACES[service].table
    line = table.line(name)
    for locale in table.locales:
        answer = _undone(market, PROVOKED[service, name], locale)
        assert (answer.status, answer.code) == (line.http, line.code), answer.body
        if service != "wishpost":
            assert answer.json["type"] == line.type
        _assert_says(
            answer.json["message"], table.sentence(name, "en" if (service, name) in IN_ENGLISH else locale)
        )
        if line.detail == "{}":
            assert answer.data == {}


@pytest.mark.parametrize("name", ROWS)
def test_failure_of_a_row(market: Market, name: str) -> None:
    """Code and sentence of a row that was not applied are those of the table, in every language."""
    table = SURFACES["merchant"].table
    for locale in table.locales:
        answer = _undone(market, ROWS[name], locale)
        assert answer.status == 200, answer.body
        (told,) = answer.data["errors"]
        assert told["error_code"] == table.line(name).code
        _assert_says(told["error"], table.sentence(name, locale))


@pytest.mark.parametrize("name", ITEMS)
def test_failure_of_an_item(market: Market, name: str) -> None:
    """Code and sentence of an item that is judged by itself are those of the table, in every language."""
    table = SURFACES["wishpost"].table
    for locale in table.locales:
        answer = _undone(market, ITEMS[name], locale)
        assert answer.status == 200, answer.body
        (told,) = answer.data
        assert told["code"] == table.line(name).code
        _assert_says(told["message"], table.sentence(name, locale))


def _undone(market: Market, provoke: Callable[[Market, str], Answer], locale: str) -> Answer:
    savepoint = market.connection.transaction()
    market.run(savepoint.start())
    answer = provoke(market, locale)
    market.run(savepoint.rollback())
    return answer


def _assert_says(told: str, sentence: str) -> None:
    """The sentence is told, whatever stands in its blanks."""
    fixed = [re.escape(part) for part in re.split(r"\{[a-z_]+\}", sentence)]
    assert re.fullmatch(".*".join(fixed), told, re.DOTALL), told
