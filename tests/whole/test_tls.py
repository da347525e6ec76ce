"""`tradepost serve --tls`: clients that know nothing but the names of the original reach both services."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.program import Program, kill, program, serving, wait_until

MERCHANT = "https://merchant.wish.com/api/v2/auth_test"
WISHPOST = "https://wishpost.cn/api/v3/oauth/test"


@pytest.fixture(scope="module")
def secured() -> Iterator[Program]:
    """The program with TLS on a port of the system's choice."""
    with serving("--tls", tls_port=0) as running:
        yield running


def port_of(running: Program) -> int:
    found = re.search(r"^Both by TLS +(https://\S+)", running.printed, re.MULTILINE)
    assert found is not None
    port = urlsplit(found[1]).port
    assert port is not None
    return port


def authority_of(running: Program) -> Path:
    return Path(running.told("ca").splitlines()[0])


def curl(running: Program, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Ask as somebody whose resolver says that every name is here, and whose port 443 is ours."""
    words = [
        "curl",
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--connect-to",
        f"::127.0.0.1:{port_of(running)}",
    ]
    return subprocess.run([*words, *more, url], capture_output=True, text=True, timeout=60, check=False, env={})


@pytest.mark.parametrize(("url", "who"), [(MERCHANT, "merchants"), (WISHPOST, "wishpost")])
def test_an_unmodified_client_reaches_its_service(secured: Program, url: str, who: str) -> None:
    token = secured.credentials()[who][0]["access_token"]
    done = curl(secured, url, "--cacert", str(authority_of(secured)), "-H", f"Authorization: Bearer {token}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["code"] == 0


def test_python_reaches_it_and_is_told_links_by_https(secured: Program) -> None:
    context = ssl.create_default_context(cafile=authority_of(secured))
    token = secured.credentials()["merchants"][0]["access_token"]
    connection = HTTPSConnection("localhost", port_of(secured), context=context, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Host": "merchant.wish.com"}
    connection.request("GET", "/api/v2/product/multi-get?limit=1", headers=headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert answer["code"] == 0
    assert answer["paging"]["next"].startswith("https://merchant.wish.com/api/v2/product/multi-get")


def test_another_name_is_refused_by_the_certificate(secured: Program) -> None:
    done = curl(secured, "https://other.example/livez", "--cacert", str(authority_of(secured)))
    assert (done.returncode, "subject name" in done.stderr) == (60, True), done.stderr


def test_who_does_not_trust_the_authority_is_not_let_in(secured: Program) -> None:
    done = curl(secured, MERCHANT)
    assert (done.returncode, done.stdout) == (60, "")


@pytest.mark.parametrize(("least", "fine"), [("1.1", False), ("1.2", True), ("1.3", True)])
def test_old_versions_of_tls_are_not_spoken(secured: Program, least: str, fine: bool) -> None:
    versions = (f"--tlsv{least}", "--tls-max", least, "--ciphers", "DEFAULT@SECLEVEL=0")
    url = "https://merchant.wish.com/livez"
    done = curl(secured, url, "--cacert", str(authority_of(secured)), *versions)
    assert (done.returncode == 0) is fine, done.stderr


def test_a_process_that_is_killed_is_replaced_by_one_that_is_believed(secured: Program) -> None:
    trusted = str(authority_of(secured))
    before = secured.web_pids()
    kill(*before)
    url = "https://merchant.wish.com/livez"
    wait_until(lambda: curl(secured, url, "--cacert", trusted).returncode == 0, what="an answer")
    assert not set(before) & set(secured.web_pids())


def test_plain_ports_are_as_they_were(secured: Program) -> None:
    assert secured.is_ready()
    assert secured.merchant.startswith("http://")


def test_the_authority_can_be_had_before_the_first_start() -> None:
    with program() as made:
        told = made.told("ca").splitlines()
        again = made.told("ca").splitlines()
        assert told == again
        assert Path(told[0]).read_text().startswith("-----BEGIN CERTIFICATE-----")
        assert re.fullmatch(r"good until   \d{4}-\d\d-\d\d", told[1])
        assert re.fullmatch(r"SHA-256      ([0-9A-F]{2}:){31}[0-9A-F]{2}", told[2])
        assert "merchant.wish.com, china-merchant.wish.com" in told[3]


@pytest.mark.parametrize(
    ("words", "settings", "says"),
    [
        (["serve", "--tls"], {"mode": "production"}, "TRADEPOST_TLS: production is reached through a proxy"),
        (["serve"], {"mode": "production", "tls": "true"}, "TRADEPOST_TLS: production is reached through a proxy"),
        (["ca"], {"tls_hosts": '["-"]'}, "TRADEPOST_TLS_HOSTS: '-' is no host name"),
        (["ca"], {"tls_hosts": '["*.wish.com"]'}, "TRADEPOST_TLS_HOSTS: '*.wish.com' is no host name"),
    ],
)
def test_what_cannot_be_is_told_in_words(words: list[str], settings: dict[str, str], says: str) -> None:
    with program() as made:
        done = made.run(*words, **settings)
        assert done.returncode == 1
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_other_names_need_another_authority() -> None:
    with program() as made:
        made.told("ca")
        done = made.run("ca", tls_hosts='["shop.example"]')
        assert done.returncode == 1
        assert "was not made for shop.example. Remove " in done.stderr
