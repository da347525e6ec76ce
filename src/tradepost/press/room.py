"""The process that labels are printed in.

    python -m tradepost.press.room NUMBER

speaks over the socket of that number: in comes a line of JSON (the size of what follows) and the sheets to print,
in JSON as well; out comes a line (the size of the file) and the file. It ends when the other end is closed.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Final

import msgspec

from tradepost.press.label import Sheets
from tradepost.press.printing import Printer
from tradepost.press.typeface import Typeface

NICENESS: Final = 5


class Order(msgspec.Struct, frozen=True):
    """How many bytes follow."""

    size: int


def main(number: int) -> None:
    """Print until nobody asks any more."""
    os.nice(NICENESS)
    # Whoever presses Ctrl-C means the process that asks; its end is ours.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    printer = Printer(Typeface())
    with socket.socket(fileno=number) as opened, opened.makefile("rwb") as stream, suppress(BrokenPipeError):
        while line := stream.readline():
            order = msgspec.json.decode(line, type=Order)
            data = stream.read(order.size)
            if len(data) < order.size:
                return
            made = printer.pdf(msgspec.json.decode(data, type=Sheets))
            stream.write(msgspec.json.encode(Order(len(made))) + b"\n" + made)
            stream.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
