"""Warehouses and shipping settings by hand: the verbs as processes of their own, on a database of their own."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Tradepost
from tests.support.market import World


@pytest.mark.committing
def test_warehouses_and_settings_by_hand(tradepost: Tradepost, world: World) -> None:
    shop = world.merchants["usd"].account_id
    assert tradepost("warehouse", "add", shop, "DE")[1].endswith("  EXPRESS-DE\n")
    code, told = tradepost("warehouse", "add", shop, "DE")
    assert (code, "already" in told) == (1, True)
    assert tradepost("warehouse", "add", shop, "XX")[0] == 1
    names = [line.split()[1] for line in tradepost("warehouse", "list", shop)[1].splitlines()]
    assert names == ["EXPRESS-DE", "EXPRESS-US", "STANDARD"]

    given = tradepost("shipping", "set", shop, "FR", "SE", "FR", "--price", "2.50")
    assert given == (0, "ships to FR, SE from STANDARD\n")
    assert tradepost("shipping", "drop", shop, "SE", "SE") == (0, "no longer ships to SE from STANDARD\n")
    own = world.merchants["cny"].account_id
    assert tradepost("shipping", "set", own, "FR", "--price", "7000.50")[0] == 0
    assert tradepost("shipping", "worldwide", shop)[1] == "ships worldwide\n"
    told = tradepost("shipping", "list", shop)[1]
    assert "worldwide, at the shipping prices of the variations" in told
    assert "FR  STANDARD    2.5\n" in told
    assert "DE  EXPRESS-DE  as the variations say\n" in told
    assert "SE" not in told
    assert tradepost("shipping", "worldwide", shop, "--off")[1] == "ships by its settings\n"


@pytest.mark.committing
@pytest.mark.parametrize(
    "words",
    [
        ("set", "SHOP", "XX"),
        ("set", "SHOP", "FR", "--price", "1000.01"),
        ("set", "SHOP", "FR", "--price", "1.005"),
        ("set", "SHOP", "FR", "--price", "NaN"),
        ("set", "SHOP", "FR", "--price", "x"),
        ("set", "SHOP", "FR", "--price", "1e2"),
        ("set", "SHOP", "FR", "--price", "1_0"),
        ("set", "SHOP", "FR", "--price", "\u0663"),
        ("set", "SHOP", "FR", "--price", "-1"),
        ("set", "SHOP", "FR", "--warehouse", "EXPRESS-US"),
        ("set", "SHOP", "FR", "--warehouse", "EXPRESS-ZA"),
        ("set", "0" * 24, "FR"),
        ("drop", "SHOP", "FR"),
        ("list", "0" * 24),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused_in_one_line(tradepost: Tradepost, world: World, words: tuple[str, ...]) -> None:
    shop = world.merchants["usd"].account_id
    code, told = tradepost("shipping", *(shop if word == "SHOP" else word for word in words))
    assert code == 1
    assert told.startswith("Not done. ") or told.endswith(" is no price.\n"), told
    assert told.count("\n") == 1, told
