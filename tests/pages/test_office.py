"""The operators' pages as operators use them: the door, what waits, and what they do about it."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import pytest

from tests.pages.browser import Browser
from tests.support.market import Market
from tradepost.domain import operators
from tradepost.domain.context import Ctx
from tradepost.domain.people import code_at
from tradepost.domain.people.failures import PasswordPlain, PasswordShort
from tradepost.surfaces.pages.office.chapters import GROUPS
from tradepost.surfaces.pages.words import LOCALES, words

PASSWORD = "of a marketplace"
NAME = "desk"


def let_in(market: Market, password: str = PASSWORD, who: str = NAME) -> None:
    """Give an operator a password, as the command line does."""

    async def give(ctx: Ctx) -> None:
        await operators.set_password(ctx, who, password)

    market.operate(give)


class OfficeBrowser:
    """A browser of an operator who is signed in."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.browser = Browser(market)
        self.sign_in()

    def sign_in(self, name: str = NAME, password: str = PASSWORD, status: int = 200) -> None:
        """Come in, or not."""
        self.browser.get("/operator/sign-in")
        self.browser.submit(0, name=name, password=password)
        assert self.browser.answer.status == status, self.browser.text

    def open(self, where: str, status: int = 200) -> str:
        """Go to a page; gives what a person reads."""
        self.browser.get(f"/operator{where}")
        assert self.browser.answer.status == status, self.browser.text
        return self.browser.text

    def send(self, action: str, status: int = 200, /, **values: str) -> str:
        """Fill in the form that leads somewhere, send it, and go where it leads."""
        forms = self.browser.page.xpath("//main//form")
        at = next(n for n, form in enumerate(forms) if form.get("action") == f"/operator{action}")
        self.browser.submit(at, **values)
        assert self.browser.answer.status == status, self.browser.text
        return self.browser.text

    def done(self) -> str:
        """What the page says that was done."""
        return " ".join(self.browser.page.xpath("//p[@class='done']/text()"))

    def wrong(self) -> str:
        """The field that is marked as wrong."""
        return " ".join(self.browser.page.xpath("//*[@aria-invalid='true']/@name"))


@pytest.fixture
def office(market: Market) -> OfficeBrowser:
    """An operator at his desk."""
    let_in(market)
    return OfficeBrowser(market)


def shop(market: Market, who: str = "usd") -> str:
    return market.world.merchants[who].account_id


def acts(market: Market) -> list[str]:
    found: Any = market.sql("select array_agg(verb order by number) from operator_act")
    return list(found or [])


# -- the door


def test_everybody_else_is_sent_to_the_door_and_comes_back(market: Market) -> None:
    let_in(market)
    browser = Browser(market)
    for group in GROUPS:
        for entry in group.entries:
            browser.get(entry.path)
            assert "/operator/sign-in?next=" in browser.url, entry.path
    browser.submit(0, name=NAME, password=PASSWORD)
    assert (browser.answer.status, browser.url.rpartition("/")[2]) == (200, "account")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        (NAME, "of a market place"),
        ("nobody", PASSWORD),
        ("shop", PASSWORD),
        ("", PASSWORD),
        (NAME, ""),
        (NAME, "\0"),
    ],
)
def test_a_wrong_name_or_password_opens_nothing_and_tells_nothing(market: Market, name: str, password: str) -> None:
    """`shop` is an operator without a password, a program."""
    let_in(market)
    browser = Browser(market)
    browser.get("/operator/sign-in")
    browser.submit(0, name=name, password=password)
    assert browser.answer.status == 400
    assert "The name or the password is wrong." in browser.text
    browser.get("/operator")
    assert "sign-in" in browser.url


def test_a_disabled_operator_is_out_at_once(market: Market, office: OfficeBrowser) -> None:
    office.open("")
    market.operate(lambda ctx: operators.set_disabled(ctx, NAME, True))
    office.browser.get("/operator")
    assert "sign-in" in office.browser.url
    office.sign_in(status=400)


def test_a_new_password_ends_sessions(market: Market, office: OfficeBrowser) -> None:
    let_in(market, "another password")
    office.browser.get("/operator")
    assert "sign-in" in office.browser.url
    office.sign_in(password="another password")


def test_signing_out_ends_the_session(office: OfficeBrowser) -> None:
    kept = dict(office.browser.cookies)
    office.browser.submit(-1)
    assert "sign-in" in office.browser.url
    office.browser.cookies = kept
    office.browser.get("/operator")
    assert "sign-in" in office.browser.url


