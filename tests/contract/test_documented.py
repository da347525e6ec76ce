"""What the reference documents: every endpoint, parameter and example, compared with what is here.

`documented.json` holds the documented endpoints with their parameters and the shapes of their examples: the
same keys with the type of each leaf instead of its value. `not_built.txt` lists what is not there yet; it may
only shrink.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.calls import good_call
from tests.support.market import Market
from tradepost.domain.reference import RETURN_REGIONS
from tradepost.surfaces.merchant_v2.chapters import api
from tradepost.wire.endpoint import Endpoint

FOLDER = Path(__file__).parent
DOCUMENTED = json.loads((FOLDER / "documented.json").read_text(encoding="utf-8"))
NOT_BUILT = set((FOLDER / "not_built.txt").read_text(encoding="utf-8").split())
BUILT = {endpoint.path: endpoint for endpoint in api.endpoints}
HERE = [entry for entry in DOCUMENTED if entry["path"] not in NOT_BUILT]

# Slips of the printed examples, which the reference's own rules contradict: `country_shippings` stands once
# more outside `data`, where the envelope has no such attribute, and one example says `msg` for `message`.
# The orders of tickets have an `sk` where all others have a `sku`.
SLIPS = {
    ("/api/v2/ticket", "/data/Ticket/items[]/Order/sk"),
    ("/api/v2/ticket/get-action-required", "/data[]/Ticket/items[]/Order/sk"),
    ("/api/v2/product", "/country_shippings"),
    ("/api/v2/product/multi-get", "/country_shippings"),
    ("/api/v2/variant/add", "/msg"),
}
# Older parameters that the reference no longer has and real connectors send.
OLDER = {
    "/api/v2/product/update-shipping": {"use_product_shipping"},
    "/api/v2/product/update-multi-shipping": {"use_product_shipping_countries"},
}


def ids(entry: dict[str, Any]) -> str:
    return str(entry["path"])


def test_whatever_is_not_built_is_listed_and_nothing_else() -> None:
    documented = {entry["path"] for entry in DOCUMENTED}
    assert documented >= NOT_BUILT
    assert documented - BUILT.keys() == NOT_BUILT


@pytest.mark.parametrize("entry", HERE, ids=ids)
def test_endpoint_is_declared_as_documented(entry: dict[str, Any]) -> None:
    """Method, scope, and every parameter with what is said about its being required."""
    endpoint = BUILT[entry["path"]]
    assert endpoint.documented_method == entry["method"]
    assert endpoint.scope == entry["scope"]
    older = OLDER.get(endpoint.path, set())
    declared = [param.name for param in endpoint.params]
    assert older <= set(declared)
    assert {name: _required(endpoint, name) for name in declared if name not in older} == entry["params"]


def _required(endpoint: Endpoint, name: str) -> bool | str:
    for pair in endpoint.one_of:
        if name in pair:
            return "one_of_" + "_or_".join(pair)
    if endpoint.path == "/api/v2/returns/create-return-warehouse":
        optional_in = [code for code, region in RETURN_REGIONS.items() if name not in region.required]
        if 0 < len(optional_in) < len(RETURN_REGIONS):
            return "unless region " + " or ".join(optional_in)
    return next(param.required for param in endpoint.params if param.name == name)


@pytest.mark.parametrize("who", ["usd", "cny", "eur"])
@pytest.mark.parametrize("entry", HERE, ids=ids)
def test_answer_has_the_shape_of_every_example(market: Market, entry: dict[str, Any], who: str) -> None:
    """Every documented key is in our answer with the same type of leaf, for each way of being paid."""
    endpoint = BUILT[entry["path"]]
    params = good_call("merchant", endpoint, who)
    if endpoint.path in ("/api/v2/product/multi-get", "/api/v2/variant/multi-get"):
        # Between two pages, so that both links are there.
        params |= {"start": "1", "limit": "1"}
        _add_products(market, who)
    if endpoint.chapter == "tickets":
        _ship_and_refund(market, who)
    answer = market.request(endpoint.documented_method, _query(endpoint, params), who)
    assert answer.status == 200, answer.body
    for example in entry["examples"]:
        lacking = list(_lacking(example, answer.json, endpoint.path))
        assert not lacking


def _ship_and_refund(market: Market, who: str) -> None:
    """What tickets are about in the examples has been through all of this."""
    for verb in ("change-shipping", "fulfill-one", "refund"):
        path = f"/api/v2/order/{verb}"
        params = good_call("merchant", next(one for one in api.endpoints if one.path == path), who)
        assert market.post(path, who, **params).status == 200


def _add_products(market: Market, who: str) -> None:
    endpoint = BUILT["/api/v2/product/add"]
    params = good_call("merchant", endpoint, who)
    assert market.post("/api/v2/product/add", who, **params).status == 200
    # The richest product in the middle, where the page is.
    market.sql("update world_clock set fixed_at = fixed_at + interval '1 minute'")
    assert market.post("/api/v2/product/update", who, parent_sku="ring", name="Cute Ring").status == 200
    later = {**params, "sku": "later", "parent_sku": "later"}
    market.sql("update world_clock set fixed_at = fixed_at + interval '1 hour'")
    assert market.post("/api/v2/product/add", who, **later).status == 200
    market.sql("update world_clock set fixed_at = fixed_at - interval '61 minutes'")


def _query(endpoint: Endpoint, params: dict[str, str]) -> str:
    return f"{endpoint.path}?{urlencode(params)}"


def _lacking(documented: Any, ours: Any, path: str, where: str = "") -> list[str]:
    """Where an answer lacks what is documented: a key, or the documented type of a leaf."""
    if isinstance(documented, dict):
        if not isinstance(ours, dict):
            return [f"{where}: an object is documented, {ours!r} came"]
        found = []
        for key, inner in documented.items():
            if (path, f"{where}/{key}") in SLIPS:
                continue
            if key not in ours:
                found.append(f"{where}/{key} is missing")
            else:
                found += _lacking(inner, ours[key], path, f"{where}/{key}")
        return found
    if isinstance(documented, list):
        if not isinstance(ours, list):
            return [f"{where}: a list is documented"]
        if documented and not ours:
            return [f"{where}: nothing is in the list"]
        # An entry of the documented list must be found in some entry of ours.
        return [
            f"{where}: no entry is like {entry}"
            for entry in documented
            if not any(not _lacking(entry, item, path, where + "[]") for item in ours)
        ]
    return [] if _leaf(ours) == documented else [f"{where}: {documented} is documented, {ours!r} came"]


def _leaf(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "text", type(None): "null"}
    return names.get(type(value), "?")
