"""The pictures of a product as a merchant changes them: from a file, from an address, and in their order."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.pages.shop import ShopBrowser
from tests.pages.test_consent import _password
from tests.pages.test_shop_products import NEW
from tests.support.calls import RINGS
from tests.support.market import Market
from tradepost.surfaces.pages.asked import FORM_WITH_FILES

__all__ = ["_password"]

RING = RINGS["usd"][0]
PAGE = f"/products/{RING}/pictures"
ARRANGE = f"{PAGE}/arrange"


def picture(side: int = 120, kind: str = "JPEG", size: int = 0) -> bytes:
    """A picture as it comes from a camera; `size` fills it up to so many bytes."""
    made = io.BytesIO()
    Image.new("RGB", (side, side), (200, 30, side % 256)).save(made, kind)
    return made.getvalue().ljust(size, b"\0")


@pytest.fixture
def shop(market: Market) -> ShopBrowser:
    browser = ShopBrowser(market)
    market.sql("update product set extra_images = '{}' where id = $1", RING)
    browser.open(PAGE)
    return browser


def attach(shop: ShopBrowser, data: bytes, status: int = 200, action: str = PAGE, **values: str) -> str:
    """Send a form with a picture as a file."""
    begin = '--a-line\r\nContent-Disposition: form-data; name="'
    fields = {"seal": shop.seal(), "use": "extra", "picture_url": ""} | values
    told = "".join(f'{begin}{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    head = f'{told}{begin}picture"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = head.encode() + data + b"\r\n--a-line--\r\n"
    shop.browser.send_to(action, body, f"{FORM_WITH_FILES}; boundary=a-line")
    assert shop.browser.answer.status == status, shop.text
    return shop.text


def extra(market: Market) -> list[str]:
    found: list[str] = market.sql("select extra_images from product where id = $1", RING)
    return found


def arrange(shop: ShopBrowser, market: Market, at: int, wish: str, status: int = 200) -> None:
    """Press a button below the extra picture at a place."""
    forms = shop.page.xpath("//main//form")
    number = [n for n, form in enumerate(forms) if form.get("action") == ARRANGE][at]
    shop.browser.submit(number, do=wish)
    assert shop.browser.answer.status == status, shop.text


def test_a_picture_comes_from_a_file_and_is_shown_at_once(market: Market, shop: ShopBrowser) -> None:
    attach(shop, picture())
    assert "The picture is added." in shop.said()
    (image,) = extra(market)
    assert image.startswith("/pictures/uploads/")
    assert shop.page.xpath("//ol//img/@src") == [image]
    assert "being prepared" in shop.text
    market.work()
    shop.open(PAGE)
    (image,) = extra(market)
    assert "/uploads/" not in image
    assert shop.page.xpath("//ol//img/@src") == [image]
    assert "being prepared" not in shop.text


def test_a_file_becomes_the_main_picture(market: Market, shop: ShopBrowser) -> None:
    market.work()
    before = market.sql("select main_image from product where id = $1", RING)
    attach(shop, picture(), use="main")
    assert market.sql("select main_image from product where id = $1", RING) == before
    assert market.sql("select wanted_image from product where id = $1", RING).startswith("/pictures/uploads/")
    market.work()
    after = market.sql("select main_image from product where id = $1", RING)
    assert after not in ("", before)
    assert "/uploads/" not in after


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x89 no picture", "JPG"),
        (picture(kind="PNG"), "JPG"),
        (picture(side=99), "100"),
        (picture(size=(5 << 20) + 1), "5 MB"),
        (picture(size=12 << 20), "5 MB"),
        (b"", "Choose a file"),
    ],
    ids=["nonsense", "png", "small", "a byte too many", "as from a camera", "nothing"],
)
def test_what_the_api_refuses_is_refused_here(market: Market, shop: ShopBrowser, data: bytes, told: str) -> None:
    attach(shop, data, 400)
    field, text = shop.wrong()
    assert (field, told in text) == ("picture", True), text
    assert extra(market) == []
    assert market.sql("select count(*) from picture where kind = 'upload'") == 0


def test_as_many_bytes_as_may_be_are_taken(market: Market, shop: ShopBrowser) -> None:
    attach(shop, picture(size=5 << 20))
    assert "The picture is added." in shop.said()


def test_a_picture_comes_from_an_address(market: Market, shop: ShopBrowser) -> None:
    shop.send(PAGE, picture_url="https://pictures.example/side.jpg")
    assert extra(market) == ["https://pictures.example/side.jpg"]
    shop.send(PAGE, 400, picture_url="javascript:alert(1)", use="extra")
    assert shop.page.xpath("//input[@name='picture_url']/@value") == ["javascript:alert(1)"]


def test_extra_pictures_are_moved_taken_off_and_made_the_main_one(market: Market, shop: ShopBrowser) -> None:
    for side in (110, 120, 130):
        attach(shop, picture(side))
    market.work()
    shop.open(PAGE)
    first, second, third = extra(market)
    arrange(shop, market, 2, "earlier")
    assert extra(market) == [first, third, second]
    arrange(shop, market, 0, "later")
    assert extra(market) == [third, first, second]
    arrange(shop, market, 1, "remove")
    assert extra(market) == [third, second]
    before = market.sql("select main_image from product where id = $1", RING)
    arrange(shop, market, 1, "main")
    assert market.sql("select main_image from product where id = $1", RING) == second
    assert extra(market) == ([third, before] if before else [third])
    while extra(market):
        arrange(shop, market, 0, "remove")
    assert "There are no extra pictures." in shop.text
    assert market.sql("select main_image from product where id = $1", RING) == second


def test_a_page_that_is_out_of_date_moves_nothing(market: Market, shop: ShopBrowser) -> None:
    attach(shop, picture(110))
    attach(shop, picture(120))
    market.sql("update product set extra_images = array[extra_images[2], extra_images[1]] where id = $1", RING)
    now = extra(market)
    arrange(shop, market, 0, "remove", 409)
    assert "The pictures have changed meanwhile." in shop.text
    assert extra(market) == now


def test_a_new_product_takes_its_picture_along(market: Market, shop: ShopBrowser) -> None:
    shop.open("/products/new")
    given = {**NEW, "main_image": ""}
    shop.send("/products/new", 400, **given)
    assert shop.wrong()[0] == "main_image"
    attach(shop, picture(), 400, "/products/new", **{**given, "price": "dear"})
    (kept,) = shop.page.xpath("//input[@name='main_image']/@value")
    assert "/pictures/uploads/" in kept
    shop.send("/products/new", **{**given, "main_image": kept})
    assert "is added" in shop.said()
    market.work()
    assert market.sql("select main_image from product where parent_sku = 'pot'").startswith("/pictures/")


def test_pictures_of_others_are_not_there(market: Market, shop: ShopBrowser) -> None:
    theirs = f"/products/{RINGS['eur'][0]}/pictures"
    before = market.sql("select extra_images from product where id = $1", RINGS["eur"][0])
    attach(shop, picture(), 404, theirs)
    assert market.sql("select extra_images from product where id = $1", RINGS["eur"][0]) == before
