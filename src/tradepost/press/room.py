"""The process that labels are printed in.

    python -m tradepost.press.room NUMBER

speaks over the socket of that number: in comes a line of JSON (the size of what follows) and the sheets to print,
in JSON as well; out comes a line (the size of the file) and the file. It ends when the other end is closed.
"""

from __future__ import annotations

import sys
from io import BufferedRWPair

import msgspec

from tradepost.inside import keep_room, settle_in
from tradepost.press.label import Order, Sheets
from tradepost.press.printing import Printer
from tradepost.press.typeface import Typeface


def main(number: int) -> None:
    """Print until nobody asks any more."""
    settle_in()
    printer = Printer(Typeface())

    def make(line: bytes, data: bytes, stream: BufferedRWPair) -> None:
        made = printer.pdf(msgspec.json.decode(data, type=Sheets))
        stream.write(msgspec.json.encode(Order(len(made))) + b"\n" + made)

    keep_room(number, lambda line: msgspec.json.decode(line, type=Order).size, make)


if __name__ == "__main__":
    main(int(sys.argv[1]))
