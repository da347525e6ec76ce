"""Labels as others see them: rendered to pictures by another library, and read by another one still."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from fontTools.ttLib import TTFont

from tradepost.domain.parcels import Address
from tradepost.press.client import MOST_WAITING, Press, PressAway
from tradepost.press.label import MOST_LABELS, SIZES, Label, Line, Party, Sheets
from tradepost.press.labels import _party
from tradepost.press.printing import Printer
from tradepost.press.typeface import MISSING, Typeface

DOTS_PER_INCH = 203
"""What the coarsest label printers have."""
SENDER = Party(("Lan Chen", "88 Lantern Road", "Nanshan, Shenzhen"), ("陈岚", "灯笼路88号", "深圳"))
RECIPIENT = Party(("Łukasz Őrsi", "12 Elm Street", "Fresno", "United States"), ("安", "榆树街12号"))
LAMP = Line("Bamboo Lamp", "竹灯", 2, "0.600", "31.00")
LABEL = Label(
    barcode="WP31420166013276",
    channel=("WishPost 5001-1", "A+物流-挂号", "A+ Registered"),
    country="US",
    sender=SENDER,
    recipient=RECIPIENT,
    goods=(LAMP,),
    weight="0.600",
    value="31.00",
    numbers=("WOSP189216911365TZZ", "Orders: 60a4d0c1000000000000000a"),
    kind="Gift 礼品",
    note="shelf 7 戒指",
    booked="2021-05-18 08:04 UTC",
)


def changed(**changes: Any) -> Label:
    """The label with something else on it."""
    return Label(**{name: getattr(LABEL, name) for name in LABEL.__struct_fields__} | changes)


@pytest.fixture(scope="module")
def printer() -> Printer:
    return Printer(Typeface())


def pages(data: bytes) -> list[tuple[str, list[tuple[str, str]], tuple[float, float]]]:
    """Of each page its text, the barcodes that a reader finds on its picture, and its size in mm."""
    found = []
    document = pypdfium2.PdfDocument(data)
    for page in document:
        picture = page.render(scale=DOTS_PER_INCH / 72).to_pil()
        codes = [(code.text, code.format.name) for code in zxingcpp.read_barcodes(picture)]
        width, height = page.get_size()
        text = page.get_textpage().get_text_range()
        found.append((text, codes, (round(width / 72 * 25.4), round(height / 72 * 25.4))))
    document.close()
    return found


def read(printer: Printer, *labels: Label, size: str = "10") -> Any:
    return pages(printer.pdf(Sheets(size, labels)))


@pytest.mark.parametrize(
    "number", ["WP31420166013276", "00000000000", "12345678901", "RR123456789CN", "1Z" + "8" * 28]
)
def test_the_barcode_is_the_number_for_another_reader(printer: Printer, number: str) -> None:
    ((text, codes, size),) = read(printer, changed(barcode=number))
    assert codes == [(number, "Code128")]
    assert number in text
    assert size == (100, 100)


def test_everything_stands_there_as_text_in_both_scripts(printer: Printer) -> None:
    ((text, _, _),) = read(printer, LABEL)
    lines = text.split("\r\n")
    for party in (SENDER, RECIPIENT):
        for line in (*party.lines, *party.others):
            assert line in lines
    for part in (
        *LABEL.channel,
        *LABEL.numbers,
        LABEL.country,
        LABEL.booked,
        "Bamboo Lamp 竹灯",
        "Gift 礼品",
        "戒指",
    ):
        assert part in text, part
    assert text.index("陈岚") > text.index("Lan Chen")


def test_four_labels_on_a_page_of_a4(printer: Printer) -> None:
    labels = [changed(barcode=f"WP0000000000000{number}") for number in range(6)]
    (first, second) = read(printer, *labels, size="A4")
    assert (first[2], second[2]) == ((210, 297), (210, 297))
    assert {text for text, _ in first[1]} == {label.barcode for label in labels[:4]}
    assert {text for text, _ in second[1]} == {label.barcode for label in labels[4:]}


def test_the_font_is_in_the_file_and_only_what_is_shown_of_it(printer: Printer) -> None:
    data = printer.pdf(Sheets("10", (LABEL,)))
    assert b"/FontFile2" in data
    assert len(data) < 50_000
    made = TTFont(io.BytesIO(Typeface().font(["戒a"], "Few")))
    assert set(made.getBestCmap()) == {ord(char) for char in ("戒", "a", " ", MISSING)}


LONG = changed(
    barcode="WP31420166013276",
    channel=("WishPost 5001-1", "长" * 100, "long " * 50),
    sender=Party(("n" * 100, "street " * 28, "d" * 200), ("名" * 100, "街" * 200)),
    recipient=Party(("W" * 100, "W" * 200, "W" * 200, "W" * 100), ("名" * 100, "街" * 200, "市" * 100)),
    goods=tuple(
        Line(f"Lamp {number} " * 20, "灯" * 200, 10_000, "100.000", "1000000000.00") for number in range(50)
    ),
    weight="5000.000",
    value="50000000000.00",
    numbers=("WOSP189216911365TZZ", "Orders: " + ", ".join(f"{number:024x}" for number in range(20))),
    note="字" * 99,
)


def test_the_longest_label_keeps_what_must_not_be_cut(printer: Printer) -> None:
    ((text, codes, _),) = read(printer, LONG)
    assert codes == [(LONG.barcode, "Code128")]
    for part in ("50000000000.00", "5000.000", "500000", "WOSP189216911365TZZ", "… and 46 more", "Lamp 3", "灯灯"):
        assert part in text, part


def test_nothing_leaves_the_page_or_runs_into_its_neighbour(printer: Printer) -> None:
    """The margin of the longest label is as white as that of a short one."""
    for label in (LABEL, LONG):
        document = pypdfium2.PdfDocument(printer.pdf(Sheets("10", (label,))))
        picture = document[0].render(scale=DOTS_PER_INCH / 72).to_pil().convert("L")
        width, height = picture.size
        rim = int(1.5 / 100 * width)
        for box in ((0, 0, rim, height), (width - rim, 0, width, height), (0, 0, width, rim)):
            assert picture.crop(box).getextrema() == (255, 255)
        document.close()


def test_a_character_that_no_font_has_is_a_box(printer: Printer) -> None:
    hebrew = changed(recipient=Party(("Ann", "רחוב 5", "👨‍👩‍👧", "a\tb"), ()))
    ((text, codes, _),) = read(printer, hebrew)
    assert MISSING * 4 + " 5" in text
    assert codes


def test_a_file_has_its_own_characters_whatever_was_printed_before(printer: Printer) -> None:
    for note in ("x", "戒指, 龙", "é"):
        ((text, _, _),) = read(printer, changed(note=note))
        assert note in text


@pytest.mark.parametrize("size", SIZES)
def test_the_same_labels_are_the_same_file(printer: Printer, size: str) -> None:
    first = printer.pdf(Sheets(size, (LABEL, LONG)))
    assert first == printer.pdf(Sheets(size, (LABEL, LONG))) == Printer(Typeface()).pdf(Sheets(size, (LABEL, LONG)))


@pytest.fixture
def press() -> Iterator[Press]:
    opened = Press()
    yield opened
    opened.close()


def test_others_go_on_while_a_file_is_printed(press: Press) -> None:
    """The loop is never held for long, though the largest file takes a good part of a second."""

    async def scene() -> tuple[float, float, int]:
        await press.print(Sheets("10", (LABEL,)))
        longest, began = 0.0, time.perf_counter()
        printing = asyncio.create_task(press.print(Sheets("10", (LONG,) * MOST_LABELS)))
        while not printing.done():
            last = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - last)
        return longest, time.perf_counter() - began, len(pages(printing.result()))

    longest, took, count = asyncio.run(scene())
    assert count == MOST_LABELS
    assert longest < took / 3


def test_a_press_that_is_lost_is_replaced(press: Press) -> None:
    async def scene() -> bytes:
        await press.print(Sheets("10", (LABEL,)))
        process = press._rooms[0]._process
        assert process is not None
        process.kill()
        process.wait()
        with pytest.raises(PressAway):
            await press.print(Sheets("10", (LABEL,)))
        return await press.print(Sheets("10", (LABEL,)))

    assert asyncio.run(scene()).startswith(b"%PDF")


def test_a_press_with_a_long_line_sends_away(press: Press) -> None:
    async def scene() -> list[Any]:
        return await asyncio.gather(
            *(press.print(Sheets("10", (LABEL,))) for _ in range(MOST_WAITING + 2)), return_exceptions=True
        )

    came = asyncio.run(scene())
    assert [type(result) for result in came[MOST_WAITING:]] == [PressAway, PressAway]
    assert all(isinstance(result, bytes) for result in came[:MOST_WAITING])


def test_a_whole_address_in_both_scripts_is_not_cut() -> None:
    """Somebody with all that an address can have, of usual lengths, up to the telephone number."""
    address = Address(
        name="Lan Chen",
        country="CN",
        city="Shenzhen",
        address="88 Lantern Road",
        province="Guangdong",
        district="Nanshan",
        zipcode="518000",
        phone="+86 755 0000 0000",
    )
    party = _party(address, address, local_first=False)
    ((text, _, _),) = read(Printer(Typeface()), changed(sender=party, recipient=party))
    assert text.count("+86 755 0000 0000") == 4
    assert text.count("Nanshan, Shenzhen, Guangdong 518000") == 4
    assert "…" not in text
