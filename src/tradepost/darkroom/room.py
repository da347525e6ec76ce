"""The process that pictures are made in: it forks for each, and each has limits that it cannot leave.

    python -m tradepost.darkroom.room NUMBER

speaks over the socket of that number: in comes a line of JSON (formats, size) and the bytes of a picture; out comes
a line (what became of it, sizes) and the bytes of ours. It ends when the other end is closed.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import warnings
from io import BufferedRWPair
from typing import Final

import msgspec

from tradepost.darkroom.developing import Developed, Undevelopable, develop
from tradepost.darkroom.order import SECONDS, Order, Outcome
from tradepost.inside import keep_room, settle_in

MEMORY_BYTES: Final = 512 << 20
_OUTPUT_BYTES: Final = 64 << 20
_DESCRIPTORS: Final = 32


def main(number: int) -> None:
    """Make pictures until nobody asks any more."""
    settle_in()
    warnings.simplefilter("ignore")  # what a decoder thinks of somebody's picture is no news
    keep_room(number, lambda line: _order(line).size, _make)


def _order(line: bytes) -> Order:
    return msgspec.json.decode(line, type=Order)


def _make(line: bytes, data: bytes, stream: BufferedRWPair) -> None:
    """Make one picture in a process of its own and hand it on, or say that it came to nothing."""
    order = _order(line)
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
