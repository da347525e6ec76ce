"""Users of the logistics service, channels, scans and news by hand, as processes of their own."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Tradepost
from tests.support.calls import PARCELS
from tests.support.market import World
from tradepost.domain.parcels.booking import wish_id

NUMBER = wish_id(PARCELS["lan"]["numbered"])


@pytest.mark.committing
def test_a_parcel_is_carried_by_hand(tradepost: Tradepost, world: World) -> None:
    lan = world.senders["lan"].account_id
    assert tradepost("parcel", "hand-over", lan, NUMBER) == (0, "handed_over\n")
    assert tradepost("parcel", "scan", lan, NUMBER, "16", "--country", "CN") == (0, "in_transit\n")
    code, told = tradepost("parcel", "scan", lan, NUMBER, "23", "--at", "2021-05-19T10:00:00+08:00")
    assert (code, told) == (0, "delivered\n")
    code, told = tradepost("parcel", "scan", lan, NUMBER, "24", "--at", "2021-05-20T10:00:00+08:00")
    assert (code, told.partition("(")[0]) == (1, "Not done. A scan is of a time that has not come yet. ")
    code, told = tradepost("parcel", "list", lan, "--limit", "10")
    assert [line.split()[2] for line in told.splitlines() if NUMBER in line] == ["delivered"]
    code, told = tradepost("parcel", "scan", lan, "nothing", "23")
    assert (code, told) == (1, "Not done. The user has no parcel of this id or number. (id nothing)\n")


@pytest.mark.committing
def test_a_sender_gets_money_and_credit(tradepost: Tradepost) -> None:
    code, told = tradepost("sender", "add", "New", "new@parcels.example")
    assert code == 0
    sender_id = told.split()[1]
    assert tradepost("sender", "deposit", sender_id, "12.50") == (0, "12.50 CNY can be spent\n")
    assert tradepost("sender", "credit", sender_id, "100") == (0, "may owe 100 CNY\n")
    code, told = tradepost("sender", "deposit", sender_id, "0")
    assert code == 1
    assert tradepost("sender", "deposit", sender_id, "much") == (1, "'much' is no amount.\n")


@pytest.mark.committing
def test_a_tariff_and_news(tradepost: Tradepost) -> None:
    assert tradepost("channel", "tariff", "1", "--fee", "20", "--most-weight", "5") == (0, "changed\n")
    code, told = tradepost("channel", "list")
    assert any(
        line.startswith("1 ") and " 20.00 CNY" in line and "to 5.000 kg" in line for line in told.splitlines()
    )
    code, told = tradepost("channel", "tariff", "7-7", "--fee", "20")
    assert code == 1
    code, told = tradepost("announce", "senders", "Sale", "Today only.", "--url", "https://wishpost.cn/sale")
    assert code == 0
    assert len(told.strip()) == 24


@pytest.mark.committing
def test_a_sender_is_bound_to_a_shop(tradepost: Tradepost, world: World) -> None:
    lan, shop = world.senders["lan"].account_id, world.merchants["cny"].account_id
    assert tradepost("sender", "bind", lan, shop) == (0, "bound\n")
    assert tradepost("sender", "bind", lan, shop) == (0, "bound\n")
    assert tradepost("sender", "unbind", lan, shop) == (0, "not bound\n")
    code, told = tradepost("sender", "bind", lan, "0" * 24)
    assert (code, told.partition(".")[0]) == (1, "Not done")
