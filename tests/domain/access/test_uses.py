"""Where tokens are used from: by calls to the real application, from networks and by programs of all kinds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.request_log.test_collecting import Away
from tests.support import consent
from tests.support.market import Market
from tradepost.domain import access
from tradepost.domain.access.uses import LETTERS_PER_DAY, MOST_PLACES, network_of, program_of
from tradepost.domain.context import Ctx
from tradepost.storage.database import StorageUnavailable
from tradepost.surfaces.token_uses import MOST_OF_ONE, MOST_TOKENS, TokenUses

HOME = "192.0.2.7"
ABROAD = "198.51.100.1"
ERP = "example-erp/2.1 (linux)"
MINE = "select recipient, subject, body from mail where event_id in (select id from event where topic = $1)"


def use(
    market: Market, address: str = HOME, agent: str = ERP, who: str = "usd", path: str = "/api/v2/auth_test"
) -> int:
    """A call from somewhere, and its code."""
    asked = "/api/v3/oauth/test" if who.startswith("wishpost:") else path
    return market.request("GET", asked, who, headers={"user-agent": agent}, client=(address, 40000)).code


def flush(market: Market) -> None:
    market.run(market.uses.flush())


def used(market: Market, address: str = HOME, agent: str = ERP, who: str = "usd") -> None:
    """A call from somewhere that was taken down."""
    use(market, address, agent, who)
    flush(market)


def places(market: Market, token: str) -> list[access.Place]:
    """Where a token is used from."""
    account_id, token_id = (
        market.sql(f"select {name} from access_token where hash = $1", access.fingerprint(token))
        for name in ("account_id", "id")
    )

    async def look(ctx: Ctx) -> Any:
        return await access.list_places(ctx, account_id, [token_id])

    return list(market.operate(look).get(token_id, []))


def news(market: Market) -> int:
    """How often an owner was told."""
    return int(market.sql("select count(*) from event where topic = $1", access.NEW_PLACE_TOPIC))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("192.0.2.255", "192.0.2.0/24"),
        ("::ffff:192.0.2.9", "192.0.2.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::", "2001:db8:1::/48"),
        ("2001:db8:2::", "2001:db8:2::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unix", ""),
        ("1.2.3.4.5", ""),
    ],
)
def test_a_network_is_what_an_address_begins_with(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("agent", "program"),
    [
        ("Python-Requests/2.31.0", "python-requests"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "mozilla"),
        ("curl", "curl"),
        ("  (odd) one", "odd"),
        ("Ärger/1", "ärger"),
        ("x" * 99, "x" * 40),
        ("", ""),
        (" /;,()", ""),
    ],
)
def test_a_program_is_a_name_without_a_version(agent: str, program: str) -> None:
    assert program_of(agent) == program


def test_the_last_use_of_a_token_is_kept_with_its_address_and_client(market: Market) -> None:
    token = market.token("usd")
    assert places(market, token) == []
    use(market, "192.0.2.7", "example-erp/2.0")
    used(market, "192.0.2.8", "example-erp/2.1")
    (place,) = places(market, token)
    assert (place.address, place.agent, place.is_new) == ("192.0.2.8", "example-erp/2.1", False)
    first = place.last_used_at
    used(market, "192.0.2.9")
    (place,) = places(market, token)
    assert (place.address, place.agent) == ("192.0.2.9", ERP)
    assert place.first_used_at == first < place.last_used_at
    assert places(market, market.token("cny")) == []


def test_only_who_was_let_in_used_a_token(market: Market) -> None:
    for path in ("/api/v2/nothing", "/api/v2/product?id=0", "/api/v2/auth_test"):
        use(market, path=path)
    market.request("GET", "/api/v2/auth_test", None, headers={"authorization": f"Bearer {access.new_token()}"})
    market.sql(
        "update access_token set revoked_at = world_now() where account_id = $1", cny := account(market, "cny")
    )
    assert use(market, who="cny") == 1016
    assert market.uses.waiting == 1
    flush(market)
    assert market.sql("select count(*) from token_use where account_id = $1", cny) == 0
    assert market.sql("select count(*) from token_use") == 1


def account(market: Market, who: str) -> str:
    return market.world.merchants[who].account_id


@pytest.mark.parametrize("who", ["usd", "wishpost:lan"])
def test_a_new_network_and_a_new_program_are_told_once_each(market: Market, who: str) -> None:
    token = market.token(who)
    used(market, who=who)
    assert news(market) == 0, "where an app is used from first is where it lives"
    used(market, "192.0.2.99", "example-erp/3.0", who)
    assert news(market) == 0, "another machine of the same network, another version of the same program"
    used(market, ABROAD, who=who)
    assert news(market) == 1
    for _ in range(3):
        used(market, ABROAD, who=who)
    assert news(market) == 1
    used(market, HOME, "curl/8.5", who)
    assert news(market) == 2
    used(market, ABROAD, "curl/8.5", who)
    assert news(market) == 2, "both are known by now"
    assert [place.is_new for place in places(market, token)] == [False, True, True, False]
    market.work()
    letters = market.run(market.connection.fetch(MINE, access.NEW_PLACE_TOPIC))
    assert len(letters) == 2
    of_whom = "select email from merchant_user where merchant_id = $1 union select email from shipper where id = $1"
    account_id = market.sql("select account_id from access_token where hash = $1", access.fingerprint(token))
    assert {letter["recipient"] for letter in letters} == {market.sql(of_whom, account_id)}
    assert {ABROAD in letter["body"] for letter in letters} == {True, False}
    assert not any("curl" in letter["subject"] + letter["body"] for letter in letters)
    notices = market.sql("select count(*) from notification where topic = $1", access.NEW_PLACE_TOPIC)
    assert notices == (2 if who == "usd" else 0)


def test_the_next_token_of_an_app_is_used_where_the_one_before_was(market: Market) -> None:
    """A refresh makes no place new; a refresh by a thief does not make his known."""
    opened = market.post("/api/v3/oauth/access_token", None, **consent.exchange("merchant")).data
    for address, count in ((HOME, 0), (HOME, 0), (ABROAD, 1)):
        head = {"user-agent": ERP, "authorization": f"Bearer {opened['access_token']}"}
        assert market.request("GET", "/api/v2/auth_test", None, headers=head, client=(address, 1)).code == 0
        flush(market)
        assert news(market) == count, address
        told = {
            **consent.client("merchant"),
            "grant_type": "refresh_token",
            "refresh_token": opened["refresh_token"],
        }
        opened = market.post("/api/v3/oauth/refresh_token", None, **told).data


def test_two_tokens_of_one_app_in_one_new_place_are_one_letter(market: Market) -> None:
    first = market.token("usd")
    app_id = market.sql("select app_id from access_token where hash = $1", access.fingerprint(first))

    async def issue(ctx: Ctx) -> str:
        return await access.issue_token(ctx, "merchant", account(market, "usd"), app_id, ["orders:read"])

    second = str(market.operate(issue))
    used(market)
    for token in (first, second):
        head = {"user-agent": ERP, "authorization": f"Bearer {token}"}
        market.request("GET", "/api/v2/auth_test", None, headers=head, client=(ABROAD, 1))
    flush(market)
    assert news(market) == 1
    assert [places(market, token)[0].is_new for token in (first, second)] == [True, True]


def test_letters_are_few_and_places_are_bounded(market: Market) -> None:
    used(market)
    for number in range(MOST_PLACES + 20):
        used(market, f"203.0.{number}.1")
    assert news(market) == LETTERS_PER_DAY
    found = places(market, market.token("usd"))
    assert len(found) == MOST_PLACES
    assert all(place.is_new for place in found)
    market.sql("update token_use set first_used_at = first_used_at - interval '25 hours'")
    used(market, ABROAD)
    assert news(market) == LETTERS_PER_DAY + 1


def test_secrets_in_what_a_client_calls_itself_are_not_kept(market: Market) -> None:
    token = market.token("usd")
    used(market, agent=f"curl/8 {token} {'x' * 500}")
    (place,) = places(market, token)
    assert token[:20] not in place.agent
    assert place.agent.startswith("curl/8 ")
    assert len(place.agent) == 200


def test_what_waits_is_bounded_and_fair(market: Market) -> None:
    for number in range(MOST_OF_ONE + 5):
        use(market, f"203.0.{number}.1")
    use(market, who="cny")
    assert market.uses.waiting == MOST_OF_ONE + 1
    admission = access.Admission(None, market.sql("select world_now()"), 1, "t")
    market.uses.take(admission, None)  # type: ignore[arg-type]
    assert market.uses.waiting == MOST_OF_ONE + 1, "whoever showed no token used none"
    many = TokenUses(market.uses._database)
    for number in range(MOST_TOKENS + 5):
        many.take(*taken(number))
    assert many.waiting == MOST_TOKENS
    market.run(many.flush())
    assert market.sql("select count(*) from token_use") == 0, "tokens that are none leave nothing"


def taken(number: int) -> tuple[Any, Any]:
    """Somebody with a token of his own."""

    class Actor:
        id = "a" * 24

    class Asked:
        client, agent = HOME, ERP

    return access.Admission(Actor(), None, 1, f"{number:024x}"), Asked()  # type: ignore[arg-type]


def test_uses_wait_while_the_database_is_away(market: Market) -> None:
    database: Any = Away(market.uses._database)
    uses = TokenUses(database)
    market._sessions.seen = uses.take
    database.is_away = True
    use(market)
    with pytest.raises(StorageUnavailable):
        market.run(uses.flush())
    use(market, ABROAD)
    assert uses.waiting >= 1
    database.is_away = False
    market.run(uses.flush())
    assert {place.address for place in places(market, market.token("usd"))} >= {HOME}


def test_the_task_writes_by_itself_and_when_the_program_stops(market: Market) -> None:
    async def run() -> int:
        await market.uses.start()
        for _ in range(1_500):
            await asyncio.sleep(0.02)
            if market.uses.written:
                break
        found = int(await market.connection.fetchval("select count(*) from token_use"))
        market.uses.take(*seen)
        await market.uses.stop()
        return found

    use(market)
    token_id = market.sql(
        "select token_id from (values ($1::text)) as t (token_id)", next(iter(market.uses._waiting))
    )

    class Actor:
        id = account(market, "usd")

    class Asked:
        client, agent = ABROAD, ERP

    seen: Any = (access.Admission(Actor(), None, 1, token_id), Asked())  # type: ignore[arg-type]
    assert market.run(run()) == 1
    assert market.sql("select count(*) from token_use") == 2


def test_old_places_are_forgotten_and_the_known_ones_are_not(market: Market) -> None:
    used(market)
    used(market, ABROAD, who="cny")

    def forget() -> int:
        return int(market.operate(access.forget_old_places))

    market.sql("update token_use set last_used_on = last_used_on - 300")
    assert forget() == 0
    usd = account(market, "usd")
    # The same place of another token, which is good no more.
    market.sql(
        "insert into token_use select account_id, repeat('0', 24), network, program, app_id, address, agent, "
        "is_new, first_used_at, last_used_at - interval '1 day', last_used_on from token_use where account_id = $1",
        usd,
    )
    assert forget() == 1
    market.sql("update token_use set last_used_on = last_used_on - 101 where account_id = $1", usd)
    assert forget() == 1
    assert market.sql("select count(*) from token_use") == 1
