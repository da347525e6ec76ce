"""The program as its users have it: started from a shell, asked over HTTP, stopped by a signal.

Nothing of the program is imported to run it; only the folder of its embedded database is found with the
program's own class, because a test has to kill that database too. Every process that is started here is ended
by its id, whatever the test did to it.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.support.answer import Answer
from tests.support.database import data_folder
from tradepost.storage.embedded import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
START_SECONDS = 60.0
STOP_SECONDS = 120.0
_ADDRESS = re.compile(r"^(Merchant service|WishPost) +(http://\S+)$", re.MULTILINE)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_log_numbers = itertools.count(1)


def wait_until(condition: Callable[[], bool], seconds: float = 20.0, what: str = "it") -> None:
    """Ask again and again, at most so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} never happened"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid: int) -> list[int]:
    """The children of a process, by whichever of its threads."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def descriptors_of(pid: int) -> list[str]:
    """What a process has open, such as `socket:[4711]`; what it closes meanwhile is left out."""
    found: list[str] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.append(os.readlink(entry))
    return found


def kill(*pids: int) -> None:
    """Kill processes that may be gone already."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def resident_mib(pid: int) -> float:
    """The memory that a process holds at the moment."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found.group(1)) / 1024


Reply = Answer


class Client:
    """One kept-alive connection to one address; anything but a complete answer is an OSError or HTTPException."""

    def __init__(self, url: str, token: str | None = None, timeout: float = 30.0) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
        self._token = token

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def local_port(self) -> int | None:
        """Our end of the connection, once there is one."""
        opened = self._connection.sock
        return None if opened is None else int(opened.getsockname()[1])

    def get(self, path: str, token: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """GET a path with its query."""
        return self._ask("GET", path, None, {**self._bearer(token), **(headers or {})})

    def post(self, path: str, form: Mapping[str, object], token: str | None = None) -> Reply:
        """POST a form."""
        return self.post_body(path, urlencode({name: str(value) for name, value in form.items()}).encode(), token)

    def post_body(self, path: str, body: bytes, token: str | None = None) -> Reply:
        """POST a form that is encoded already."""
        return self._ask("POST", path, body, {**self._bearer(token), **_FORM})

    def post_json(self, path: str, value: object, headers: Mapping[str, str] | None = None) -> Reply:
        """POST a JSON value."""
        kind = {"Content-Type": "application/json", **(headers or {})}
        return self._ask("POST", path, json.dumps(value).encode(), {**self._bearer(None), **kind})

    def head(self, path: str) -> Reply:
        """HEAD of a path with its query."""
        return self._ask("HEAD", path, None, self._bearer(None))

    def delete(self, path: str) -> Reply:
        """DELETE a path with its query."""
        return self._ask("DELETE", path, None, self._bearer(None))

    def close(self) -> None:
        """Close the connection; the next call opens another one."""
        self._connection.close()

    def _bearer(self, token: str | None) -> dict[str, str]:
        used = token or self._token
        return {} if used is None else {"Authorization": f"Bearer {used}"}

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        try:
            self._connection.request(method, path, body, dict(headers))
            answer = self._connection.getresponse()
            text = answer.read()
        except BaseException:
            self._connection.close()
            raise
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)


class Program:
    """`tradepost serve` on one data folder; it may be started, stopped and killed any number of times."""

    def __init__(self, folder: Path, *arguments: str, spoiled: str | None = None, **settings: object) -> None:
        """`settings` are those of the program by their names, such as rate_limits="…".

        `spoiled` names a function of `tests.support.spoiled` that every process calls before anything else: it
        takes one protection of the program away, so that a test can show that it would notice.
        """
        self.folder = folder
        self.embedded = EmbeddedPostgres(folder / "postgres")
        self.merchant = self.wishpost = ""
        self._arguments = arguments
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TRADEPOST_")},
            "PYTHONPATH": str(SOURCE) if spoiled is None else _spoiling(folder / "spoiled", spoiled),
            "TRADEPOST_DATA": str(folder),
            "TRADEPOST_PORT": "0",
            "TRADEPOST_WISHPOST_PORT": "0",
            **{f"TRADEPOST_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []
        self._log_number = 0
        self._cast: tuple[list[int], str] | None = None

    @property
    def pid(self) -> int:
        """The process that was started: the supervisor."""
        assert self._process is not None, "it was not started"
        return self._process.pid

    @property
    def printed(self) -> str:
        """What this start has printed so far."""
        return self._log("out").read_text(encoding="utf-8")

    @property
    def complaints(self) -> str:
        """What this start has written to standard error so far."""
        return self._log("err").read_text(encoding="utf-8")

    def launch(self) -> None:
        """Start it and do not wait."""
        self._log_number = next(_log_numbers)
        with self._log("out").open("wb") as out, self._log("err").open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tradepost", "serve", *self._arguments],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip

    def start_worker(self, log: Path) -> subprocess.Popen[bytes]:
        """One more `tradepost work` on the same folder, which writes to a log of its own."""
        public = {"TRADEPOST_PUBLIC_URL": self.merchant, "TRADEPOST_WISHPOST_PUBLIC_URL": self.wishpost}
        environment = {**public, **self._environment}
        with log.open("wb") as opened:
            started = subprocess.Popen(
                [sys.executable, "-m", "tradepost", "work"], env=environment,
                stdin=subprocess.DEVNULL, stdout=opened, stderr=opened, start_new_session=True,
            )  # fmt: skip
        self._workers.append(started)
        return started

    def start(self) -> Program:
        """Start it, read the addresses that it prints, and wait until both are ready."""
        self.launch()
        assert self._process is not None
        ended = self._process.poll
        wait_until(lambda: len(self._addresses()) == 2 or ended() is not None, START_SECONDS, "the start")
        assert ended() is None, self.complaints
        found = self._addresses()
        self.merchant, self.wishpost = found["Merchant service"], found["WishPost"]
        wait_until(self.is_ready, START_SECONDS, "readiness")
        return self

    def stop(self) -> int:
        """Stop it as a service manager does; gives the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)

    def wait(self, seconds: float) -> int:
        """Wait for it to end by itself; gives the exit status."""
        assert self._process is not None
        return self._process.wait(seconds)

    def run(self, *words: str, **settings: object) -> subprocess.CompletedProcess[str]:
        """Another verb of the program in the same folder."""
        more = {f"TRADEPOST_{name.upper()}": str(value) for name, value in settings.items()}
        return subprocess.run(
            [sys.executable, "-m", "tradepost", *words], env={**self._environment, **more},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def told(self, *words: str) -> str:
        """What another verb prints, which has to succeed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def credentials(self) -> dict[str, list[dict[str, str]]]:
        """The cast of the sandbox as a program reads it; asked once for as long as nobody changes it."""
        kept = [self.folder / name for name in ("sandbox.json", "serving.json")]
        stamp = [file.stat().st_mtime_ns for file in kept if file.exists()]
        if self._cast is None or self._cast[0] != stamp:
            self._cast = stamp, self.told("sandbox", "credentials", "--json")
        found: dict[str, list[dict[str, str]]] = json.loads(self._cast[1])
        return found

    def is_ready(self) -> bool:
        """Whether both services say that they are."""
        for url in (self.merchant, self.wishpost):
            try:
                with Client(url, timeout=10) as client:
                    if client.get("/readyz").status != 200:
                        return False
            except (OSError, http.client.HTTPException):
                return False
        return True

    def web_pids(self) -> list[int]:
        """The server processes that run at the moment."""
        return [pid for pid in children_of(self.pid) if b"web" in _command(pid)]

    def worker_pid(self) -> int | None:
        """The supervisor's own worker; None while it is being started again."""
        return next((pid for pid in children_of(self.pid) if b"work" in _command(pid)), None)

    def server_of(self, client: Client) -> int | None:
        """The server process that holds the other end of a connection."""
        return self.server_on(client.local_port)

    def server_on(self, port: int | None) -> int | None:
        """The server process that holds the other end of a connection from a port of ours."""
        inode = _inode(urlsplit(self.merchant).port, port)
        return next((pid for pid in self.web_pids() if inode and f"socket:[{inode}]" in descriptors_of(pid)), None)

    def one_client_each(self, token: str) -> dict[int, Client]:
        """A connection to each server process, by its id; the caller closes them."""
        found: dict[int, Client] = {}
        wanted = set(self.web_pids())
        for _ in range(500):
            client = Client(self.merchant, token)
            assert client.get("/livez").status == 200
            pid = self.server_of(client)
            if pid is None or pid in found:
                client.close()
            else:
                found[pid] = client
            if found.keys() == wanted:
                return found
        raise AssertionError(f"some server process accepts nobody: {sorted(wanted - found.keys())}")

    def everybody(self) -> list[int]:
        """All processes of the program, the supervisor first, the database with its backends last."""
        postmaster = self.embedded.pid
        database = [] if postmaster is None else [postmaster, *children_of(postmaster)]
        return [self.pid, *(pid for pid in children_of(self.pid) if pid not in database), *database]

    def kill_everything(self) -> None:
        """Kill the whole program at once, its database included, and bury it."""
        assert self._process is not None
        everybody = self.everybody()
        kill(*everybody)
        self._process.wait(STOP_SECONDS)
        wait_until(lambda: not any(map(alive, everybody)), what="the end of what was killed")

    def end(self) -> None:
        """End whatever is left, so that nothing outlives the test."""
        for worker in self._workers:
            worker.kill()
            worker.wait(STOP_SECONDS)
        if self._process is not None and self._process.poll() is None:
            self.kill_everything()

    def _addresses(self) -> dict[str, str]:
        return dict(_ADDRESS.findall(self.printed))

    def _log(self, kind: str) -> Path:
        return self.folder / f"serve-{self._log_number}.{kind}"


@contextmanager
def program(*arguments: str, spoiled: str | None = None, **settings: object) -> Iterator[Program]:
    """A program that was not started yet, in a new folder; whatever is left of it in the end is ended."""
    with data_folder() as folder:
        made = Program(folder, *arguments, spoiled=spoiled, **settings)
        try:
            yield made
        finally:
            made.end()


@contextmanager
def serving(*arguments: str, spoiled: str | None = None, **settings: object) -> Iterator[Program]:
    """A program that answers."""
    with program(*arguments, spoiled=spoiled, **settings) as made:
        yield made.start()


def _spoiling(folder: Path, name: str) -> str:
    """A search path on which Python finds, before anything is imported, what spoils the program."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"from tests.support import spoiled\n\nspoiled.{name}()\n")
    return os.pathsep.join(map(str, (folder, SOURCE, ROOT)))


def _command(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _inode(server_port: int | None, client_port: int | None) -> str | None:
    """The kernel's number of the server's end of a loopback connection."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, _, _, _, _, _, inode, *_ = line.split()
        if (int(local.split(":")[1], 16), int(remote.split(":")[1], 16)) == (server_port, client_port):
            return inode
    return None