def test_sessions_are_idle_for_half_an_hour_at_most(market: Market, office: OfficeBrowser) -> None:
    market.sql("update operator_session set used_at = used_at - interval '30 minutes'")
    office.browser.get("/operator")
    assert "sign-in" in office.browser.url


def test_too_many_attempts_are_held_back(market: Market) -> None:
    let_in(market)
    browser = Browser(market)
    for _ in range(11):
        browser.get("/operator/sign-in")
        browser.submit(0, name=NAME, password="guess")
    assert browser.answer.status == 429
    browser.get("/operator/sign-in")
    browser.submit(0, name=NAME, password=PASSWORD)
    assert browser.answer.status == 429


def test_a_merchants_session_is_no_operators(market: Market, office: OfficeBrowser) -> None:
    """Neither by its own cookie nor under the name of the other's."""
    (name,) = [name for name in office.browser.cookies if name.endswith("operator-session")]
    session = office.browser.cookies[name]
    other = Browser(market)
    other.cookies[name.replace("operator", "merchant")] = session
    other.get("/")
    assert "sign-in" in other.url


@pytest.mark.parametrize(("password", "failure"), [("short", PasswordShort), ("desk    ", PasswordPlain)])
def test_what_no_password_can_be(market: Market, password: str, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        let_in(market, password)


def test_a_form_of_nobodys_making_is_refused(market: Market, office: OfficeBrowser) -> None:
    merchant = shop(market)
    office.open(f"/merchants/{merchant}")
    office.send(f"/merchants/{merchant}/suspend", 403, seal="0" * 64)
    assert market.sql("select suspended_at from merchant where id = $1", merchant) is None


def test_nothing_of_it_is_at_wishposts_address(market: Market) -> None:
    assert market.get("https://wishpost.cn/operator", None).status == 404


# -- what waits


def test_the_first_page_tells_what_waits(market: Market, office: OfficeBrowser) -> None:
    office.open("")
    told = [int(text) for text in office.browser.page.xpath("//ul[@class='tiles']//b/text()")]
    asked = [
        "select count(*) from product where review_status = 'pending' and removed_at is null",
        "select count(*) from ticket where state = 'awaiting_support'",
        "select count(*) from infraction where state = 'awaiting_admin'",
        "select count(*) from app where waits_since is not null",
        "select count(*) from job where state = 'failed'",
    ]
    assert told == [market.sql(text) for text in asked]
    assert told[0] > 0


def test_a_product_is_approved_and_rejected(market: Market, office: OfficeBrowser) -> None:
    office.open("/products")
    queue = office.browser.page.xpath("//tbody//th/a/@href")
    assert len(queue) == market.sql(
        "select count(*) from product where review_status = 'pending' and removed_at is null"
    )
    where = queue[0].removeprefix("/operator")
    product = where.rpartition("/")[2]
    assert "Parent SKU" in office.open(where)
    office.send(where, 400, verdict="rejected", category="Scarves")
    assert office.wrong() == "reason"
    assert office.browser.page.xpath("//select[@name='verdict']/option[@selected]/@value") == ["rejected"]
    assert office.browser.page.xpath("//input[@name='category']/@value") == ["Scarves"]
    office.send(where, verdict="rejected", reason="It is no scarf.")
    assert "rejected" in office.done()
    status = "select review_status from product where id = $1"
    assert market.sql(status, product) == "rejected"
    office.open(where)
    office.send(where, verdict="approved", reason="")
    assert market.sql(status, product) == "approved"
    assert acts(market)[-2:] == ["review_product"] * 2
    session = market.sql("select token_id from operator_act order by number desc limit 1")
    assert session == market.sql("select max(id) from operator_session")


def test_a_merchant_is_suspended_and_reinstated(market: Market, office: OfficeBrowser) -> None:
    merchant = shop(market)
    office.open("/merchants")
    assert len(office.browser.page.xpath("//tbody/tr")) == market.sql("select count(*) from merchant")
    office.open(f"/merchants/{merchant}")
    office.send(f"/merchants/{merchant}/suspend")
    assert "suspended" in office.done()
    assert market.get("/api/v2/auth_test").status != 200
    office.send(f"/merchants/{merchant}/reinstate")
    assert market.get("/api/v2/auth_test").status == 200
    assert acts(market)[-2:] == ["suspend_merchant", "reinstate_merchant"]


def test_an_infraction_is_issued_answered_and_closed(market: Market, office: OfficeBrowser) -> None:
    merchant = shop(market)
    office.open(f"/merchants/{merchant}")
    form = f"/merchants/{merchant}/infraction"
    office.send(form, 400, reason="He sent something else.", fine="much")
    assert office.wrong() == "fine"
    assert office.browser.page.xpath("//textarea[@name='reason']")[0].text.strip() == "He sent something else."
    office.send(form, reason="He sent something else.", fine="5.5")
    assert "issued" in office.done()
    where = office.browser.url.partition("/operator")[2]
    office.send(f"{where}/answer", 400, message="\u200b")
    office.send(f"{where}/answer", message="Please explain.")
    assert "Please explain." in office.browser.text
    office.send(f"{where}/close", waive="yes")
    row = "select row(state, fine_amount)::text from infraction where id = $1"
    assert market.sql(row, where.rpartition("/")[2]).startswith("(closed,")
    assert acts(market)[-3:] == ["issue_infraction", "answer_infraction", "close_infraction"]


def test_a_ticket_for_support_is_answered_and_closed(market: Market, office: OfficeBrowser) -> None:
    merchant = shop(market)
    ticket = market.sql(
        "select min(id) from ticket where merchant_id = $1 and state = 'awaiting_merchant'", merchant
    )
    assert market.post("/api/v2/ticket/appeal-to-wish-support", id=ticket).status == 200
    office.open("/tickets")
    where = f"/tickets/{merchant}/{ticket}"
    assert f"/operator{where}" in office.browser.page.xpath("//tbody//th/a/@href")
    office.open(where)
    office.send(f"{where}/answer", message="We have asked the carrier.")
    assert "We have asked the carrier." in office.browser.text
    office.send(f"{where}/close")
    assert market.sql("select state from ticket where id = $1", ticket) == "closed"
    assert acts(market)[-2:] == ["answer_ticket", "close_ticket"]


def test_merchants_are_told_something(market: Market, office: OfficeBrowser) -> None:
    count = "select count(*) from notification where topic like '%announcement%' and merchant_id = $1"
    office.open("/announcements")
    office.send("/announcements", 400, title="News", message="Hello", merchant_id="nobody")
    assert office.browser.page.xpath("//input[@name='title']/@value") == ["News", "", ""]
    office.send("/announcements", title="News", message="Hello", merchant_id=shop(market))
    assert office.done().startswith("1 ")
    office.send("/announcements", title="News", message="Hello", merchant_id="")
    assert office.done().startswith(f"{market.sql('select count(*) from merchant')} ")
    assert market.sql("select count(*) from operator_act where verb = 'announce_message'") == 2
    assert market.sql(count.replace(" and merchant_id = $1", "")) >= 0


def test_a_job_that_was_given_up_is_tried_again(market: Market, office: OfficeBrowser) -> None:
    job = market.sql("select min(id) from job")
    market.sql("update job set state = 'failed', error = 'no luck', ended_at = world_now() where id = $1", job)
    assert "no luck" in office.open("/jobs")
    office.send(f"/jobs/{job}/retry")
    assert market.sql("select state from job where id = $1", job) == "pending"
    assert acts(market) == ["retry_job"]
    verbs = "select array_agg(verb order by id) from audit_record where about like '%' || $1 || '%'"
    assert market.sql(verbs, job) == ["job.retried", "operator.retry_job"]


def test_an_app_is_verified_kept_out_and_let_in(market: Market, office: OfficeBrowser) -> None:
    app = market.world.merchants["usd"].client_id
    market.sql("update app set verified_at = null, owner_id = null where id = $1", app)
    row = "select row(verified_at is not null, disabled_at is not null)::text from app where id = $1"
    office.open("/apps?service=wishpost")
    assert app not in office.browser.text
    office.open("/apps")
    office.open(f"/apps/merchant/{app}")
    told = [("verify", "(t,f)", "verified"), ("disable", "(t,t)", "kept out"), ("enable", "(t,f)", "act again")]
    for verb, stands, said in told:
        office.send(f"/apps/merchant/{app}/{verb}")
        assert (market.sql(row, app), said in office.done()) == (stands, True)
    assert acts(market)[-3:] == ["verify_app", "disable_app", "enable_app"]
    seal = office.browser.page.xpath("//main//input[@name='seal']/@value")[0]
    office.browser.send_to(f"/operator/apps/merchant/{'0' * 24}/verify", f"seal={seal}".encode())
    assert office.browser.answer.status == 404


def test_apps_go_on_behind_a_page(market: Market, office: OfficeBrowser) -> None:
    market.sql(
        "insert into app (service, id, name, secret_hash, created_at) "
        "select 'merchant', lpad(n::text, 24, 'f'), 'App ' || n, sha256(''), world_now() "
        "from generate_series(1, 60) n"
    )
    office.open("/apps")
    (behind,) = office.browser.page.xpath("//a[@rel='next']/@href")
    office.browser.get(behind)
    rest = len(office.browser.page.xpath("//tbody/tr"))
    assert rest == market.sql("select count(*) from app where service = 'merchant'") - 50
    office.open("/apps?after=nonsense")


def test_limits_are_those_of_the_installation(office: OfficeBrowser) -> None:
    office.open("/limits")
    groups = set(office.browser.page.xpath("//tbody//th/text()"))
    assert {"merchant/default", "merchant/enroll", "operator/default"} <= groups
    assert any(group.startswith("wishpost/") for group in groups)


@pytest.mark.parametrize("where", ["/merchants/x", "/products/x/y", "/tickets/x/y", "/infractions/x/y"])
def test_what_is_not_there_is_told(office: OfficeBrowser, where: str) -> None:
    office.browser.get(f"/operator{where}")
    assert office.browser.answer.status in (400, 404)
    assert office.browser.page.xpath("//h1")


def test_a_list_goes_on_behind_a_page(market: Market, office: OfficeBrowser) -> None:
    market.sql(
        "insert into merchant (id, name, currency, payment_currency, locale, created_at) "
        "select lpad(n::text, 24, 'a'), 'Shop ' || n, 'USD', 'USD', 'en', world_now() + n * interval '1 second' "
        "from generate_series(1, 60) n"
    )
    office.open("/merchants")
    (behind,) = office.browser.page.xpath("//a[@rel='next']/@href")
    office.browser.get(behind)
    rest = office.browser.page.xpath("//tbody/tr")
    assert len(rest) == market.sql("select count(*) from merchant") - 50


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_in_every_language(market: Market, office: OfficeBrowser, locale: str) -> None:
    """With a heading, labels on every field, and nothing that a strict policy forbids."""
    merchant = shop(market)
    ticket = market.sql("select min(id) from ticket where merchant_id = $1", merchant)
    infraction = market.sql("select min(id) from infraction where merchant_id = $1", merchant)
    product = market.sql("select min(id) from product where merchant_id = $1", merchant)
    pages = [entry.path.removeprefix("/operator") for group in GROUPS for entry in group.entries]
    pages += [f"/merchants/{merchant}", f"/tickets/{merchant}/{ticket}", f"/products/{merchant}/{product}"]
    pages += [f"/infractions/{merchant}/{infraction}"]
    for where in pages:
        office.open(f"{where}?locale={locale}")
        page = office.browser.page
        assert page.get("lang") == locale
        assert len(page.xpath("//h1")) == 1, where
        labelled = set(page.xpath("//label/@for"))
        fields = page.xpath("//main//*[self::input or self::select or self::textarea][not(@type='hidden')]")
        assert all(field.get("id") in labelled or field.xpath("ancestor::label") for field in fields), where
        assert not page.xpath("//script | //style | //@style | //@onclick"), where
    assert words(locale)("menu.office") in office.browser.text


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_a_refused_form_names_its_field_in_the_language_of_the_page(
    market: Market, office: OfficeBrowser, locale: str
) -> None:
    say, merchant = words(locale), shop(market)
    office.open(f"/merchants/{merchant}?locale={locale}")
    form, long = f"/merchants/{merchant}/infraction", "x" * 2001
    for field, told in (
        ("reason", {"reason": "", "fine": ""}),
        ("extra_reason", {"reason": "He did.", "extra_reason": long}),
        ("fine", {"reason": "He did.", "extra_reason": "", "fine": "much"}),
        ("fine", {"reason": "He did.", "extra_reason": "", "fine": "1.234"}),
    ):
        office.send(form, 400, **told)
        assert office.wrong() == field
        (text,) = office.browser.page.xpath("//p[@class='wrong-text']/text()")
        assert say(f"office.field.{field}") in text, text
        assert not re.search(rf"\b{field}\b", text.replace(say(f"office.field.{field}"), "")), text
    office.open("/announcements")
    for field, told in (
        ("manager_name", {"title": "News", "message": "Hello", "manager_name": "x" * 201}),
        ("title", {"title": "\u200b", "manager_name": NAME}),
        ("merchant_id", {"title": "News", "merchant_id": "nobody"}),
    ):
        office.send("/announcements", 400, **told)
        assert office.wrong() == field, office.browser.text
        (text,) = office.browser.page.xpath("//p[@class='wrong-text']/text()")
        assert not re.search(r"\b(manager_name|title|merchant_ids?)\b", text), text


# -- the second factor


def with_factor(office: OfficeBrowser) -> tuple[bytes, list[str]]:
    """Set a second factor up, as an operator does; gives its key and the recovery codes."""
    office.open("/account/two-factor")
    office.send("/account/two-factor")
    key = base64.b32decode(office.browser.page.xpath("//main//code/text()")[0].replace(" ", ""))
    office.send("/account/two-factor", 400, code="000000")
    office.send("/account/two-factor", code=code_at(key, time.time()))
    return key, office.browser.page.xpath("//main//li/code/text()")


def audited(market: Market) -> list[tuple[str, str]]:
    """The latest acts: what kind of person, and what."""
    found: Any = market.sql("select array_agg(actor_kind || ' ' || verb order by id) from audit_record")
    return [tuple(line.split()) for line in found or []]


def test_an_operator_is_asked_for_a_code_once_he_has_set_one_up(market: Market, office: OfficeBrowser) -> None:
    assert "Off" in office.open("/account")
    key, codes = with_factor(office)
    assert len(codes) == 10
    assert "On" in office.open("/account")
    assert market.sql("select sealed from person_factor").find(key) == -1
    other = OfficeBrowser(market)
    assert other.browser.url.endswith("/operator/sign-in/code")
    half = {name: value for name, value in other.browser.cookies.items() if name.endswith("-half")}
    assert half
    other.browser.submit(code=code_at(key, time.time()))
    assert other.browser.answer.status == 400, "a code is good once"
    (name, value), *_ = half.items()
    thief = Browser(market)
    thief.cookies[name.replace("-half", "-session")] = value
    thief.get("/operator")
    assert "/operator/sign-in" in thief.url, "a password alone opens nothing"
    other.browser.get("/operator/sign-in/code")
    other.browser.submit(code=codes[0])
    assert other.browser.url.endswith("/operator"), other.browser.text
    assert audited(market)[-3:] == [
        ("operator", "person.factor_added"),
        ("operator", "person.recovery_code_used"),
        ("operator", "operator.signed_in"),
    ]


def test_an_operator_shows_who_he_is_before_his_factor_changes(market: Market, office: OfficeBrowser) -> None:
    _, codes = with_factor(office)
    office.open("/account/two-factor")
    market.sql("update operator_session set proved_at = proved_at - interval '11 minutes'")
    office.send("/account/two-factor", do="renew")
    assert "/operator/account/prove?next=" in office.browser.url
    office.browser.submit(password="not his")
    assert (office.browser.answer.status, office.wrong()) == (400, "password")
    office.browser.submit(password=PASSWORD)
    assert office.browser.url.endswith("/operator/account/two-factor")
    office.send("/account/two-factor", do="renew")
    fresh = office.browser.page.xpath("//main//li/code/text()")
    assert (len(fresh), set(fresh) & set(codes)) == (10, set())
    assert audited(market)[-1] == ("operator", "person.recovery_codes_renewed")
    other = OfficeBrowser(market)
    other.browser.submit(code=codes[0])
    assert other.browser.answer.status == 400, "the codes from before are no good"
    other.browser.submit(code=fresh[0])
    assert other.browser.url.endswith("/operator")
    assert "9" in other.open("/account/two-factor")


def test_an_operator_takes_his_factor_off_or_has_it_taken_off(market: Market, office: OfficeBrowser) -> None:
    with_factor(office)
    office.open("/account/two-factor")
    office.browser.submit(1)
    assert "no code any more" in office.done()
    assert OfficeBrowser(market).browser.url.endswith("/operator")
    with_factor(office)

    async def take_off(ctx: Ctx) -> bool:
        return await operators.remove_factor(ctx, NAME)

    assert market.operate(take_off) is True
    assert market.operate(take_off) is False
    assert OfficeBrowser(market).browser.url.endswith("/operator")
    assert [verb for _, verb in audited(market)].count("person.factor_removed") == 2
