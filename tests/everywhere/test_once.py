"""Calls with a key are done once: what is kept, for whom, and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.everywhere.test_failures import _assert_says
from tests.support.answer import Answer
from tests.support.calls import ENDPOINTS, GOOD_BODIES, SURFACES
from tests.support.database import Server
from tests.support.market import Market
from tests.support.operator_calls import BODIES, PREFIX, USD
from tradepost.wire.endpoint import Endpoint

PLACE = f"{PREFIX}/orders/place"
WRITES = [e for service, e in ENDPOINTS if service == "operator" and e.kind == "write"]
every_write = pytest.mark.parametrize("endpoint", WRITES, ids=lambda endpoint: str(endpoint.path))


def send(
    market: Market, path: str, body: object, key: str | None = "k", who: str = "operator:desk", query: str = ""
) -> Answer:
    headers = {"content-type": "application/json"} | ({} if key is None else {"idempotency-key": key})
    return market.request("POST", f"{path}?{query}", who, json.dumps(body).encode(), headers)


def counts(market: Market) -> Any:
    """How many rows there are of everything that an operator's call can add to."""
    return market.sql(
        "select array[(select count(*) from orders), (select count(*) from operator_act), "
        "(select count(*) from ticket_reply), (select count(*) from infraction), "
        "(select count(*) from notification), "
        "(select count(*) from tracking_scan), (select count(*) from event), (select count(*) from sender_news)]"
    )


@every_write
def test_a_call_is_done_once_and_answered_the_same(market: Market, endpoint: Endpoint) -> None:
    first = send(market, endpoint.path, GOOD_BODIES[endpoint.path])
    done = counts(market)
    again = send(market, endpoint.path, GOOD_BODIES[endpoint.path])
    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["wish-request-id"] != first.headers["wish-request-id"]
    assert counts(market) == done


@every_write
def test_every_write_leaves_an_act(market: Market, endpoint: Endpoint) -> None:
    """Who, with which token, what, when, on whom."""
    send(market, endpoint.path, GOOD_BODIES[endpoint.path], None)
    act = market.run(market.connection.fetchrow("select * from operator_act"))
    desk = market.run(
        market.connection.fetchrow(
            "select t.* from operator_token t join operator_account o on o.id = t.operator_id where o.name = 'desk'"
        )
    )
    body = GOOD_BODIES[endpoint.path]
    assert act["verb"] == endpoint.name
    assert (act["operator_id"], act["token_id"]) == (desk["operator_id"], desk["id"])
    assert act["acted_at"] == market.sql("select world_now()")
    assert act["subject"] == body.get("merchant_id", body.get("sender_id"))


def test_the_platform_can_add_acts_and_nothing_else(market: Market) -> None:
    told = "select has_table_privilege('tradepost_platform', 'operator_act', $1)"
    assert [market.sql(told, verb) for verb in ("insert", "update", "delete", "truncate")] == [
        True,
        False,
        False,
        False,
    ]
    assert not market.sql("select has_table_privilege('tradepost_app', 'operator_act', 'select')")


def test_order_blanks_and_language_make_no_other_call(market: Market) -> None:
    first = send(market, PLACE, BODIES["orders/place"])
    turned = dict(reversed(BODIES["orders/place"].items()))
    assert send(market, PLACE, turned, query="locale=de").body == first.body


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PLACE, BODIES["orders/place"] | {"vat_required": False}),
        (PLACE, BODIES["orders/place"] | {"items": [{"sku": "ring-red", "quantity": 1}]}),
        (f"{PREFIX}/merchants/suspend", USD),
    ],
)
def test_a_key_is_of_one_call(market: Market, path: str, body: object) -> None:
    assert send(market, PLACE, BODIES["orders/place"]).status == 200
    before = counts(market)
    answer = send(market, path, body)
    assert (answer.status, answer.code, answer.data) == (422, 4022, "Idempotency-Key")
    assert counts(market) == before


