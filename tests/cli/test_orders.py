"""Orders by hand: the verbs as processes of their own, from buying to a refund."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Tradepost
from tests.support.calls import ORDERS
from tests.support.market import World


@pytest.mark.committing
def test_an_order_by_hand(tradepost: Tradepost, world: World) -> None:
    shop = world.merchants["usd"].account_id
    code, told = tradepost("order", "place", shop, "ring-red:2", "scarf", "--country", "CA", "--review")
    assert code == 0
    assert re.fullmatch(r"transaction  [0-9a-f]{24}\n(order        [0-9a-f]{24}\n){2}", told)
    order_id = told.split()[-1]
    assert tradepost("order", "release", shop, order_id) == (0, "released\n")
    assert "not under review" in tradepost("order", "release", shop, order_id)[1]
    assert tradepost("order", "refund", shop, order_id, "Changed my mind", "--by", "customer") == (0, "refunded\n")
    home = ("--original", "street_address1=9 Far Road", "--original", "city=Iqaluit", "--original", "country=CA")
    code, told = tradepost("order", "place", shop, "scarf", "--country", "CA", *home)
    assert code == 0, told
    for words, said in (
        (("place", shop, "scarf", "--country", "CA", "--original", "town=Iqaluit"), "no part of an address"),
        (("place", shop, "scarf", "--country", "CA", *home[:4]), "needs country"),
        (
            ("place", shop, "scarf", "--country", "CA", *home, "--original", "zipcode=a\tb"),
            "original_address.zipcode",
        ),
        (("place", shop, "scarf:99", "--country", "CA"), "No warehouse"),
        (("place", shop, "scarf:x"), "no SKU with a number"),
        (("place", shop, "scarf", "--country", "FR"), "does not ship"),
        (("refund", shop, order_id, "why", "--by", "me"), "is none of"),
        (("refund", shop, order_id, "why"), "has been refunded"),
        (("scan", shop, "TR1234USD", "--at", "yesterday"), "is no time"),
        (("scan", shop, "NOBODYS"), "No order"),
    ):
        code, told = tradepost("order", *words)
        assert code == 1
        assert said in told
    code, told = tradepost("order", "place", shop, "scarf", "--country", "CA", TRADEPOST_REFUND_REASONS="[4]")
    assert (code, "TRADEPOST_REFUND_REASONS" in told) == (1, True)


@pytest.mark.committing
def test_a_parcel_by_hand(tradepost: Tradepost, world: World) -> None:
    shop = world.merchants["usd"].account_id
    shipped = ORDERS["usd"]["shipped"]
    assert tradepost("order", "cancel-tracking", shop, shipped) == (0, "to be shipped again\n")
    assert tradepost("order", "cancel-tracking", shop, shipped)[0] == 1
    told = tradepost(
        "order", "scan", shop, "TR1234USD", "delivered", "--place", "Juneau", "--at", "2021-05-19T10:00:00"
    )
    assert told == (0, "TR1234USD: delivered\n")
