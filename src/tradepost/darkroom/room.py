"""The process that pictures are made in: it forks for each, and each has limits that it cannot leave.

    python -m tradepost.darkroom.room NUMBER

speaks over the socket of that number: in comes a line of JSON (formats, size) and the bytes of a picture; out comes
a line (what became of it, sizes) and the bytes of ours. It ends when the other end is closed.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import warnings
from contextlib import suppress
from typing import Any, BinaryIO, Final

import msgspec

from tradepost.darkroom.developing import Developed, Undevelopable, develop

MEMORY_BYTES: Final = 512 << 20
SECONDS: Final = 10
_OUTPUT_BYTES: Final = 64 << 20
_DESCRIPTORS: Final = 32
NICENESS: Final = 5


class Order(msgspec.Struct, frozen=True):
    """What is to be made of the bytes that follow."""

    formats: tuple[str, ...]
    size: int


class Outcome(msgspec.Struct, frozen=True):
    """What became of a picture: a reason where nothing did, otherwise what it is and how many bytes follow."""

    reason: str = ""
    extension: str = ""
    width: int = 0
    height: int = 0
    picture: int = 0
    small: int = 0


def main(number: int) -> None:
    """Make pictures until nobody asks any more."""
    os.nice(NICENESS)
    warnings.simplefilter("ignore")  # what a decoder thinks of somebody's picture is no news
    # Whoever presses Ctrl-C means the process that asks; its end is ours.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=number) as opened, opened.makefile("rwb") as stream, suppress(BrokenPipeError):
        while line := stream.readline():
            order = msgspec.json.decode(line, type=Order)
            data = stream.read(order.size)
            if len(data) < order.size:
                return
            _make(order, data, stream)
            stream.flush()


def _make(order: Order, data: bytes, stream: BinaryIO | Any) -> None:
    """Make one picture in a process of its own and hand it on, or say that it came to nothing."""
    result = os.memfd_create("picture")
    try:
        child = os.fork()
        if child == 0:
            _developed_within_limits(order, data, result)
        _, status = os.waitpid(child, 0)
        if status != 0:  # out of time or memory, or a fault of a decoder
            stream.write(msgspec.json.encode(Outcome(reason="too_large")) + b"\n")
            return
        os.lseek(result, 0, os.SEEK_SET)
        with open(result, "rb", closefd=False) as made:
            stream.write(made.read())
    finally:
        os.close(result)


def _developed_within_limits(order: Order, data: bytes, result: int) -> None:
    """The life of the child: never returns."""
    status = 1
    try:
        for limit, most in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_CPU, SECONDS),
            (resource.RLIMIT_FSIZE, _OUTPUT_BYTES),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, _DESCRIPTORS),
        ):
            resource.setrlimit(limit, (most, most))
        signal.alarm(SECONDS)  # the default is to end the process
        with open(result, "wb", closefd=False) as made:
            try:
                done = develop(data, order.formats)
            except Undevelopable as error:
                made.write(msgspec.json.encode(Outcome(reason=error.reason)) + b"\n")
            else:
                made.write(msgspec.json.encode(_outcome(done)) + b"\n" + done.picture + done.small)
        status = 0
    finally:
        os._exit(status)


def _outcome(done: Developed) -> Outcome:
    return Outcome("", done.extension, done.width, done.height, len(done.picture), len(done.small))


if __name__ == "__main__":
    main(int(sys.argv[1]))
