"""Which parcels have labels, and the links to them: nobody can make one up, and none outlives its day."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from tests.support.answer import Answer
from tests.support.calls import NEW_ORDER, PARCELS, STATES
from tests.support.market import LINK_KEYS, NOW, Market
from tradepost.domain import ledger, parcels
from tradepost.domain.parcels import MOST_LABELS, Sheet
from tradepost.domain.parcels.booking import wish_id
from tradepost.domain.parcels.label import link_path, read_link
from tradepost.press.label import MOST_LABELS as MOST_PRINTED
from tradepost.press.label import SIZES as PRINTED_SIZES
from tradepost.sandbox.parcels import new_parcel

LABELS = "https://wishpost.cn/api/v3/labels"
LAN = PARCELS["lan"]


def ask(market: Market, *numbers: str, who: str = "lan", **how: str) -> Answer:
    return market.get(LABELS, f"wishpost:{who}", tracking_ids=",".join(numbers), **how)


def fetch(market: Market, url: str) -> Answer:
    """The file of a link, without a token."""
    return market.request("GET", url, None)


def read(answer: Answer) -> tuple[list[str], str]:
    """The barcodes of a file and its text, as others read them."""
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    document = pypdfium2.PdfDocument(answer.body)
    codes = [code.text for page in document for code in zxingcpp.read_barcodes(page.render(scale=3).to_pil())]
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return codes, text


@pytest.mark.parametrize("state", STATES)
def test_which_states_have_a_label(market: Market, state: str) -> None:
    """From the carrier's number on, until it is not to be sent any more."""
    answer = ask(market, wish_id(LAN[state]))
    wanted = {"booked": 1002, "cancelled": 1002, "refused": 1002}.get(state, 0)
    assert answer.code == wanted
    order = market.get("https://wishpost.cn/api/v3/orders/get", "wishpost:lan", id=LAN[state]).data
    assert order["has_label"] == (wanted == 0)
    if wanted == 0:
        codes, text = read(fetch(market, answer.data["url"]))
        assert codes == [order["tracking_id"]]
        for part in ("Ann Buyer", "12 Elm Street", "Lan Chen", order["wish_standard_tracking_id"], "5001-1"):
            assert part in text, part
        assert any(name in text for name in ("纸灯笼", "羊毛围巾", "竹灯"))


def test_from_booking_to_label(market: Market) -> None:
    """A parcel has no label until its number is there; then both scripts are on it, in the order that was asked."""
    answer = market.request(
        "POST",
        "https://wishpost.cn/api/v3/orders/create",
        "wishpost:lan",
        json.dumps(NEW_ORDER).encode(),
        {"content-type": "application/json"},
    )
    number = answer.data["wish_standard_tracking_id"]
    assert ask(market, number).code == 1002
    market.work()
    for use_local in ("false", "true"):
        told = ask(market, number, use_local=use_local).data
        codes, text = read(fetch(market, told["url"]))
        assert codes == told["tracking_ids"]
        for part in ("陈岚", "灯笼路88号", "竹灯", "Bamboo Lamp", "shelf 7 戒指", "Ann Buyer", "安"):
            assert part in text, part
        assert (text.index("安") < text.index("Ann Buyer")) == (use_local == "true")


def test_several_in_their_order_each_once(market: Market) -> None:
    """The carrier's number and ours mean the same parcel, which gets one label."""
    told = ask(market, wish_id(LAN["delivered"]), wish_id(LAN["numbered"])).data["tracking_ids"]
    again = ask(market, wish_id(LAN["delivered"]), told[1], wish_id(LAN["numbered"]), format="A4").data
    assert again["tracking_ids"] == told
    codes, _ = read(fetch(market, again["url"]))
    assert sorted(codes) == sorted(told)


