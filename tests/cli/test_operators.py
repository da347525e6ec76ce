"""Operators and reviews by hand: the verbs as processes of their own."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Tradepost
from tests.support.calls import SCARVES
from tests.support.market import World


@pytest.mark.committing
def test_an_operator_by_hand(tradepost: Tradepost) -> None:
    code, told = tradepost("operator", "add", "storefront", "--locale", "fr")
    assert code == 0
    assert re.fullmatch("[0-9a-f]{24}\n", told)
    assert re.search(r"active +storefront\n", tradepost("operator", "list")[1])
    code, token = tradepost("operator", "token", "issue", "storefront", "--scope", "orders:write", "--days", "7")
    assert code == 0
    assert re.fullmatch("mp_op_[0-9A-Za-z]{49}\n", token)
    line = tradepost("operator", "token", "list", told.strip())[1]
    assert re.fullmatch(r"[0-9a-f]{24}  2021-05-19  until 2021-05-26  orders:write\n", line)
    assert tradepost("operator", "token", "revoke", line.split()[0]) == (0, "revoked\n")
    assert tradepost("operator", "token", "revoke", token.strip())[0] == 1
    assert tradepost("operator", "disable", "storefront") == (0, "disabled\n")
    assert "disabled" in tradepost("operator", "list")[1]
    assert tradepost("operator", "enable", "storefront") == (0, "active\n")
    assert tradepost("operator", "acts") == (0, "")
    assert re.fullmatch(r"password  [0-9A-Za-z_-]{16}\n", tradepost("operator", "password", "storefront")[1])
    for words, said in (
        (("add", "storefront"), "has this name"),
        (("add", "f" * 24), "can be read"),
        (("add", "x", "--locale", "xx"), "The language is one of"),
        (("token", "issue", "nobody"), "no operator"),
        (("token", "issue", "desk", "--scope", "everything"), "Unknown scope: everything"),
        (("token", "issue", "desk", "--days", "0"), "longer than a moment"),
        (("disable", "nobody"), "no operator"),
        (("password", "desk", "--password", "short"), "Not done."),
    ):
        code, told = tradepost("operator", *words)
        assert code == 1
        assert said in told


@pytest.mark.committing
def test_a_review_by_hand(tradepost: Tradepost, world: World) -> None:
    shop, scarf = world.merchants["usd"].account_id, SCARVES["usd"][0]
    assert f"{shop}  {scarf}  pending   scarf  scarf\n" in tradepost("product", "list")[1]
    assert tradepost("product", "approve", shop, scarf, "--category", "Fashion", "--tag", "wool") == (
        0,
        "approved\n",
    )
    assert scarf not in tradepost("product", "list")[1]
    assert tradepost("product", "reject", shop, scarf, "Not wool.") == (0, "rejected\n")
    assert f"{scarf}  rejected" in tradepost("product", "list", shop)[1]
    assert tradepost("product", "remove-variation", shop, "scarf") == (0, "removed\n")
    for words in (("approve", shop, "0" * 24), ("remove-variation", shop, "zzz"), ("reject", shop, scarf, " ")):
        code, told = tradepost("product", *words)
        assert (code, told.startswith("Not done.")) == (1, True)


@pytest.mark.committing
@pytest.mark.parametrize("whose", ["merchant", "sender"])
def test_a_second_factor_that_nobody_has(tradepost: Tradepost, whose: str) -> None:
    code, told = tradepost(whose, "factor-off", "ada@attic.example")
    assert (code, told) == (1, "Nobody who signs in with that address has a second factor.\n")
