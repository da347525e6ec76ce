"""`tradepost serve` as whoever runs it meets it: what it prints, who may call, what outlives what."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.support.database import data_folder
from tests.support.program import Client, Program, Reply, program, resident_mib, serving, wait_until
from tradepost.storage.embedded import EmbeddedPostgres

HTTPS_REQUIRED, TOKEN_EXPIRED, TOKEN_REVOKED, SCOPE_MISSING, SUSPENDED = 4000, 1015, 1016, 1103, 2000
MOST_RESIDENT_MIB = 150
TRUST_LOOPBACK = '["127.0.0.1/32"]'
REAL = {"mode": "production", "public_url": "https://merchants.example", "link_keys": json.dumps(["k" * 32])}
REAL |= {"sealing_keys": json.dumps(["s" * 32]), "wishpost_public_url": "https://senders.example"}
MEMBER = ["id", "name", "currency", "email", "password", "client_id", "client_secret", "access_token", "base_url"]


@pytest.fixture(scope="module")
def served() -> Iterator[Program]:
    """A sandbox on two server processes that believes what proxies on this machine say."""
    with serving("--workers", "2", trusted_proxies=TRUST_LOOPBACK) as running:
        yield running


@pytest.fixture(scope="module")
def ada(served: Program) -> str:
    """The token of the first shop."""
    return served.credentials()["merchants"][0]["access_token"]


def get(url: str, path: str, token: str | None = None, **headers: str) -> Reply:
    """One call on a connection of its own; `x_forwarded_for` names the header X-Forwarded-For."""
    with Client(url, token) as client:
        return client.get(path, headers={name.replace("_", "-").title(): value for name, value in headers.items()})


def ring(sku: str) -> dict[str, object]:
    """The form of a product to add."""
    return {"name": "Ring", "description": "A ring.", "sku": sku, "inventory": 3, "price": "4.90",
            "shipping": "1.00", "main_image": "https://pictures.example/ring.jpg", "tags": "ring"}  # fmt: skip


# -- what a newcomer sees


def test_the_printed_lines_lead_to_a_first_answer(served: Program, ada: str) -> None:
    curl = next(line.strip() for line in served.printed.splitlines() if line.strip().startswith("curl "))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{curl} -sS -i"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.partition("\n\n")
    assert head.startswith("HTTP/1.1 200 ")
    answer = json.loads(body)
    assert answer["code"] == 0
    assert len(answer["data"]) == 2
    assert re.search(rf"^Access token +{ada}  \(Ada's Attic, USD\)$", served.printed, re.MULTILINE)
    for url in (served.merchant, served.wishpost):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)


def test_the_credentials_have_the_promised_form_and_all_of_them_work(served: Program) -> None:
    told = served.credentials()
    assert list(told) == ["merchants", "wishpost"]
    assert [list(member) for member in told["merchants"]] == [MEMBER] * 3
    assert [list(member) for member in told["wishpost"]] == [[key for key in MEMBER if key != "currency"]] * 2
    assert {member["base_url"] for member in told["merchants"]} == {served.merchant}
    assert {member["base_url"] for member in told["wishpost"]} == {served.wishpost}
    assert {member["currency"] for member in told["merchants"]} == {"USD", "CNY", "EUR"}
    for member in told["merchants"]:
        answer = get(member["base_url"], "/api/v2/auth_test", member["access_token"])
        assert (answer.status, answer.data["merchant_id"]) == (200, member["id"])
    for member in told["wishpost"]:
        assert get(member["base_url"], "/api/v3/channels", member["access_token"]).status == 200


def test_a_services_health_needs_no_token(served: Program) -> None:
    for url in (served.merchant, served.wishpost):
        for path in ("/livez", "/readyz"):
            answer = get(url, path)
            assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_the_service_is_found_by_port_and_by_name(served: Program) -> None:
    """A path that only one of them has tells who answered."""
    told = served.credentials()
    shop, sender = told["merchants"][0]["access_token"], told["wishpost"][0]["access_token"]
    merchant_port, wishpost_port = (urlsplit(url).port for url in (served.merchant, served.wishpost))

    def reaches(url: str, host: str) -> str:
        answers = {
            "merchant": get(url, "/api/v2/warehouse/get-all", shop, host=host).status,
            "wishpost": get(url, "/api/v3/channels", sender, host=host).status,
        }
        assert sorted(answers.values()) == [200, 404]
        return next(name for name, status in answers.items() if status == 200)

    assert reaches(served.merchant, f"127.0.0.1:{merchant_port}") == "merchant"
    assert reaches(served.merchant, f"localhost:{merchant_port}") == "merchant"
    assert reaches(served.wishpost, f"127.0.0.1:{wishpost_port}") == "wishpost"
    assert reaches(served.wishpost, f"localhost:{wishpost_port}") == "wishpost"
    for host in ("wishpost.cn", "www.wishpost.cn:443", "Sandbox.WishPost.cn", "wishpost.localhost"):
        assert reaches(served.merchant, host) == "wishpost"
    for host in ("merchant.wish.com", "shop.example:8443"):
        assert reaches(served.wishpost, host) == "merchant"


# -- HTTPS


def test_plain_http_is_for_callers_on_this_machine(served: Program, ada: str) -> None:
    path = "/api/v2/auth_test"
    assert get(served.merchant, path, ada).status == 200
    elsewhere = get(served.merchant, path, ada, x_forwarded_for="203.0.113.9")
    assert (elsewhere.status, elsewhere.code) == (403, HTTPS_REQUIRED)
    spoofed = get(served.merchant, path, ada, x_forwarded_for="127.0.0.1, 203.0.113.9")
    assert (spoofed.status, spoofed.code) == (403, HTTPS_REQUIRED)
    secure = get(served.merchant, path, ada, x_forwarded_for="203.0.113.9", x_forwarded_proto="https")
    assert secure.status == 200


# -- the operator's verbs, while it serves


def test_a_new_shop_calls_with_the_token_it_was_issued(served: Program) -> None:
    opened = served.told("merchant", "add", "Nora's Nook", "nora@nook.example", "--currency", "EUR")
    shop = re.search(r"^merchant +([0-9a-f]{24})$", opened, re.MULTILINE)
    added = re.search(r"^client_id +([0-9a-f]{24})$", served.told("app", "add", "Connector"), re.MULTILINE)
    assert shop is not None
    assert added is not None
    reading = served.told(
        "token", "issue", shop[1], added[1], "--scope", "products:read", "--days", "0.00003"
    ).strip()
    with Client(served.merchant, reading) as client:
        answer = client.get("/api/v2/auth_test")
        assert (answer.status, answer.data["merchant_username"]) == (200, "Nora's Nook")
        assert client.get("/api/v2/product/multi-get").data == []
        refused = client.post("/api/v2/product/add", ring("nora-1"))
        assert (refused.status, refused.code, refused.data) == (403, SCOPE_MISSING, "products:write")
        wait_until(lambda: client.get("/api/v2/auth_test").status != 200, 30)
        expired = client.get("/api/v2/auth_test")
        assert (expired.status, expired.code) == (401, TOKEN_EXPIRED)

    everything = served.told("token", "issue", shop[1], added[1]).strip()
    with Client(served.merchant, everything) as client:
        assert client.post("/api/v2/variant/update-inventory", {"sku": "none", "inventory": 1}).code == 1004
        served.told("merchant", "suspend", shop[1])
        suspended = client.get("/api/v2/auth_test")
        assert (suspended.status, suspended.code) == (403, SUSPENDED)
        assert re.search(rf"^{shop[1]}  EUR  .*suspended", served.told("merchant", "list"), re.MULTILINE)
        served.told("merchant", "resume", shop[1])
        assert client.get("/api/v2/auth_test").status == 200


def test_a_revoked_token_opens_no_process_any_more(served: Program) -> None:
    member = served.credentials()["merchants"][1]
    token = served.told("token", "issue", member["id"], member["client_id"]).strip()
    clients = served.one_client_each(token)
    assert len(clients) == 2
    try:
        assert [client.get("/api/v2/auth_test").status for client in clients.values()] == [200, 200]
        served.told("token", "revoke", token)
        answers = [client.get("/api/v2/auth_test") for client in clients.values()]
        assert [(answer.status, answer.code) for answer in answers] == [(401, TOKEN_REVOKED)] * 2
    finally:
        for client in clients.values():
            client.close()
    assert get(served.merchant, "/api/v2/auth_test", member["access_token"]).status == 200


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["token", "issue", "f" * 24, "{app}"], id="a shop that does not exist"),
        pytest.param(["token", "issue", "nobody", "{app}"], id="what is no id"),
        pytest.param(["token", "issue", "{shop}", "f" * 24], id="an app that does not exist"),
        pytest.param(["token", "issue", "{shop}", "{app}", "--scope", "everything"], id="a scope nobody knows"),
        pytest.param(["token", "issue", "{shop}", "{app}", "--days", "1e12"], id="a life without end"),
        pytest.param(["token", "issue", "{shop}", "{app}", "--days", "-1"], id="a life that is over"),
        pytest.param(["token", "revoke", "mp_at_x"], id="what is no token"),
        pytest.param(["merchant", "suspend", "f" * 24], id="suspending a shop that does not exist"),
        pytest.param(["merchant", "add", "Twin", "ada@attic.example"], id="an address that signs in already"),
        pytest.param(["merchant", "add", "Odd", "odd@example.com", "--currency", "euro"], id="no currency"),
    ],
)
def test_a_mistake_of_the_operator_is_told_in_words(served: Program, words: list[str]) -> None:
    shop = served.credentials()["merchants"][0]
    done = served.run(*(word.format(shop=shop["id"], app=shop["client_id"]) for word in words))
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


# -- starting over


def test_a_reset_starts_over_and_the_tokens_stay_good(served: Program) -> None:
    before = served.credentials()
    shop = before["merchants"][0]
    with Client(served.merchant, shop["access_token"]) as client:
        seeded = _skus(client)
        assert client.post("/api/v2/product/add", ring("not-of-the-seed")).status == 200
        victim = next(iter(seeded))
        assert client.post("/api/v2/product/remove", {"parent_sku": victim}).status == 200
        assert _skus(client) == seeded - {victim} | {"not-of-the-seed"}
        assert served.told("sandbox", "reset").startswith("The sandbox is as it was seeded")
        assert _skus(client) == seeded
        assert served.credentials() == before
        assert client.get("/api/v2/auth_test").data["merchant_id"] == shop["id"]


def test_nobody_is_turned_away_while_the_sandbox_is_reset(served: Program, ada: str) -> None:
    """One token all the time: no caller may be told that it is unknown because the world is being rebuilt."""
    over = threading.Event()
    turned_away: list[tuple[int, int]] = []
    asked = [0]

    def ask() -> None:
        with Client(served.merchant, ada) as client:
            while not over.is_set():
                answer = client.get("/api/v2/auth_test")
                asked[0] += 1
                if answer.status != 200:
                    turned_away.append((answer.status, answer.code))

    caller = threading.Thread(target=ask)
    caller.start()
    try:
        served.told("sandbox", "reset")
    finally:
        over.set()
        caller.join()
    assert asked[0] > 20
    assert turned_away == []


def _skus(client: Client) -> set[str]:
    answer = client.get("/api/v2/product/multi-get?limit=250")
    assert answer.status == 200
    return {item["Product"]["parent_sku"] for item in answer.data}


# -- size


def test_a_server_process_stays_small(served: Program, ada: str) -> None:
    clients = served.one_client_each(ada)
    sku = clients[next(iter(clients))].get("/api/v2/variant/multi-get?limit=1").data[0]["Variant"]["sku"]
    calls = [
        lambda client, n: client.get("/api/v2/product/multi-get?limit=50"),
        lambda client, n: client.get(f"/api/v2/variant?sku={sku}&format=xml"),
        lambda client, n: client.post("/api/v2/variant/update-inventory", {"sku": sku, "inventory": n}),
        lambda client, n: client.get("/api/v2/product?id=unknown&locale=zh"),
        lambda client, n: client.get("/api/v2/auth_test", token="mp_at_forged"),
        lambda client, n: client.post("/api/v2/product/add", {"description": "x" * 2000}),
        lambda client, n: client.get("/api/v2/nothing-here"),
        lambda client, n: client.get("/readyz"),
    ]

    def call(client: Client) -> None:
        for number in range(2000):
            assert calls[number % len(calls)](client, number).status < 500

    threads = [threading.Thread(target=call, args=[client]) for client in clients.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sizes = {pid: resident_mib(pid) for pid in clients}
    for client in clients.values():
        client.close()
    print("resident MiB:", {pid: round(size) for pid, size in sizes.items()})
    assert max(sizes.values()) <= MOST_RESIDENT_MIB


# -- life and death


def test_everything_outlives_a_stop() -> None:
    with serving() as running:
        before = running.credentials()
        token = before["merchants"][0]["access_token"]
        with Client(running.merchant, token) as client:
            assert client.post("/api/v2/product/add", ring("kept")).status == 200
        assert running.stop() == 0
        assert not running.embedded.is_running()
        assert not (running.folder / "serving.json").exists()
        assert "Traceback" not in running.complaints
        running.start()
        after = running.credentials()
        assert [[m["id"], m["access_token"]] for m in after["merchants"]] == [
            [m["id"], m["access_token"]] for m in before["merchants"]
        ]
        assert get(running.merchant, "/api/v2/product?parent_sku=kept", token).status == 200


def test_a_second_serve_in_the_same_folder_gives_up() -> None:
    with serving() as first:
        second = Program(first.folder)
        second.launch()
        try:
            status = second.wait(8)
        except subprocess.TimeoutExpired:
            second.stop()
            raise AssertionError(f"it serves the same folder:\n{second.printed}") from None
        assert status != 0
        assert str(first.folder) in second.complaints
        assert "Traceback" not in second.complaints
        assert first.credentials()["merchants"][0]["base_url"] == first.merchant
        assert first.is_ready()


@pytest.mark.parametrize("setting", ["port", "wishpost_port"])
def test_a_port_in_use_is_told_in_words(served: Program, setting: str) -> None:
    taken: dict[str, Any] = {setting: urlsplit(served.merchant).port}
    with program(**taken) as second:
        second.launch()
        assert second.wait(30) != 0
        assert f"Cannot listen on 127.0.0.1:{urlsplit(served.merchant).port}" in second.complaints
        assert "Traceback" not in second.complaints
        assert not second.embedded.is_running()


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"port": "http"}, id="port"),
        pytest.param({"rate_limits": '{"merchant/nonsense": 5}'}, id="rate limit of no group"),
        pytest.param({"rate_limits": '{"marchant/default": 5}'}, id="rate limit of no service"),
        pytest.param({"rate_limits": '{"merchant/default": -5}'}, id="negative rate limit"),
        pytest.param({"rate_limits": '{"merchant/default": 2147483648}'}, id="rate limit beyond counting"),
        pytest.param({"rate_limits": '{"x"'}, id="no JSON"),
        pytest.param({"trusted_proxies": "abc"}, id="no list"),
        pytest.param({"log_level": "loud"}, id="log level"),
        pytest.param({"database_url": "", "mode": "production"}, id="database"),
        pytest.param({"public_url": "http://merchants.example", "mode": "production"}, id="links over plain HTTP"),
        pytest.param({"wishpost_public_url": "", "mode": "production"}, id="nowhere for WishPost's links to lead"),
        pytest.param(
            {"wishpost_public_url": "http://senders.example", "mode": "production"}, id="WishPost over plain HTTP"
        ),
        pytest.param({"link_keys": "", "mode": "production"}, id="no key of links"),
        pytest.param({"link_keys": '["short"]'}, id="a key that can be guessed"),
        pytest.param({"sealing_keys": "", "mode": "production"}, id="no key of secrets"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_at_the_start(settings: dict[str, str]) -> None:
    with program(**settings) as wrong:
        wrong.launch()
        try:
            status = wrong.wait(8)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on:\n{wrong.printed}\n{wrong.complaints[-500:]}") from None
        assert status != 0
        assert f"TRADEPOST_{next(iter(settings)).upper()}" in wrong.complaints
        assert "Traceback" not in wrong.complaints


def test_a_stop_in_the_middle_of_the_start_leaves_nothing_behind() -> None:
    with program() as running:
        running.launch()
        wait_until(running.embedded.is_running, what="the start of the database")
        running.stop()
        wait_until(lambda: not running.embedded.is_running(), 10, "the end of the database")


# -- for real, on somebody else's database


def installations() -> list[Path | None]:
    """The database that comes with us (None), and the least version that is promised to work."""
    return [None, *Path("/usr/lib/postgresql").glob("15/bin")]


@pytest.fixture(params=installations(), ids=lambda path: path.parent.name if path else "wheel")
def external(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a PostgreSQL that is not ours, where we own one database and are no superuser."""
    with data_folder() as folder:
        elsewhere = EmbeddedPostgres(folder / "postgres", request.param)
        elsewhere.start()

        async def let_us_in() -> None:
            superuser = await asyncpg.connect(**elsewhere.connection("postgres", "postgres"))
            await superuser.execute("create role shopkeeper login createrole nosuperuser nobypassrls")
            await superuser.execute("create database market owner shopkeeper")
            await superuser.close()

        asyncio.run(let_us_in())
        try:
            yield elsewhere.dsn("shopkeeper", "market")
        finally:
            elsewhere.stop()


