"""Pictures from the call that names them to the path that shows them, played in the market."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.support.answer import Answer
from tests.support.calls import JPEG, NEW_PRODUCT
from tests.support.market import MERCHANT_URL, Market
from tradepost.darkroom.client import DarkroomAway
from tradepost.darkroom.studio import Studio
from tradepost.domain import inbox, merchants
from tradepost.domain.pictures import FAILED_TOPIC, NO_PICTURE, read_file
from tradepost.storage.files import FilesUnavailable
from tradepost.values import Page
from tradepost.worker.chores import delete_expired_uploads

PLACEHOLDER = MERCHANT_URL + NO_PICTURE
AT = "https://pictures.example/"
ADD, UPDATE = "/api/v2/product/add", "/api/v2/product/update"


def ok(answer: Answer) -> Any:
    """The data of an answer that went well."""
    assert answer.status == 200, answer.body
    return answer.data


def add(market: Market, who: str = "usd", **changes: object) -> Any:
    """A product of one picture, but for the changes."""
    bare = {name: value for name, value in NEW_PRODUCT.items() if name not in ("extra_images", "clean_image")}
    return ok(market.post(ADD, who, **bare | {"demo_video_asset_url": ""} | changes))["Product"]


def shoe(market: Market, who: str = "usd") -> Any:
    """That product as it is now."""
    return ok(market.get("/api/v2/product", who, parent_sku="red-shoe"))["Product"]


def file(market: Market, url: str) -> Answer:
    """What is behind a URL of ours; nobody needs a token for it."""
    assert url.startswith(MERCHANT_URL + "/pictures/")
    return market.get(url, None)


def image(market: Market, url: str) -> Image.Image:
    """The picture behind a URL of ours."""
    answer = file(market, url)
    assert answer.status == 200, answer.body
    opened = Image.open(io.BytesIO(answer.body))
    opened.load()
    return opened


def told(market: Market, who: str = "usd") -> list[tuple[str, Any]]:
    """What the merchant was told."""

    async def ask(ctx: Any) -> list[inbox.Notification]:
        told, _ = await inbox.list_notifications(await merchants.act_for(ctx, account(market, who)), Page(0, 100))
        return [one for one in reversed(told) if one.topic == FAILED_TOPIC]

    return [(notification.topic, notification.about) for notification in market.operate(ask)]


def account(market: Market, who: str) -> str:
    return market.world.merchants[who].account_id


def jobs(market: Market) -> int:
    """How many pictures were asked for."""
    return int(
        market.sql("select count(*) from job where kind = 'picture_fetch' and created_at > '2021-05-19 13:00'")
    )


# -- from a URL to a picture of ours


def test_a_fresh_product_shows_a_placeholder_and_then_its_picture(market: Market) -> None:
    fresh = add(market, main_image=AT + "shoe.jpg")
    assert (fresh["main_image"], fresh["original_image_url"]) == (PLACEHOLDER, AT + "shoe.jpg")
    assert fresh["variants"][0]["Variant"]["all_images"] == ""
    before = fresh["last_updated"]
    market.sql("update world_clock set fixed_at = fixed_at + interval '1 minute'")
    market.work()
    after = shoe(market)
    assert after["main_image"].startswith(MERCHANT_URL + "/pictures/")
    assert after["original_image_url"] == AT + "shoe.jpg"
    assert after["last_updated"] > before
    assert after["variants"][0]["Variant"]["all_images"] == after["main_image"]
    assert image(market, after["main_image"]).size == (240, 240)


def test_every_picture_keeps_its_place(market: Market) -> None:
    names = [f"{AT}{letter}.jpg" for letter in "cabd"]
    add(market, main_image=names[2], extra_images="|".join(names), clean_image=names[1])
    assert shoe(market)["extra_images"].split("|") == names
    market.work()
    after = shoe(market)
    extra = after["extra_images"].split("|")
    assert len(set(extra)) == 4
    assert (after["main_image"], after["clean_image"]) == (extra[2], extra[1])
    for url, shown in zip(names, extra, strict=True):
        add(market, sku=url[-5:], parent_sku=url[-5:], main_image=url)
        assert ok(market.get("/api/v2/product", parent_sku=url[-5:]))["Product"]["main_image"] == shown
    assert told(market) == []


def test_a_url_is_fetched_once_for_all_products_of_a_merchant(market: Market) -> None:
    add(market, main_image=AT + "one.jpg", extra_images=f"{AT}one.jpg|{AT}two.jpg")
    add(market, sku="b", parent_sku="b", main_image=AT + "one.jpg")
    assert jobs(market) == 2
    market.work()
    shown = shoe(market)["main_image"]
    assert ok(market.get("/api/v2/product", parent_sku="b"))["Product"]["main_image"] == shown
    add(market, sku="c", parent_sku="c", main_image=AT + "two.jpg", extra_images=AT + "one.jpg")
    assert jobs(market) == 2
    assert ok(market.get("/api/v2/product", parent_sku="c"))["Product"]["extra_images"] == shown
    add(market, "eur", main_image=AT + "one.jpg", localized_price="1", localized_shipping="1",
        localized_msrp="1", localized_currency_code="EUR")  # fmt: skip
    assert jobs(market) == 3


def test_what_was_read_can_be_sent_back(market: Market) -> None:
    """While pictures are on their way, and when they are there; nothing is fetched again, and nothing is lost."""
    add(market, main_image=AT + "one.jpg", extra_images=f"{AT}two.jpg|{AT}three.jpg", clean_image=AT + "two.jpg")
    names = ("main_image", "extra_images", "clean_image")
    for _ in range(2):
        read = shoe(market)
        ok(market.post(UPDATE, parent_sku="red-shoe", **{name: read[name] for name in names}))
        variant = ok(market.get("/api/v2/variant", sku="red-shoe-11"))["Variant"]
        ok(market.post("/api/v2/variant/update", sku="red-shoe-11", main_image=variant["main_image"]))
        assert shoe(market) == read
        market.work()
    assert jobs(market) == 3
    assert shoe(market)["main_image"] != PLACEHOLDER


def test_a_new_main_picture_is_shown_when_it_is_here(market: Market) -> None:
    before = ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]
    ok(market.post(UPDATE, parent_sku="ring", main_image=AT + "new.jpg"))
    assert ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]["main_image"] == before["main_image"]
    market.work()
    after = ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]
    assert after["main_image"] != before["main_image"]
    assert after["original_image_url"] == before["original_image_url"]
    assert file(market, before["main_image"]).status == 200


def test_a_variation_shows_the_products_picture_until_its_own_is_here(market: Market) -> None:
    own = {"main_image": AT + "own.jpg", "update_product_image": "false"}
    read = ok(market.get("/api/v2/variant", sku="ring-red"))["Variant"]["main_image"]
    ok(market.post("/api/v2/variant/update", sku="ring-red", **own))
    assert ok(market.get("/api/v2/variant", sku="ring-red"))["Variant"]["main_image"] == read
    added: dict[str, Any] = {"parent_sku": "ring", "sku": "ring-gold", "color": "gold", "inventory": 1, "price": 1}
    ok(market.post("/api/v2/variant/add", **added, main_image=AT + "own.jpg"))
    market.work()
    shown = {
        ok(market.get("/api/v2/variant", sku=sku))["Variant"]["main_image"] for sku in ("ring-red", "ring-gold")
    }
    assert len(shown) == 1
    assert read not in shown
    assert ok(market.get("/api/v2/variant", sku="ring-blue"))["Variant"]["main_image"] == read


# -- what does not become a picture


@pytest.mark.parametrize(
    ("name", "reason"), [("missing.jpg", "unreachable"), ("small.jpg", "too_small"), ("broken.jpg", "unreadable")]
)
def test_a_picture_that_fails_is_told_of_and_not_shown(market: Market, name: str, reason: str) -> None:
    add(market, main_image=AT + name, extra_images=f"{AT}a.jpg|{AT}{name}|{AT}b.jpg", clean_image=AT + name)
    market.work()
    after = shoe(market)
    assert after["main_image"] == PLACEHOLDER
    assert len(after["extra_images"].split("|")) == 2
    assert name not in after["extra_images"]
    assert "clean_image" not in after
    about = {"kind": "picture", "url": AT + name, "reason": reason, "product_ids": [after["id"]]}
    assert told(market) == [("picture_failed", about)]


def test_a_picture_that_fails_leaves_the_one_there_was(market: Market) -> None:
    before = ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]["main_image"]
    ok(market.post(UPDATE, parent_sku="ring", main_image=AT + "missing.jpg"))
    market.work()
    assert ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]["main_image"] == before
    ok(market.post(UPDATE, parent_sku="ring", main_image=AT + "missing.jpg"))  # asked for again, it is tried again
    assert jobs(market) == 2
    market.work()
    assert len(told(market)) == 2


def test_an_inside_host_is_as_unreachable_as_any_other(market: Market) -> None:
    add(market, main_image="http://169.254.169.254/latest/meta-data/", extra_images="http://nowhere.test/a.jpg")
    market.work()
    assert {about["reason"] for _, about in told(market)} == {"unreachable"}
    assert shoe(market)["extra_images"] == ""


def test_nothing_of_anothers_is_shown_or_taken(market: Market) -> None:
    foreign = ok(market.get("/api/v2/product", "cny", parent_sku="ring"))["Product"]["main_image"]
    refused = market.post(UPDATE, parent_sku="ring", main_image=foreign)
    assert (refused.code, refused.data) == (1000, 13)
    assert refused.json["message"].endswith(foreign)
    never = MERCHANT_URL + "/pictures/" + "0" * 24 + "-1.png"
    unknown = market.post(UPDATE, parent_sku="ring", main_image=never)
    assert unknown.json["message"].replace(never, foreign) == refused.json["message"]


def test_a_picture_of_another_kind_is_no_video(market: Market) -> None:
    shown = ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]
    for wrong in ({"demo_video_asset_url": shown["main_image"]}, {"main_image": shown["demo_video_asset_url"]}):
        assert market.post(UPDATE, parent_sku="ring", **wrong).code == 1000


# -- videos


def test_a_video_is_kept_as_it_is(market: Market) -> None:
    add(market, demo_video_asset_url="https://videos.example/shoe.mp4")
    assert shoe(market)["demo_video_asset_url"] == "https://videos.example/shoe.mp4"
    market.work()
    url = shoe(market)["demo_video_asset_url"]
    answer = file(market, url)
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.body[4:12] == b"ftypisom"
    ok(market.post(UPDATE, parent_sku="red-shoe", demo_video_asset_url=url))
    assert shoe(market)["demo_video_asset_url"] == url


def test_what_is_no_video_is_told_of_and_taken_out(market: Market) -> None:
    add(market, demo_video_asset_url="https://videos.example/shoe.jpg")
    market.work()
    assert "demo_video_asset_url" not in shoe(market)
    assert [(about["kind"], about["reason"]) for _, about in told(market)] == [("video", "unreadable")]


# -- what is served


def test_pictures_are_served_for_ever_and_as_what_they_are(market: Market) -> None:
    url = ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]["main_image"]
    answer = file(market, url)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["content-length"] == str(len(answer.body))
    small = image(market, url.replace(".png", "-small.png"))
    assert small.size == (240, 240)
    head = market.request("HEAD", url, None)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(answer.body)))
    assert market.request("POST", url, None).status == 405
    assert image(market, PLACEHOLDER).size == (100, 100)


@pytest.mark.parametrize(
    "name",
    ["", "x", "../../etc/passwd", "%2e%2e/x", "..%2fx", "None.png", "none.jpg", "{}-1.jpg", "{}-2.png", "{}-1.png/",
     "{}-1-small-small.png", "{}-1.mp4", "{}-small.png", "{}-1.PNG", "uploads/{}.jpg", "uploads/x", "\0",
     "a" * 5000],
)  # fmt: skip
def test_there_is_nothing_else_to_be_had(market: Market, name: str) -> None:
    known = urlsplit(ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]["main_image"]).path
    asked = name.format(known.removeprefix("/pictures/")[:24]).replace("\0", "%00")
    answer = market.get("/pictures/" + asked, None)
    assert (answer.status, answer.code) == (404, 4001)


# -- uploads


def test_an_upload_is_kept_for_two_weeks_and_what_was_made_of_it_for_good(market: Market) -> None:
    url = ok(market.post("/api/v2/image", image=JPEG))["url"]
    assert image(market, url).size == (120, 100)
    ok(market.post(UPDATE, parent_sku="ring", main_image=url, extra_images=f"{url}|{AT}b.jpg", clean_image=url))
    assert ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]["extra_images"].startswith(url)
    market.work()
    ring = ok(market.get("/api/v2/product", parent_sku="ring"))["Product"]
    assert ring["main_image"] == ring["clean_image"] == ring["extra_images"].split("|")[0] != url
    assert image(market, ring["main_image"]).size == (120, 100)
    market.sql("update world_clock set fixed_at = fixed_at + interval '14 days' - interval '1 second'")
    assert file(market, url).status == 200
    assert clean_up(market) == 0
    market.sql("update world_clock set fixed_at = fixed_at + interval '1 second'")
    assert (file(market, url).status, file(market, url).code) == (410, 4010)
    assert market.post(UPDATE, parent_sku="scarf", main_image=url).code == 1000
    assert clean_up(market) == 1
    assert clean_up(market) == 0
    assert file(market, url).status == 410
    assert image(market, ring["main_image"]).size == (120, 100)
    found = read_file(url.removeprefix(MERCHANT_URL + "/pictures/"))
    assert found is not None
    assert not (market.world.files / found.key).exists()


def clean_up(market: Market) -> int:
    """The chore, at the time of the world."""
    now = market.sql("select world_now()")
    return int(market.operate(lambda ctx: delete_expired_uploads(ctx, market.files), now))


def test_an_upload_that_cannot_be_made_or_kept_now_is_to_be_sent_again(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    for away in (DarkroomAway(), FilesUnavailable()):

        async def nowhere(*given: object, away: Exception = away) -> None:
            raise away

        monkeypatch.setattr(Studio, "keep_upload", nowhere)
        answer = market.post("/api/v2/image", image=JPEG)
        assert (answer.status, answer.code) == (503, 9003)
        assert answer.headers["retry-after"] == "2"


def test_an_upload_is_nobody_elses(market: Market) -> None:
    url = ok(market.post("/api/v2/image", image=JPEG))["url"]
    assert market.post(UPDATE, "cny", parent_sku="ring", main_image=url).code == 1000
    assert market.post(UPDATE, "cny", parent_sku="ring", demo_video_asset_url=url).code == 1000


@pytest.mark.parametrize("cut", [0, 1, 57, 4096])
def test_base64_may_have_line_ends(market: Market, cut: int) -> None:
    text = "\r\n".join(JPEG[at : at + cut] for at in range(0, len(JPEG), cut)) if cut else JPEG + "\n"
    assert ok(market.post("/api/v2/image", image=text))["url"]