def test_the_most_labels_are_one_file(market: Market) -> None:
    async def book(ctx: Any) -> None:
        acting = await parcels.act_for(ctx, market.world.senders["lan"].account_id)
        await ledger.deposit(acting, acting.actor.id, Decimal(10_000))
        for number in range(MOST_LABELS):
            await parcels.book_parcel(acting, new_parcel(number))

    market.operate(book)
    market.work()
    found = market.get(
        "https://wishpost.cn/api/v3/orders", "wishpost:lan", limit=MOST_LABELS, state="Accepted"
    ).data
    assert len(found) == MOST_LABELS
    told = ask(market, *(order["tracking_id"] for order in found)).data
    codes, _ = read(fetch(market, told["url"]))
    assert codes == [order["tracking_id"] for order in found]


def test_a_link_is_good_for_a_day(market: Market) -> None:
    told = ask(market, wish_id(LAN["numbered"])).data
    assert told["expires_at"] == "2021-05-20T16:37:00.000+00:00"
    market.sql("update world_clock set fixed_at = fixed_at + interval '24 hours' - interval '1 second'")
    assert fetch(market, told["url"]).status == 200
    market.sql("update world_clock set fixed_at = fixed_at + interval '1 second'")
    assert (fetch(market, told["url"]).status, fetch(market, told["url"]).code) == (410, 4010)


def test_a_link_leads_nowhere_once_a_parcel_is_not_to_be_sent(market: Market) -> None:
    told = ask(market, wish_id(LAN["delivered"]), wish_id(LAN["numbered"])).data

    async def cancel(ctx: Any) -> None:
        acting = await parcels.act_for(ctx, market.world.senders["lan"].account_id)
        await parcels.cancel_parcels(acting, [parcels.Cancellation(wish_id(LAN["numbered"]), "x")])

    market.operate(cancel)
    answer = fetch(market, told["url"])
    assert (answer.status, answer.code) == (400, 1002)


def test_a_link_that_is_not_quite_ours(market: Market) -> None:
    """Whatever is changed in it: it does not exist, in the words of the logistics service."""
    good = ask(market, wish_id(LAN["numbered"])).data["url"]
    lan, ada = (market.world.senders[who].account_id for who in ("lan", "ada"))
    path, _, query = good.partition("?")
    expires = int((NOW + timedelta(hours=24)).timestamp())
    assert f"expires={expires}" in query
    changed = [
        good.replace(lan, ada),
        good.replace("-10-", "-A4-"),
        good.replace("english", "local"),
        good.replace(f"expires={expires}", f"expires={expires + 1}"),
        good.replace(".pdf", "AAAA.pdf"),
        good.replace("/labels/", "/labels//"),
        path,
        f"{path}?{query.replace('signature=', 'signature=A')}",
        good.replace("/labels/", "/downloads/"),
    ]
    for url in changed:
        assert url != good
        answer = fetch(market, url)
        assert (answer.status, answer.code) == (404, 4001), url
    assert fetch(market, good).status == 200


def test_what_our_keys_signed_still_shows_only_what_is_his(market: Market) -> None:
    """The parcels of another user are none, even in a link of ours."""
    account_id = market.world.senders["ada"].account_id
    path = link_path(LINK_KEYS, account_id, Sheet(), [LAN["numbered"]], NOW)
    assert fetch(market, f"https://wishpost.cn{path}").status == 404


def test_a_link_is_read_as_it_was_written() -> None:
    ids = tuple(f"{number:024x}" for number in range(MOST_LABELS))
    path = link_path(LINK_KEYS, "a" * 24, Sheet("A4", local_first=True), ids, NOW)
    name, _, query = path.removeprefix("/labels/").partition("?")
    assert len(path) < 2_000
    link = read_link(LINK_KEYS, name, dict(part.split("=", 1) for part in query.split("&")))
    assert link is not None
    assert (link.account_id, link.sheet, link.parcel_ids) == ("a" * 24, Sheet("A4", local_first=True), ids)
    assert link.expires_at == NOW + parcels.LABELS_LIFETIME


def test_the_press_prints_what_the_parcels_ask_for() -> None:
    assert (MOST_PRINTED, PRINTED_SIZES) == (MOST_LABELS, parcels.SIZES)


def test_nobody_elses_parcel_and_no_token_no_label(market: Market) -> None:
    assert ask(market, wish_id(LAN["numbered"]), who="ada").code == 1004
    assert market.get(LABELS, None, tracking_ids="x").status == 401