def test_production_on_an_external_database(external: str) -> None:
    with program(**REAL, database_url=external, trusted_proxies=TRUST_LOOPBACK) as running:
        assert re.fullmatch(r"(ran \d{4}_\w+\n)+", running.told("migrate"))
        assert running.told("migrate") == "nothing to do\n"
        shop = re.search(r"[0-9a-f]{24}", running.told("merchant", "add", "Real Shop", "real@shop.example"))
        added = re.search(r"[0-9a-f]{24}", running.told("app", "add", "Connector"))
        assert shop is not None
        assert added is not None
        token = running.told("token", "issue", shop[0], added[0]).strip()
        assert running.run("sandbox", "credentials").returncode != 0
        assert running.run("sandbox", "reset").returncode != 0

        running.start()
        assert "mp_at_" not in running.printed
        assert not running.embedded.is_running()
        path = "/api/v2/auth_test"
        plain = get(running.merchant, path, token)
        assert (plain.status, plain.code) == (403, HTTPS_REQUIRED)
        secure = get(running.merchant, path, token, x_forwarded_proto="https")
        assert (secure.status, secure.data["merchant_id"]) == (200, shop[0])
        assert get(running.merchant, "/livez").status == get(running.merchant, "/readyz").status == 200
        assert running.stop() == 0
    with program(**REAL, database_url=external) as trusting_nobody:
        trusting_nobody.start()
        told = get(trusting_nobody.merchant, path, token, x_forwarded_proto="https")
        assert (told.status, told.code) == (403, HTTPS_REQUIRED)
