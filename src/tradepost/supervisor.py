"""The one process that owns the embedded database and keeps the web processes and the worker running.

It starts the database, then its children, starts again whatever dies, and on SIGTERM, SIGINT or SIGHUP stops
everything in the opposite order. It does not know what its children do: they are commands with descriptors to
inherit. A web server must be such a child and never this process, because servers like to end the process
that runs them.

Nothing is polled: signals arrive on a wakeup descriptor, the ends of processes on pidfds.

A supervisor that is killed cannot stop anybody. Therefore every child inherits the reading end of a pipe that
only the supervisor can write to, and whose number stands in TRADEPOST_PARENT_PIPE. When it ends, the
supervisor is gone and the child has to stop by itself: `wait_for_parent_end` for asyncio, `stop_with_parent`
for everybody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import selectors
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from tradepost.storage.embedded import EmbeddedPostgres, EmbeddedPostgresError

PARENT_PIPE = "TRADEPOST_PARENT_PIPE"

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOG_CHECK = 60.0  # seconds between two looks at the size of the database's log


@dataclass(frozen=True)
class Child:
    """A command to keep running.

    `name` is for the log. `pass_fds` are inheritable copies of our descriptors, listening sockets as a rule,
    under the same numbers. `env` is added to our own environment.
    """

    name: str
    argv: Sequence[str]
    pass_fds: Sequence[int] = ()
    env: Mapping[str, str] | None = None


class Supervisor:
    """Runs a database and children until it is told to stop; good for one `run` in the main thread."""

    def __init__(
        self,
        children: Sequence[Child],
        database: EmbeddedPostgres | None,
        grace: float = 30.0,
        log: Callable[[str], None] | None = None,
        on_started: Callable[[str, int], None] | None = None,
    ) -> None:
        """`database` is None when it runs elsewhere.

        `grace` is how many seconds children have between SIGTERM and SIGKILL. `log` takes one line of text
        (default: standard error). `on_started` is told the name and process id of each child that was
        started, restarts too.
        """
        self._database = database
        self._grace = grace
        self._log = log or _to_stderr
        self._on_started = on_started
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._database_pause = _Backoff()
        self._database_due: float | None = None
        self._database_end: int | None = None
        self._children = [_Running(child) for child in children]
        self._pipe_read, self._pipe_write = -1, -1

    def run(self) -> int:
        """Block until a stop signal has been carried out; returns the exit code 0.

        Raises EmbeddedPostgresError if the database cannot be started the first time, with nothing left
        running. Later failures of the database or of a child are logged and tried again.
        """
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(self._selector.close)
            self._listen_to_signals(cleanup)
            self._pipe_read, self._pipe_write = os.pipe()
            cleanup.callback(os.close, self._pipe_read)
            cleanup.callback(os.close, self._pipe_write)
            cleanup.callback(self._stop_database)
            cleanup.callback(self._stop_children)
            try:
                self._start_database()
            except EmbeddedPostgresError:
                if not self._stopping:
                    raise
            for running in self._children:
                running.due = time.monotonic()
            while not self._stopping:
                self._turn()
        return 0

    def _turn(self) -> None:
        """Start what is due, then sleep until something happens."""
        now = time.monotonic()
        if self._database_due is not None and self._database_due <= now:
            self._restart_database()
        for running in self._children:
            if running.due is not None and running.due <= now and not self._stopping:
                self._start_child(running)
        moments = [self._database_due, *(running.due for running in self._children)]
        dues = [moment for moment in moments if moment is not None]
        timeout = max(0.0, min(dues) - time.monotonic()) if dues else _LOG_CHECK
        for key, _ in self._selector.select(min(timeout, _LOG_CHECK)):
            key.data()
        if os.getpid() == 1:
            self._bury_strangers()
        if self._database is not None:
            self._database.trim_log()

    # -- signals

    def _listen_to_signals(self, cleanup: contextlib.ExitStack) -> None:
        """Every signal with a handler writes its number to a socket, so that a select can wait for it."""
        inbox, outbox = socket.socketpair()
        for end in (inbox, outbox):
            end.setblocking(False)
            cleanup.callback(end.close)
        numbers = [*_STOP_SIGNALS, signal.SIGCHLD] if os.getpid() == 1 else [*_STOP_SIGNALS]
        for number in numbers:
            cleanup.callback(signal.signal, number, signal.signal(number, self._note_signal))
        before = signal.set_wakeup_fd(outbox.fileno(), warn_on_full_buffer=False)
        cleanup.callback(signal.set_wakeup_fd, before)
        self._selector.register(inbox, selectors.EVENT_READ, lambda: _drain(inbox))

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        if number in _STOP_SIGNALS:
            self._stopping = True

    def _bury_strangers(self) -> None:
        """As the first process of a container we inherit orphans: the backends of a killed postmaster."""
        ours = {running.process.pid for running in self._children if running.process is not None}
        if self._database is not None and (pid := self._database.pid) is not None:
            ours.add(pid)
        with contextlib.suppress(ChildProcessError):
            while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if dead.si_pid in ours:
                    return  # its own pidfd wakes us for it, and then we come back here
                os.waitpid(dead.si_pid, 0)

    # -- database

    def _start_database(self) -> None:
        if self._database is None:
            return
        self._database_due = None
        self._database_pause.started()
        self._database.start(abort=lambda: self._stopping)
        self._database_end = self._database.watch()
        if self._database_end is None:  # dead again already
            self._database_due = self._database_pause.next_start()
        else:
            self._selector.register(self._database_end, selectors.EVENT_READ, self._database_ended)

    def _database_ended(self) -> None:
        self._forget_database()
        self._database_due = self._database_pause.next_start()
        self._log("the database has ended; it is started again")

    def _restart_database(self) -> None:
        """Takes as long as recovery does; children that die meanwhile could do nothing without it."""
        try:
            self._start_database()
        except EmbeddedPostgresError as error:
            if not self._stopping:
                self._log(f"the database cannot be started again yet: {error}")
                self._database_due = self._database_pause.next_start()

    def _forget_database(self) -> None:
        if self._database_end is not None:
            self._selector.unregister(self._database_end)
            os.close(self._database_end)
            self._database_end = None

    def _stop_database(self) -> None:
        self._forget_database()
        if self._database is not None:
            self._database.stop()

    # -- children

    def _start_child(self, running: _Running) -> None:
        child = running.child
        environment = {**os.environ, **(child.env or {}), PARENT_PIPE: str(self._pipe_read)}
        running.due = None
        running.pause.started()
        try:
            # A session of its own: Ctrl-C in the terminal reaches us alone, and we can end what a child
            # leaves behind.
            process = subprocess.Popen(
                child.argv,
                env=environment,
                pass_fds=(*child.pass_fds, self._pipe_read),
                start_new_session=True,
            )
        except OSError as error:
            running.due = running.pause.next_start()
            self._log(f"{child.name} cannot be started: {error}")
            return
        running.process = process
        running.end = os.pidfd_open(process.pid)
        self._selector.register(running.end, selectors.EVENT_READ, lambda: self._child_ended(running))
        if self._on_started is not None:
            self._on_started(child.name, process.pid)

    def _child_ended(self, running: _Running) -> None:
        code = self._bury(running)
        running.due = running.pause.next_start()
        wait = max(0.0, running.due - time.monotonic())
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"has ended with code {code}"
        later = f" in {wait:.1f} s" if wait > 0.05 else ""
        self._log(f"{running.child.name} {how}; it is started again{later}")

    def _bury(self, running: _Running) -> int:
        """End what is left of a child's session and take its exit code."""
        process = running.process
        assert process is not None
        # Before the wait: only an unburied child guarantees that the group id is still its own.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        self._selector.unregister(running.end)
        os.close(running.end)
        running.process = None
        return code

    def _stop_children(self) -> None:
        alive = [running for running in self._children if running.process is not None]
        for running in alive:
            signal.pidfd_send_signal(running.end, signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        waiting = {running.end: running for running in alive}
        while waiting:
            ended = _readable(list(waiting), deadline - time.monotonic())
            for end in ended or list(waiting):
                running = waiting.pop(end)
                if not ended:
                    self._log(f"{running.child.name} did not stop within {self._grace:g} s and is killed")
                self._bury(running)


class _Backoff:
    """When to start something again: at once, then after growing pauses, until it has run for a while."""

    _FIRST, _LONGEST, _A_WHILE = 0.25, 5.0, 10.0  # seconds

    def __init__(self) -> None:
        self._pause = 0.0
        self._started_at = 0.0

    def started(self) -> None:
        self._started_at = time.monotonic()

    def next_start(self) -> float:
        """The moment (of the monotonic clock) for the next attempt, now that the last one has ended."""
        now = time.monotonic()
        if now - self._started_at >= self._A_WHILE:
            self._pause = 0.0
        due = now + self._pause
        self._pause = min(max(self._FIRST, self._pause * 2), self._LONGEST)
        return due


class _Running:
    """A child, and its process with the pidfd that reports its end, or when it is due to start."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.pause = _Backoff()
        self.process: subprocess.Popen[bytes] | None = None
        self.end = -1
        self.due: float | None = None


def _drain(inbox: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        inbox.recv(4096)


def _readable(descriptors: Sequence[int], seconds: float) -> list[int]:
    poll = select.poll()  # select itself refuses descriptors over 1023
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)]


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"tradepost: {line}\n")
    sys.stderr.flush()


def parent_gone_fd() -> int | None:
    """For a child: a descriptor that is readable once the supervisor is gone; None without a supervisor.

    It belongs to the whole process: do not read it and do not close it.
    """
    number = os.environ.get(PARENT_PIPE, "")
    if not number.isdigit():
        return None
    try:
        found = os.fstat(int(number))
    except OSError:
        return None  # the variable came down to a grandchild, the descriptor did not
    return int(number) if stat.S_ISFIFO(found.st_mode) else None


async def wait_for_parent_end() -> None:
    """For an asyncio child: returns when the supervisor is gone; never if there is no supervisor."""
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[None] = loop.create_future()
    descriptor = parent_gone_fd()
    if descriptor is None:
        await gone
        return
    own = os.dup(descriptor)  # a loop takes one reader per descriptor, and there may be other waiters

    def tell() -> None:
        loop.remove_reader(own)
        if not gone.done():
            gone.set_result(None)

    loop.add_reader(own, tell)
    try:
        await gone
    finally:
        loop.remove_reader(own)
        os.close(own)


def stop_with_parent(callback: Callable[[], Any] | None = None) -> None:
    """For any other child: call `callback` from a background thread when the supervisor is gone.

    Without a callback the process sends itself SIGTERM, so that it stops as if the supervisor had asked for
    it. Does nothing if there is no supervisor.
    """
    descriptor = parent_gone_fd()
    if descriptor is None:
        return

    def wait() -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll()
        if callback is not None:
            callback()
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="stop-with-parent", daemon=True).start()
