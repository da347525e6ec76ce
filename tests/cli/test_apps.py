"""Apps by hand: whom they belong to, who can let them in, and codes without a page."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Tradepost
from tests.support.market import World


@pytest.mark.committing
def test_apps_and_consent_by_hand(tradepost: Tradepost, world: World) -> None:
    shop, other = world.merchants["usd"].account_id, world.merchants["cny"].account_id
    uri = ("--redirect-uri", "https://erp.example/back")
    code, told = tradepost("app", "add", "An ERP", *uri, "--scope", "orders:read")
    assert code == 0
    app = re.findall(r"client_id +([0-9a-f]{24})", told)[0]
    code, told = tradepost("app", "consent", shop, app)
    assert (code, "no operator has verified" in told) == (1, True)
    assert tradepost("app", "verify", app) == (0, "verified\n")
    code, told = tradepost("app", "consent", shop, app)
    assert (code, told[:6]) == (0, "mp_ac_")
    assert tradepost("app", "consent", shop, app, "--scope", "orders:write")[0] == 1
    assert tradepost("app", "consent", shop, app, "--redirect-uri", "https://erp.example/other")[0] == 1
    assert tradepost("app", "withdraw", shop, app) == (0, "1 consents ended\n")
    assert tradepost("app", "secret", app)[1].startswith("client_secret  mp_cs_")
    assert tradepost("app", "disable", app)[0] == 0
    assert tradepost("app", "consent", shop, app)[0] == 1
    assert tradepost("app", "enable", app) == (0, "enabled\n")

    own = re.findall(r"client_id +([0-9a-f]{24})", tradepost("app", "add", "Mine", *uri, "--owner", shop)[1])[0]
    assert tradepost("app", "consent", shop, own)[0] == 0
    code, told = tradepost("app", "consent", other, own)
    assert (code, "only its owner" in told) == (1, True)


@pytest.mark.committing
def test_what_cannot_be_is_told(tradepost: Tradepost, world: World) -> None:
    assert tradepost("app", "add", "An ERP", "--redirect-uri", "http://erp.example/back")[0] == 1
    assert tradepost("app", "add", "An ERP", "--owner", "0" * 24)[0] == 1
    assert tradepost("app", "add", "An ERP", "--scope", "everything")[0] == 1
    assert tradepost("app", "add", " ")[0] == 1
    for verb in ("verify", "disable", "enable", "secret"):
        assert tradepost("app", verb, "0" * 24)[0] == 1
    sender = world.senders["lan"].account_id
    assert tradepost("app", "consent", sender, world.senders["lan"].client_id)[0] == 1
    code, told = tradepost("app", "consent", sender, world.senders["lan"].client_id, "--service", "wishpost")
    assert (code, told[:6]) == (0, "mp_ac_")
