"""From labels to a PDF file: where everything stands, and how small it is written so that it fits.

A label is a square of ten centimetres. Whatever is longer than its place is written smaller, down to a size that
can still be read, and cut there with an ellipsis; the barcode, its number and the sums are never cut.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from tradepost.press.label import Label, Line, Party, Sheets
from tradepost.press.typeface import Typeface

NAME: Final = "TradepostLabel"
SIDE: Final = 100 * mm
MARGIN: Final = 4 * mm
INNER: Final = SIDE - 2 * MARGIN
BARCODE_HEIGHT: Final = 15 * mm
MOST_BAR: Final = 0.42 * mm
"""How wide the narrowest bar is at most; long numbers have narrower ones. Scanners want a fifth of a millimetre."""
QUIET: Final = 10
"""How many narrow bars of white a barcode needs on either side."""
LEADING: Final = 1.18
LARGE: Final = 8.0
LEAST: Final = 4.5
ROW: Final = 6.0
ROWS: Final = 5
"""How many lines of goods a label shows before it counts the others."""

_LEFT: Final = MARGIN
_RIGHT: Final = SIDE - MARGIN
# From the bottom up: numbers and note, goods, addresses, barcode, heading.
_GOODS_BOTTOM: Final = 15 * mm
_GOODS_TOP: Final = 35 * mm
_ADDRESS_TOP: Final = 63 * mm
_BARCODE_TOP: Final = 84 * mm
_SPLIT: Final = 44 * mm


class Printer:
    """Prints files one after the other."""

    def __init__(self, typeface: Typeface) -> None:
        """`typeface` draws every character."""
        self._typeface = typeface

    def pdf(self, sheets: Sheets) -> bytes:
        """The file; the same labels give the same bytes."""
        labels = [self._shown(label) for label in sheets.labels]
        font = TTFont(NAME, io.BytesIO(self._typeface.font(_texts(labels), NAME)))
        # The library knows fonts by their names and keeps the first of a name, also for the next file.
        pdfmetrics.registerFont(font)
        try:
            return _file(labels, A4 if sheets.size == "A4" else (SIDE, SIDE))
        finally:
            font.unregister()

    def _shown(self, label: Label) -> Label:
        """The label with its texts as they can be drawn."""

        def shown(value: Any) -> Any:
            if isinstance(value, str):
                return self._typeface.shown(value)
            if isinstance(value, tuple):
                return tuple(shown(item) for item in value)
            if isinstance(value, Party | Line | Label):
                fields = {name: shown(getattr(value, name)) for name in value.__struct_fields__}
                return type(value)(**fields)
            return value

        made = shown(label)
        assert isinstance(made, Label)
        return made


def _file(labels: Sequence[Label], page: tuple[float, float]) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=page, pageCompression=1, invariant=1)
    canvas.setTitle(" ".join(label.barcode for label in labels[:3]))
    canvas.setAuthor("Tradepost")
    places = _places(page)
    for number, label in enumerate(labels):
        place = number % len(places)
        if number and place == 0:
            canvas.showPage()
        canvas.saveState()
        canvas.translate(*places[place])
        if len(places) > 1:
            _cut_lines(canvas)
        _draw(canvas, label)
        canvas.restoreState()
    canvas.save()
    return out.getvalue()


# What we write ourselves, so that the font has it.
_HEADS: Final = ("Description 品名", "Pcs 数量", "Weight 重量 kg", "Value 价值 USD")
_FROM: Final = "FROM 寄件人"
_TO: Final = "TO 收件人"
_TOTAL: Final = "Total 合计"
_OWN: Final = (*_HEADS, _FROM, _TO, _TOTAL, "… and more 0123456789")


def _texts(labels: Sequence[Label]) -> Iterator[str]:
    yield from _OWN
    for label in labels:
        parties = [*label.sender.lines, *label.sender.others, *label.recipient.lines, *label.recipient.others]
        yield from (label.barcode, *label.channel, label.country, *parties, *label.numbers)
        yield from (label.kind, label.note, label.booked, label.weight, label.value)
        for line in label.goods:
            yield from (line.name, line.name_chinese, line.weight, line.value)


def _places(page: tuple[float, float]) -> list[tuple[float, float]]:
    """Where labels stand on a page, in reading order, by their lower left corners."""
    width, height = page
    across, down = int(width // SIDE), int(height // SIDE)
    left, bottom = (width - across * SIDE) / 2, (height - down * SIDE) / 2
    return [(left + x * SIDE, bottom + y * SIDE) for y in reversed(range(down)) for x in range(across)]


def _cut_lines(canvas: Canvas) -> None:
    canvas.saveState()
    canvas.setLineWidth(0.2)
    canvas.setDash(1, 2)
    canvas.rect(0, 0, SIDE, SIDE)
    canvas.restoreState()


def _draw(canvas: Canvas, label: Label) -> None:
    canvas.setLineWidth(0.4)
    canvas.rect(MARGIN / 2, MARGIN / 2, SIDE - MARGIN, SIDE - MARGIN)
    _heading(canvas, label)
    _barcode(canvas, label.barcode)
    for height in (_BARCODE_TOP, _ADDRESS_TOP, _GOODS_TOP, _GOODS_BOTTOM):
        canvas.line(MARGIN / 2, height, SIDE - MARGIN / 2, height)
    canvas.line(_SPLIT, _GOODS_TOP, _SPLIT, _ADDRESS_TOP)
    _party(canvas, _FROM, label.sender, _LEFT, _SPLIT - 1 * mm, large=6.5)
    _party(canvas, _TO, label.recipient, _SPLIT + 1.5 * mm, _RIGHT, large=LARGE)
    _goods(canvas, label)
    _footer(canvas, label)


def _heading(canvas: Canvas, label: Label) -> None:
    canvas.setFont(NAME, 24)
    width = pdfmetrics.stringWidth(label.country, NAME, 24)
    canvas.drawString(_RIGHT - width, _BARCODE_TOP + 3 * mm, label.country)
    room = INNER - width - 3 * mm
    _block(canvas, label.channel, (_LEFT, _BARCODE_TOP + 1 * mm), (room, 12 * mm), 9)


def _barcode(canvas: Canvas, number: str) -> None:
    bar = MOST_BAR
    code = Code128(number, barWidth=bar, barHeight=BARCODE_HEIGHT, quiet=False)
    if code.width + 2 * QUIET * bar > INNER:
        bar = bar * INNER / (code.width + 2 * QUIET * bar)
        code = Code128(number, barWidth=bar, barHeight=BARCODE_HEIGHT, quiet=False)
    code.drawOn(canvas, (SIDE - code.width) / 2, _ADDRESS_TOP + 5 * mm)
    size = 10.0
    while size > LEAST and pdfmetrics.stringWidth(number, NAME, size) > INNER:
        size -= 0.5
    canvas.setFont(NAME, size)
    canvas.drawCentredString(SIDE / 2, _ADDRESS_TOP + 1.5 * mm, number)


def _party(canvas: Canvas, title: str, party: Party, left: float, right: float, large: float) -> None:
    canvas.setFont(NAME, 5)
    canvas.drawString(left, _ADDRESS_TOP - 2.4 * mm, title)
    height = _ADDRESS_TOP - _GOODS_TOP - 4 * mm
    lines = [*party.lines, *(("", *party.others) if party.others else ())]
    _block(canvas, lines, (left, _GOODS_TOP + 1 * mm), (right - left, height), large)


def _goods(canvas: Canvas, label: Label) -> None:
    columns = (_LEFT, _RIGHT - 38 * mm, _RIGHT - 22 * mm, _RIGHT)
    shown = label.goods if len(label.goods) <= ROWS else label.goods[: ROWS - 1]
    room = columns[1] - columns[0] - 12 * mm
    rows = [(_names(line, room), str(line.pieces), line.weight, line.value) for line in shown]
    if len(shown) < len(label.goods):
        rest = label.goods[len(shown) :]
        rows.append((f"… and {len(rest)} more", str(sum(line.pieces for line in rest)), "…", "…"))
    pieces = str(sum(line.pieces for line in label.goods))
    rows.append((_TOTAL, pieces, label.weight, label.value))
    step = (_GOODS_TOP - _GOODS_BOTTOM) / (ROWS + 2)
    for number, row in enumerate((_HEADS, *rows)):
        # The sums stand at the bottom, whatever is above them.
        place = ROWS + 1 if number == len(rows) else number
        height = _GOODS_TOP - (place + 1) * step + 0.8 * mm
        size = 5.0 if number == 0 else ROW
        canvas.setFont(NAME, size)
        canvas.drawString(columns[0], height, _cut(row[0], room, size))
        for text, right in zip(row[1:], columns[1:], strict=True):
            canvas.drawRightString(right, height, text)


def _names(line: Line, room: float) -> str:
    """Both names of a line of goods; where they are too long each keeps its beginning."""
    name = _cut(line.name, max(0.6 * room, room - pdfmetrics.stringWidth(" " + line.name_chinese, NAME, ROW)), ROW)
    return f"{name} {line.name_chinese}"


def _footer(canvas: Canvas, label: Label) -> None:
    lines = [label.booked, "  ".join(text for text in (label.kind, label.note) if text), *label.numbers]
    _block(canvas, lines, (_LEFT, MARGIN / 2 + 0.5 * mm), (INNER, _GOODS_BOTTOM - MARGIN / 2 - 1 * mm), 6.5)


def _block(
    canvas: Canvas, lines: Sequence[str], corner: tuple[float, float], room: tuple[float, float], large: float
) -> None:
    """Write lines from the top of a rectangle down, as large as they fit in it."""
    width, height = room
    size = large
    while (wrapped := _wrapped(lines, width, size)) and len(wrapped) * size * LEADING > height and size > LEAST:
        size = max(LEAST, size - 0.25)
    most = int(height / (size * LEADING))
    if len(wrapped) > most:
        last = wrapped[most - 1]
        room_left = width - pdfmetrics.stringWidth("…", NAME, size)
        wrapped = [*wrapped[: most - 1], last[: _fits(last, room_left, size)] + "…"]
    canvas.setFont(NAME, size)
    for number, line in enumerate(wrapped):
        canvas.drawString(corner[0], corner[1] + height - (number * LEADING + 0.95) * size, line)


def _wrapped(lines: Sequence[str], width: float, size: float) -> list[str]:
    """The lines, each broken where it is too long: at a blank if there is one, else between two characters."""
    found = []
    for line in lines:
        rest = line
        while pdfmetrics.stringWidth(rest, NAME, size) > width:
            end = _fits(rest, width, size)
            blank = rest.rfind(" ", 1, end + 1)
            at = blank if blank > 0 else end
            found.append(rest[:at].rstrip())
            rest = rest[at:].lstrip()
        found.append(rest)
    return found


def _fits(text: str, width: float, size: float) -> int:
    """How many characters of a text fit, one at least."""
    least, most = 1, len(text)
    while least < most:
        middle = (least + most + 1) // 2
        if pdfmetrics.stringWidth(text[:middle], NAME, size) <= width:
            least = middle
        else:
            most = middle - 1
    return least


def _cut(text: str, width: float, size: float) -> str:
    if pdfmetrics.stringWidth(text, NAME, size) <= width:
        return text
    room = width - pdfmetrics.stringWidth("…", NAME, size)
    return text[: _fits(text, room, size)] + "…"
