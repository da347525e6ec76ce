"""The process of the PostgreSQL that comes with the product: found by its pid file, ended by signals."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from pathlib import Path

from tradepost.storage.embedded_home import Home

_TELL_AGAIN = 0.5


def ends(server: int, how: signal.Signals, seconds: float) -> bool:
    """Whether a server, given by its descriptor, ends in time when it is told to, again and again.

    One that has only just begun may not listen yet: where we were started with SIGINT ignored, as shells start what
    runs in the background, it is lost on it. One that is on its way down takes no notice of further ones.
    """
    ended = select.poll()
    ended.register(server, select.POLLIN)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(server, how)
        if ended.poll(_TELL_AGAIN * 1000):
            return True
    return False


def pid_file(home: Home) -> list[str]:
    """The lines of postmaster.pid (pid, data folder, start, port, socket folder, ...), none without it."""
    try:
        return (home.cluster / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def noted_pid(home: Home) -> int | None:
    """The pid in the pid file, whoever has it now."""
    lines = pid_file(home)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def living_postmaster(home: Home) -> int | None:
    """The pid in the pid file, if that process is a postmaster at work in this very cluster.

    A stranger has another name or another working directory; a backend of ours has rewritten its name; of a
    zombie nothing can be read.
    """
    pid = noted_pid(home)
    if pid is None:
        return None
    try:
        program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
        at_home = os.path.samefile(f"/proc/{pid}/cwd", home.cluster)
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return None
    return pid if at_home and os.path.basename(program) in (b"postgres", b"postmaster") else None