def test_keys_of_two_operators_never_meet(market: Market) -> None:
    first = send(market, PLACE, BODIES["orders/place"])
    other = send(market, PLACE, BODIES["orders/place"], who="operator:shop")
    assert (first.status, other.status) == (200, 200)
    assert first.data["transaction_id"] != other.data["transaction_id"]


def test_keys_of_two_tokens_of_one_operator_are_the_same(market: Market) -> None:
    """A token that is replaced while an answer is waited for changes nothing."""
    first = send(market, PLACE, BODIES["orders/place"])
    market.sql("update operator_token set operator_id = (select id from operator_account where name = 'desk')")
    assert send(market, PLACE, BODIES["orders/place"], who="operator:shop").body == first.body


def test_a_call_that_was_refused_keeps_no_key(market: Market) -> None:
    too_much = BODIES["orders/place"] | {"items": [{"sku": "scarf", "quantity": 8}]}
    assert send(market, PLACE, too_much).status == 409
    assert market.sql("select count(*) from idempotency_key") == 0
    assert send(market, PLACE, BODIES["orders/place"]).status == 200


def test_a_key_is_good_for_a_day(market: Market) -> None:
    first = send(market, PLACE, BODIES["orders/place"])
    market.sql("update world_clock set fixed_at = fixed_at + interval '23 hours 59 minutes'")
    assert send(market, PLACE, BODIES["orders/place"]).body == first.body
    market.sql("update world_clock set fixed_at = fixed_at + interval '1 minute'")
    later = send(market, PLACE, BODIES["orders/place"])
    assert later.status == 200
    assert later.data["transaction_id"] != first.data["transaction_id"]
    # And the day begins anew.
    market.sql("update world_clock set fixed_at = fixed_at + interval '23 hours'")
    assert send(market, PLACE, BODIES["orders/place"]).body == later.body


@pytest.mark.parametrize("key", ["", "a" * 256, "a b", "ä", "k, k"])
def test_what_no_key_can_be(market: Market, key: str) -> None:
    answer = send(market, PLACE, BODIES["orders/place"], key)
    assert (answer.status, answer.code, answer.data) == (400, 1000, "Idempotency-Key")
    assert send(market, PLACE, BODIES["orders/place"], "a" * 255).status == 200


def test_a_key_means_nothing_to_the_other_services(market: Market) -> None:
    for stock in ("5", "6"):
        form = f"sku=ring-red&inventory={stock}".encode()
        headers = {"content-type": "application/x-www-form-urlencoded", "idempotency-key": "k"}
        assert market.request("POST", "/api/v2/variant/update-inventory", "usd", form, headers).status == 200
    assert (
        market.sql(
            "select min(inventory) from stock s join variation v on v.id = s.variation_id "
            "where v.sku = 'ring-red' and s.merchant_id = $1",
            USD["merchant_id"],
        )
        == 6
    )


def test_a_twin_that_runs_is_told_in_every_language(market: Market, server: Server) -> None:
    """Another connection has the key and has not come to its end."""
    operator_id = market.sql("select id from operator_account where name = 'desk'")
    market.sql("alter function take_key set lock_timeout = '20ms'")

    async def hold() -> tuple[Any, Any]:
        twin = await server.connect()
        transaction = twin.transaction()
        await transaction.start()
        await twin.execute(
            "insert into idempotency_key (operator_id, key, fingerprint, used_at) values ($1, 'k', $2, now())",
            operator_id,
            b"0" * 32,
        )
        return twin, transaction

    twin, transaction = market.run(hold())
    table = SURFACES["operator"].table
    for locale in table.locales:
        answer = send(market, PLACE, BODIES["orders/place"], query=f"locale={locale}")
        assert (answer.status, answer.code, answer.data) == (409, 4009, "Idempotency-Key")
        assert answer.headers["retry-after"].isdigit()
        _assert_says(answer.json["message"], table.sentence("KeyInUse", locale))
    assert market.sql("select count(*) from operator_act") == 0
    market.run(transaction.rollback())
    market.run(twin.close())
    assert send(market, PLACE, BODIES["orders/place"]).status == 200
