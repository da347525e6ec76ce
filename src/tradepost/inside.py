"""The inside of a room of `rooms.py`: a process that makes one thing after the other until nobody asks any more."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from io import BufferedRWPair
from typing import Final

NICENESS: Final = 5


def settle_in() -> None:
    """Step back behind whoever asks; to be called before anything that takes time."""
    os.nice(NICENESS)
    # Whoever presses Ctrl-C means the process that asks; its end is ours.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def keep_room(
    number: int, size_of: Callable[[bytes], int], make: Callable[[bytes, bytes, BufferedRWPair], None]
) -> None:
    """Answer over the socket of that number until its other end is closed.

    In comes a line, by which `size_of` tells how many bytes follow; `make` takes both and writes the answer.
    """
    with socket.socket(fileno=number) as opened, opened.makefile("rwb") as stream, suppress(BrokenPipeError):
        while line := stream.readline():
            size = size_of(line)
            data = stream.read(size)
            if len(data) < size:
                return
            make(line, data, stream)
            stream.flush()
