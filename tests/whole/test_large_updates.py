"""The largest updates there are, over real sockets: they pass at the limit, and do not pile up in memory."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.support.program import Client, Program, Reply, serving, wait_until
from tradepost.domain.bulk_updates import MOST_ROWS

UPDATE = "/api/v2/variant/bulk-sku-update"
LIMIT = 64 << 20
MOST_GROWTH_MIB = 64
"""Of a server process that reads three bodies of 45 MB, two of them at the same time."""


@pytest.fixture(scope="module")
def running() -> Iterator[Program]:
    """A sandbox of its own."""
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def token(running: Program) -> str:
    """The token of a shop in it."""
    return running.credentials()["merchants"][0]["access_token"]


def updates(rows: int, sku_length: int, alphabet: str = "abc") -> bytes:
    """A form with so many rows, escaped as clients escape it."""
    filling = (alphabet * sku_length)[: sku_length - 6]
    listed = [{"sku": f"{filling}{n:06d}", "inventory": n % 500} for n in range(rows)]
    return b"updates=" + quote(json.dumps(listed, ensure_ascii=False), safe="").encode()


def send(running: Program, token: str, body: bytes) -> Reply:
    """POST a body on a connection of its own."""
    with Client(running.merchant, token, timeout=90) as client:
        return client.post_body(UPDATE, body)


def high_water_mib(pid: int) -> float:
    """The most memory that a process has held."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found.group(1)) / 1024


def test_100_000_rows_with_skus_of_50_characters_pass(running: Program, token: str) -> None:
    reply = send(running, token, updates(MOST_ROWS, 50))
    assert reply.status == 200, reply.body
    job_id = reply.json["data"]["job_id"]
    with Client(running.merchant, token) as client:

        def ended() -> bool:
            data = client.get(f"/api/v2/variant/get-bulk-update-job-status?job_id={job_id}").json["data"]
            return bool(data["state"] == "FINISHED")

        wait_until(ended, 60, "the end of the update")
        failures = client.get(f"/api/v2/variant/get-bulk-update-job-failures?job_id={job_id}&start=99999").json
    assert [error["error_code"] for error in failures["data"]["errors"]] == [29]


def test_one_row_more_is_refused(running: Program, token: str) -> None:
    reply = send(running, token, updates(MOST_ROWS + 1, 8))
    assert (reply.status, reply.json["code"], reply.json["data"]) == (400, 1000, "updates")
    assert "100000" in reply.json["message"].replace(",", "")


def test_a_body_over_the_limit_is_refused_and_the_connection_survives(running: Program, token: str) -> None:
    with Client(running.merchant, token, timeout=90) as client:
        reply = client.post_body(UPDATE, b"updates=" + b" " * LIMIT)
        assert (reply.status, reply.json["code"]) == (413, 4013)
        assert client.get("/api/v2/auth_test").status == 200


def test_malformed_json_is_refused_with_its_place(running: Program, token: str) -> None:
    rows = [f'{{"sku": "a{n}", "inventory": {n}}}' for n in range(50_000)]
    rows[40_000] = '{"sku": "a40000", "inventory": NaN}'
    reply = send(running, token, b"updates=" + quote("[" + ",\n".join(rows) + "]", safe="").encode())
    assert (reply.status, reply.json["code"], reply.json["data"]) == (400, 1000, "updates")
    assert re.search(r"line 40001, column \d+", reply.json["message"]), reply.json


def test_three_at_once_are_not_held_in_memory(running: Program, token: str) -> None:
    """The largest there can be: 50 Chinese characters a SKU, 46 MB escaped."""
    body = updates(MOST_ROWS, 50, "戒指")
    assert 40 << 20 < len(body) < LIMIT
    (pid,) = running.web_pids()
    before = high_water_mib(pid)
    replies: list[Reply] = []
    senders = [threading.Thread(target=lambda: replies.append(send(running, token, body))) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert [reply.status for reply in replies] == [200] * 3
    growth = high_water_mib(pid) - before
    print(f"three bodies of {len(body) >> 20} MiB: {growth:.0f} MiB more")
    assert growth < MOST_GROWTH_MIB


def test_strangers_who_send_slowly_keep_nobody_waiting(running: Program, token: str) -> None:
    """Invented tokens are refused before their bodies come, and small updates wait for no turn."""
    host = urlsplit(running.merchant).netloc
    address = (host.partition(":")[0], int(host.partition(":")[2]))
    head = (
        f"POST {UPDATE} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2000000\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n{token}\r\nupdates=%5B"
    )
    with ExitStack() as stack:
        known = [stack.enter_context(socket.create_connection(address, timeout=20)) for _ in range(4)]
        for number, opened in enumerate(known):
            opened.sendall(head.format(token=f"Authorization: Bearer nobody{number}\r\n").encode())
            assert b" 401 " in opened.recv(4096).split(b"\r\n", 1)[0]
        for _ in range(4):  # these could be anybody, and have two turns together
            stack.enter_context(socket.create_connection(address, timeout=20)).sendall(
                head.format(token="").encode()
            )
        assert send(running, token, updates(10, 8)).status == 200
        assert send(running, token, updates(20_000, 50)).status == 200
