"""The supervisor as an operator meets it: a process to signal and kill, with real children and database."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tradepost.storage.embedded import EmbeddedPostgres
from tradepost.supervisor import parent_gone_fd

SOURCE = Path(__file__).parents[2] / "src"

# Prints what happens, one line each, for the test to read.
SUPERVISOR = """
import json, sys
from pathlib import Path
from tradepost.storage.embedded import EmbeddedPostgres
from tradepost.supervisor import Child, Supervisor

plan = json.loads(sys.argv[1])
python = [sys.executable, "-c"]
children = [Child(name, [*python, code, *plan["words"]], plan["fds"]) for name, code in plan["children"]]
database = EmbeddedPostgres(Path(plan["data"])) if plan["data"] else None
tell = lambda *words: print(*words, flush=True)
code = Supervisor(
    children, database, grace=plan["grace"], log=lambda line: tell("log", line),
    on_started=lambda name, pid: tell("started", name, pid),
).run()
tell("over")
sys.exit(code)
"""

# A child of each kind. The asyncio one reconnects for as long as it lives and says so.
ASYNC_CHILD = """
import asyncio, signal, sys
from pathlib import Path
import asyncpg
from tradepost.storage.embedded import EmbeddedPostgres
from tradepost.supervisor import wait_for_parent_end

async def query():
    arguments = EmbeddedPostgres(Path(sys.argv[1])).connection("postgres", "postgres")
    while True:
        try:
            connection = await asyncpg.connect(**arguments)
            started = await connection.fetchval("SELECT pg_postmaster_start_time()::text")
            print("connected", started, flush=True)
            while True:
                await connection.execute("SELECT 1")
                await asyncio.sleep(0.02)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await asyncio.sleep(0.02)

async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit)
    work = asyncio.create_task(query())
    await wait_for_parent_end()
    work.cancel()

asyncio.run(main())
"""
THREAD_CHILD = """
import signal
from tradepost.supervisor import stop_with_parent
stop_with_parent()
print("ready", flush=True)
signal.pause()
"""
STUBBORN_CHILD = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
helper = subprocess.Popen(["sleep", "600"])
print("stubborn", helper.pid, flush=True)
while True:
    time.sleep(600)
"""
ACCEPTING_CHILD = """
import os, socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    caller, _ = listener.accept()
    with caller:
        caller.sendall(str(os.getpid()).encode())
"""
# Takes its time over SIGTERM and needs the database until its end; SIGINT would end it at once.
BUSY_CHILD = """
import asyncio, signal, sys
from pathlib import Path
import asyncpg
from tradepost.storage.embedded import EmbeddedPostgres

async def main():
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    arguments = EmbeddedPostgres(Path(sys.argv[1])).connection("postgres", "postgres")
    connection = await asyncpg.connect(**arguments)
    print("connected", flush=True)
    await told.wait()
    await connection.execute("SELECT pg_sleep(0.3)")
    print("finished", flush=True)

asyncio.run(main())
"""
FAILING_CHILD = "raise SystemExit(3)"


class Running:
    """A supervisor in a process of its own, and the lines it and its children print."""

    def __init__(self, children: dict[str, str], data: Path | None = None, grace: float = 10.0,
                 words: tuple[str, ...] = (), fds: tuple[int, ...] = ()) -> None:  # fmt: skip
        plan = {"children": list(children.items()), "data": str(data) if data else "", "grace": grace,
                "words": [str(data)] if data else list(words), "fds": fds}  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, json.dumps(plan)], stdout=subprocess.PIPE, bufsize=0,
            pass_fds=fds,
            env={**os.environ, "PYTHONPATH": str(SOURCE)}, start_new_session=True,
        )  # fmt: skip
        self.seen: list[str] = []
        self.started: list[int] = []
        self._unread = b""

    def line(self, beginning: str, seconds: float = 20.0) -> str:
        """Read on until a line that begins so, and return it."""
        deadline = time.monotonic() + seconds
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while True:
                while b"\n" in self._unread:
                    raw, self._unread = self._unread.split(b"\n", 1)
                    self.seen.append(raw.decode())
                    if self.seen[-1].startswith("started "):
                        self.started.append(int(self.seen[-1].split()[2]))
                    if self.seen[-1].startswith(beginning):
                        return self.seen[-1]
                assert selector.select(max(0.0, deadline - time.monotonic())), (beginning, self.seen)
                chunk = os.read(self.process.stdout.fileno(), 65536)
                assert chunk, (beginning, self.seen)
                self._unread += chunk

    def pid_of(self, name: str) -> int:
        return int(self.line(f"started {name} ").split()[2])

    def end(self) -> None:
        for pid in [self.process.pid, *self.started]:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


Supervise = Callable[..., Running]


