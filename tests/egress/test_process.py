"""The guard as a process: asked over a socket, ended with whoever started it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.outside import Host, host
from tests.support.program import SOURCE, alive, descriptors_of, wait_until
from tradepost.egress.client import FetchRefused, GuardProcess, OtherSideAway

LONG = "a folder whose path is longer than the system takes for a socket " * 2


@pytest.fixture(scope="module")
def outside() -> Iterator[Host]:
    with host() as opened:
        yield opened


def environment(outside: Host, **more: str) -> dict[str, str]:
    """What the process is started with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRADEPOST_")}
    allow = f'["127.0.0.1:{outside.port}"]'
    return {
        **kept,
        "PYTHONPATH": str(SOURCE),
        "TRADEPOST_EGRESS_ALLOW": allow,
        "TRADEPOST_LOG_LEVEL": "debug",
        **more,
    }


def fetch(guarded: GuardProcess, url: str, most: int = 100_000) -> bytes:
    """What is behind a URL, through the process."""
    pieces: list[bytes] = []

    async def write(piece: bytes) -> None:
        pieces.append(piece)

    done = asyncio.run(guarded.fetch(url, most_bytes=most, seconds=30, write=write))
    assert done.size == sum(map(len, pieces))
    return b"".join(pieces)


@contextmanager
def listening(outside: Host, folder: Path, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`tradepost egress` as an operator runs it, with its socket deep below a folder."""
    path = folder / LONG / "egress.sock"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tradepost", "egress"],
            env=environment(outside, TRADEPOST_EGRESS_SOCKET=str(path), **more),
            stderr=log,
        )
    try:
        wait_until(lambda: b"egress ready" in (folder / "log").read_bytes(), 20, "the guard")
        yield process, path
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_an_operators_guard_is_asked_over_its_socket(outside: Host, tmp_path: Path) -> None:
    with listening(outside, tmp_path) as (_, path):
        guarded = GuardProcess(path)
        assert fetch(guarded, outside.url("/good?token=secret")) == b"good"
        with pytest.raises(FetchRefused):
            fetch(guarded, outside.url("/too-long"), most=100)
        with pytest.raises(FetchRefused):
            fetch(guarded, "http://169.254.169.254/latest/meta-data/?token=secret")
        with pytest.raises(OtherSideAway):
            fetch(guarded, outside.url("/down"))
        assert fetch(guarded, outside.url("/good")) == b"good"
    log = (tmp_path / "log").read_text()
    assert '"host": "169.254.169.254"' in log
    assert "secret" not in log
    with pytest.raises(OtherSideAway):
        fetch(guarded, outside.url("/good"))


@pytest.mark.parametrize("setting", ["PUBLIC_URL", "WISHPOST_PUBLIC_URL"])
def test_nobody_is_led_back_to_our_own_services(outside: Host, tmp_path: Path, setting: str) -> None:
    """Not even where an operator allows the address."""
    own = outside.url("").rstrip("/")
    with listening(outside, tmp_path, **{f"TRADEPOST_{setting}": own}) as (_, path), pytest.raises(FetchRefused):
        fetch(GuardProcess(path), outside.url("/good"))


def test_who_does_not_ask_properly_is_let_go(outside: Host, tmp_path: Path) -> None:
    from tradepost.egress.sockets import connect_socket

    with listening(outside, tmp_path) as (_, path):
        for asked in (b"nonsense\n", b'{"url": 1}\n', b"x" * 100_000 + b"\n", b""):
            with connect_socket(path) as opened:
                opened.setblocking(True)
                try:
                    opened.sendall(asked)
                    opened.shutdown(1)
                    assert opened.recv(100) == b""
                except ConnectionError:
                    pass
        assert fetch(GuardProcess(path), outside.url("/good")) == b"good"


def test_a_question_is_taken_back_by_leaving(outside: Host, tmp_path: Path) -> None:
    """Whoever is cancelled leaves nothing that goes on fetching."""

    async def leave(path: Path) -> None:
        async def write(piece: bytes) -> None:
            raise ValueError("enough")

        with pytest.raises(ValueError, match="enough"):
            await GuardProcess(path).fetch(outside.url("/endless"), most_bytes=1 << 30, seconds=60, write=write)

    with listening(outside, tmp_path) as (process, path):
        asyncio.run(leave(path))

        def connections() -> int:
            return sum(opened.startswith("socket:") for opened in descriptors_of(process.pid))

        wait_until(lambda: connections() <= 4, 10, "the end of the fetch")


def test_a_guard_of_ones_own_is_started_anew_and_ends_with_us(
    outside: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(outside).items():
        monkeypatch.setenv(name, value)
    guarded = GuardProcess(None)
    try:
        assert fetch(guarded, outside.url("/good")) == b"good"
        assert guarded._process is not None
        first = guarded._process.pid
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: not alive(first))
        for _ in range(3):  # who asks meanwhile asks again
            try:
                found = fetch(guarded, outside.url("/good"))
                break
            except OtherSideAway:
                continue
        assert found == b"good"
        assert guarded._process.pid != first
        last = guarded._process.pid
    finally:
        guarded.close()
    assert not alive(last)


def test_a_guard_does_not_outlive_a_worker_that_is_killed(outside: Host, tmp_path: Path) -> None:
    asking = (
        "import asyncio, time\n"
        "from tradepost.egress.client import GuardProcess\n"
        "guarded = GuardProcess(None)\n"
        "async def write(piece): pass\n"
        f"asyncio.run(guarded.fetch({outside.url('/good')!r}, most_bytes=100, seconds=30, write=write))\n"
        "print(guarded._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", asking], env=environment(outside), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert worker.stdout is not None
    with worker.stdout:
        guard = int(worker.stdout.readline())
    assert alive(guard)
    worker.kill()
    worker.wait()
    wait_until(lambda: not alive(guard), 10, "the end of the guard")
