"""Unix sockets at paths of any length: the system takes 107 bytes, a data folder may lie deeper."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BACKLOG = 256


def bind_socket(path: Path) -> socket.socket:
    """A socket that listens at a path, in place of one that somebody left there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as name:
            opened.bind(name)
        path.chmod(0o660)
        opened.listen(BACKLOG)
    except BaseException:
        opened.close()
        raise
    return opened


def connect_socket(path: Path) -> socket.socket:
    """A connection to whoever listens at a path; raises OSError where nobody does."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.settimeout(1.0)
        with _short(path) as name:
            opened.connect(name)
        opened.setblocking(False)
    except BaseException:
        opened.close()
        raise
    return opened


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """The same path by way of a descriptor of its folder."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