def alive(pid: int) -> bool:
    """Zombies, which wait for a busy first process of the system, count as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder that the account of the database can enter even if we are root."""
    place = Path(tempfile.mkdtemp(prefix="tradepost-test-", dir="/tmp")) if os.geteuid() == 0 else tmp_path
    place.chmod(0o755 if os.geteuid() == 0 else 0o700)
    yield place / "data"
    database = EmbeddedPostgres(place / "data")
    if (pid := database.pid) is not None:
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not database.is_running())
    if database.home is not None:
        shutil.rmtree(database.connection("", "")["host"], ignore_errors=True)
    shutil.rmtree(place)


@pytest.fixture
def supervise() -> Iterator[Supervise]:
    with contextlib.ExitStack() as stack:

        def begin(*arguments: object, **options: object) -> Running:
            running = Running(*arguments, **options)  # type: ignore[arg-type]
            stack.callback(running.end)
            return running

        yield begin


def test_killed_children_and_a_killed_database_come_back(data: Path, supervise: Supervise) -> None:
    running = supervise({"web": ASYNC_CHILD, "worker": THREAD_CHILD}, data)
    web = running.pid_of("web")
    worker = running.pid_of("worker")
    first_start = running.line("connected")
    database = EmbeddedPostgres(data)

    os.kill(worker, signal.SIGKILL)
    assert "worker was ended by SIGKILL" in running.line("log")
    worker, gone = running.pid_of("worker"), worker
    assert worker != gone

    postmaster = database.pid
    assert postmaster is not None
    os.kill(postmaster, signal.SIGKILL)
    assert running.line("connected") != first_start
    assert alive(web)
    assert alive(worker)
    assert database.pid not in (None, postmaster)

    running.process.send_signal(signal.SIGTERM)
    running.line("over")
    assert running.process.wait(10) == 0
    assert not any(map(alive, running.started))
    assert not database.is_running()
    assert not (data / "cluster" / "postmaster.pid").exists()
    assert not Path(database.connection("", "")["host"]).exists()


def test_ctrl_c_in_the_terminal_lets_the_children_finish(data: Path, supervise: Supervise) -> None:
    running = supervise({"web": BUSY_CHILD}, data)
    running.line("connected")
    os.killpg(running.process.pid, signal.SIGINT)  # as a terminal does: to everybody in the group
    running.line("finished")
    running.line("over")
    assert running.process.wait(10) == 0
    assert not EmbeddedPostgres(data).is_running()


def test_children_end_when_the_supervisor_is_killed(data: Path, supervise: Supervise) -> None:
    running = supervise({"web": ASYNC_CHILD, "worker": THREAD_CHILD}, data)
    running.pid_of("worker")
    running.line("connected")
    running.process.kill()
    wait_until(lambda: not any(map(alive, running.started)), 5.0)
    database = EmbeddedPostgres(data)
    assert database.is_running()

    again = supervise({"web": ASYNC_CHILD}, data)
    again.line("connected")
    again.process.send_signal(signal.SIGTERM)
    again.line("over")
    assert not database.is_running(), "the next supervisor owns the database it found"


def test_a_stubborn_child_is_killed_with_all_it_started(supervise: Supervise) -> None:
    running = supervise({"stubborn": STUBBORN_CHILD}, grace=0.2)
    helper = int(running.line("stubborn").split()[1])
    running.process.send_signal(signal.SIGTERM)
    assert "did not stop within 0.2 s" in running.line("log")
    running.line("over")
    wait_until(lambda: not alive(helper))
    assert not any(map(alive, running.started))


def test_a_child_that_always_fails_is_started_less_and_less_often(supervise: Supervise) -> None:
    running = supervise({"failing": FAILING_CHILD})
    moments = []
    for _ in range(4):
        running.pid_of("failing")
        moments.append(time.monotonic())
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert pauses[1] > 0.2
    assert pauses[2] > 0.45
    assert "failing has ended with code 3" in running.line("log")


def test_a_listening_socket_stays_open_while_its_server_is_replaced(tmp_path: Path, supervise: Supervise) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "listener"))
        listener.listen()
        number = listener.fileno()
        running = supervise({"web": ACCEPTING_CHILD}, words=(str(number),), fds=(number,))
        for _ in range(3):
            web = running.pid_of("web")
            with socket.socket(socket.AF_UNIX) as caller:
                caller.settimeout(20)
                caller.connect(listener.getsockname())
                assert caller.recv(20) == str(web).encode()
            os.kill(web, signal.SIGKILL)


def test_without_a_supervisor_there_is_no_end_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRADEPOST_PARENT_PIPE", raising=False)
    assert parent_gone_fd() is None
    monkeypatch.setenv("TRADEPOST_PARENT_PIPE", "0123456789")
    assert parent_gone_fd() is None
