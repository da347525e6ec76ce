"""What an operator looks for and tells: merchants, calls of everybody, news of the marketplace and for senders."""

from __future__ import annotations

import pytest

from tests.pages.test_calls import call_id, flush
from tests.pages.test_office import OfficeBrowser, acts, let_in, shop
from tests.support.market import Market


@pytest.fixture
def office(market: Market) -> OfficeBrowser:
    """An operator at his desk."""
    let_in(market)
    return OfficeBrowser(market)


def listed(office: OfficeBrowser) -> list[str]:
    """The ids that the rows of a list lead to."""
    return [str(link).rpartition("/")[2] for link in office.browser.page.xpath("//tbody//th/a/@href")]


def test_merchants_are_found_by_name_id_and_address(market: Market, office: OfficeBrowser) -> None:
    merchant = shop(market)
    name = market.sql("select name from merchant where id = $1", merchant)
    email = market.sql("select email from merchant_user where merchant_id = $1 order by id limit 1", merchant)
    office.open("/merchants")
    assert len(listed(office)) > 1
    for text in (name.upper()[1:], merchant, email.upper(), f" {email} "):
        office.browser.get(f"/operator/merchants?text={text.replace(' ', '+')}")
        assert merchant in listed(office), text
        assert office.browser.page.xpath("//input[@name='text']/@value") == [text.strip()]
    for text in (merchant[1:], email[1:], "%25", "_", "%00"):
        office.browser.get(f"/operator/merchants?text={text}")
        assert (merchant in listed(office)) == (text == "%00"), text


def test_calls_of_everybody_are_searched(market: Market, office: OfficeBrowser) -> None:
    made = [
        market.get("/api/v2/product/multi-get", limit=1),
        market.get("/api/v2/nothing", as_="cny"),
        market.get("/api/v2/auth_test", as_=None),
    ]
    flush(market)
    office.open("/calls")
    assert set(listed(office)) >= {call_id(one) for one in made}
    assert market.sql("select name from merchant where id = $1", shop(market)) in office.browser.text
    office.open(f"/calls?account={shop(market, 'cny')}")
    assert listed(office) == [call_id(made[1])]
    office.open("/calls?q=multi-get&status=2")
    assert listed(office) == [call_id(made[0])]
    office.open(f"/calls?q={call_id(made[1])}")
    assert office.browser.url.endswith(f"/operator/calls/{call_id(made[1])}")
    assert shop(market, "cny") in office.browser.text
    assert not office.browser.page.xpath("//main//form"), "an operator sends nobody's call again"
    office.open("/calls/x", 404)


def test_news_of_the_marketplace_is_published(market: Market, office: OfficeBrowser) -> None:
    action = "/announcements/update"
    office.open("/announcements")
    office.send(action, 400, title="News", body="Read this.", link="nowhere")
    assert office.wrong() == "link"
    assert office.browser.page.xpath("//textarea[@name='body']")[0].text.strip() == "Read this."
    assert office.browser.page.xpath("//textarea[@name='message']")[0].text.strip() == ""
    count = market.sql("select count(*) from notification where topic = 'system_update'")
    office.send(
        action, title="News", body="Read this.", cn_title="", link="https://shop.example/news", category="ORDERS",
        important="on", action="Look at it", action_at="2026-12-24",
    )  # fmt: skip
    assert "published" in office.done()
    row = "select row(cn_title, categories, important, cn_action, action_at::date)::text from system_update_feature"
    assert market.sql(f"{row} where title = 'News'") == '(News,{ORDERS},t,"Look at it",2026-12-24)'
    told = market.sql("select count(*) from notification where topic = 'system_update'") - count
    assert told == market.sql("select count(*) from merchant")
    assert acts(market)[-1] == "publish_update"


def test_senders_are_told(market: Market, office: OfficeBrowser) -> None:
    office.open("/announcements")
    office.send("/announcements/senders", 400, title="Closed", words="One.", url="nowhere")
    assert office.wrong() == "url"
    office.send(
        "/announcements/senders", title="Closed", url="", words="On Monday.\r\nAll day.\r\n\r\n\r\nOpen then."
    )
    assert "published" in office.done()
    words = market.sql("select words from sender_news where title = 'Closed'")
    assert list(words) == ["On Monday.\nAll day.", "Open then."]
    assert acts(market)[-1] == "announce_to_senders"
