"""The readers at their edges: what each takes, what it makes of it, and what it refuses."""

from __future__ import annotations

import contextlib
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradepost.wire import refusals
from tradepost.wire.params import (
    Boolean,
    Choice,
    Country,
    Digits,
    Key,
    Listed,
    LookedUp,
    Moment,
    Number,
    PriceMap,
    Reader,
    Span,
    Text,
    WebUrl,
    Whole,
)
from tradepost.wire.text import clean_text

PRICES = PriceMap(frozenset({"US", "CA"}), frozenset({"AQ"}), "LOCAL_", "1000", "9999999999")
TAGS = Listed(",", most=3, item_most=5, cut=True, skip_empty=True)
IDS = Listed(",", most=3, item_most=5)
COUNTRIES = Country(frozenset({"US", "DE"}))
FULLWIDTH = "１２"

TAKEN: list[tuple[Reader, str, Any]] = [
    (Whole(0, 500), "0", 0),
    (Whole(0, 500), "500", 500),
    (Whole(0, 500), "007", 7),
    (Number("0.01", "1000"), "0.01", Decimal("0.01")),
    (Number("0.01", "1000"), "1000", Decimal(1000)),
    (Number("0.01", "1000"), "1000.00", Decimal(1000)),
    (Number("0.01", "1000"), "5.1000", Decimal("5.1")),
    (Number("0", "10", 4), "0.0001", Decimal("0.0001")),
    (Boolean(), "True", True),
    (Boolean(), "0", False),
    (Choice(("NEW", "USED"), fold=True), "new", "NEW"),
    (Choice(("NEW",), nothing="null"), "null", None),
    (COUNTRIES, "DE", "DE"),
    (Digits(8, 14), "00000000", "00000000"),
    (Digits(8, 14), "1" * 14, "1" * 14),
    (Moment(), "1970-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
    (Moment(), "2020-02-29T23:59:59", datetime(2020, 2, 29, 23, 59, 59, tzinfo=UTC)),
    (Moment(), "2999-12-31", datetime(2999, 12, 31, tzinfo=UTC)),
    (Span(2), "2-2", "2-2"),
    (Span(2), "5-999", "5-999"),
    (WebUrl(), "https://shop.example", "https://shop.example"),
    (WebUrl(), "HTTP://shop.example:8080/a?b=%25#c", "HTTP://shop.example:8080/a?b=%25#c"),
    (WebUrl(), "http://[2001:db8::1]/", "http://[2001:db8::1]/"),
    (WebUrl(takes_empty=True), "", ""),
    (Text(3), "a\r\nb", "a\nb"),
    (Text(3, strip=True), " \t\nabc\n ", "abc"),
    (Text(1), "e\u0301", "é"),
    (Text(7), "👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"),
    (Text(3, least=0), "", ""),
    (Key(3), " a b ", "a b"),
    (Key(1), "戒", "戒"),
    (LookedUp(3), "a\u200b", "a\u200b"),
    (TAGS, "a, b ,,c,d,far too long", ("a", "b", "c")),
    (TAGS, ",", ()),
    (IDS, "a,b", ("a", "b")),
    (PRICES, "{}", {}),
    (PRICES, '{"US": 3.990, "LOCAL_US": "24"}', {"US": Decimal("3.99"), "LOCAL_US": Decimal(24)}),
    (PRICES, '{"AQ": 5, "LOCAL_AQ": 5, "CA": 0}', {"CA": Decimal(0)}),
    (PRICES, ' {"\\u0055S": 1000} ', {"US": Decimal(1000)}),
]

REFUSED: list[tuple[Reader, type[refusals.BadParameter], list[str]]] = [
    (
        Whole(1, 500),
        refusals.NotWhole,
        ["0", "501", "-1", "+1", "1.0", "1e2", " 1", "1\n", FULLWIDTH, "²", "1_0", "0x1", "NaN", "9" * 5000],
    ),
    (
        Number("0.01", "1000"),
        refusals.NotDecimal,
        [
            "0",
            "0.001",
            "1000.01",
            "-1",
            "-0",
            "+1",
            ".5",
            "5.",
            "1,5",
            "1e2",
            "NaN",
            "sNaN",
            "Infinity",
            FULLWIDTH,
            "1_0",
            "$5",
            "1.5\n",
            "9" * 5000,
            "0." + "0" * 5000,
        ],
    ),
    (Boolean(), refusals.NotBoolean, ["TRUE", "yes", "on", "2", "01", " true", "true\n", "None"]),
    (Choice(("NEW", "USED")), refusals.NotChoice, ["new", "NEW ", "NEW,USED", "null", "ｎew"]),
    (Choice(("STRASSE",), fold=True), refusals.NotChoice, ["straße", "ſtrasse"]),
    (COUNTRIES, refusals.NotCountry, ["de", "ZZ", "USA", "US ", "ＵＳ", "\x00", "U" * 500]),
    (Digits(8, 14), refusals.NotDigits, ["1" * 7, "1" * 15, "1234567a", "１２３４５６７８", "12345678\n", "²" * 8]),
    (
        Moment(),
        refusals.NotMoment,
        [
            "1969-12-31",
            "3000-01-01",
            "2021-02-29",
            "2021-13-01",
            "2021-01-00",
            "2021-05-19T24:00:00",
            "2016-12-31T23:59:60",
            "2021-05-19T16:37:00Z",
            "2021-05-19 16:37:00",
            "2021-W20-3",
            "20210519",
            "now",
            "infinity",
            "2021-5-9",
            "２０２１-０５-１９",
            "2021-05-19\n",
            "1621442220",
        ],
    ),
    (Span(2), refusals.NotSpan, ["1-5", "6-5", "5", "5-", "5–10", "5 - 10", "5-1000", "５-６", "5-10\n"]),
    (
        WebUrl(most=40),
        refusals.NotUrl,
        [
            "javascript:alert(1)",
            "//a.example",
            "/a",
            "http:",
            "http://",
            "http://u@a.example",
            "http://a b.example",
            "http://a.example:0",
            "http://a.example:99999",
            "http://[::1",
            "http://é.example",
            "ftp://a.example",
            "http://a.example/\n",
            "http://a.example\\@b.example",
            "http://a.example/<",
            "http://a.example/" + "a" * 24,
        ],
    ),
    (WebUrl(), refusals.NotUrl, [""]),
    (Text(3), refusals.BadLength, ["", "abcd", "😀😀😀😀"]),
    (Text(3, strip=True), refusals.BadLength, ["   ", "\n\t"]),
    (Text(9), refusals.BadCharacter, ["a\x00", "\x1b", "a\rb", "\x7f", "\x85", "\ud800", "\ufffe", "\ufdd0"]),
    (Key(3), refusals.BadLength, ["", "  ", "abcd"]),
    (Key(9), refusals.BadCharacter, ["a\u200b", "\u00a0", "a\tb", "a\nb", "\u3164", "\u202e", "\u00ad", "\ue000"]),
    (LookedUp(3), refusals.BadLength, ["", " ", "abcd"]),
    (LookedUp(3), refusals.BadCharacter, ["\x00", "a\ud800"]),
    (TAGS, refusals.BadLength, ["abcdef", "a,abcdef"]),
    (TAGS, refusals.BadCharacter, ["a,\x00"]),
    (IDS, refusals.BadItem, ["", "a,", "a,,b"]),
    (IDS, refusals.TooManyItems, ["a,b,c,d", "a,b,c,d,abcdef"]),
    (Listed(",", 3, 5, no_blanks=True), refusals.BadItem, [" a", "a ", "a, b", "a\t,b", "a,\n"]),
    (IDS, refusals.BadLength, ["a,abcdef"]),
    (PRICES, refusals.NotJson, ["", "US", "[]", "null", "5", '{"US":1,"US":2}', '{"US":NaN}', "[" * 9000]),
    (PRICES, refusals.NotJson, ["{" + ",".join(f'"{at}": 1' for at in range(10_000)) + "}"]),
    (
        PRICES,
        refusals.BadItem,
        [
            '{"ZZ":1}',
            '{"us":1}',
            '{"LOCAL_":1}',
            '{"LOCAL_LOCAL_US":1}',
            '{"US":-1}',
            '{"US":1001}',
            '{"US":1.234}',
            '{"US":1e2}',
            '{"US":null}',
            '{"US":true}',
            '{"US":[1]}',
            '{"US":{}}',
            '{"US":""}',
            '{"LOCAL_US":1.2345}',
        ],
    ),
    (PRICES, refusals.BadCharacter, ['{"US":1}\x00']),
]


def shown(value: object) -> str:
    """A part of the name of a test: short, whatever it stands for."""
    text = value.__name__ if isinstance(value, type) else repr(value)
    return ascii(text)[1:25]


@pytest.mark.parametrize(("reader", "text", "value"), TAKEN, ids=shown)
def test_a_good_value_is_read(reader: Reader, text: str, value: Any) -> None:
    assert reader.read("price", text) == value


@pytest.mark.parametrize(("reader", "refusal", "texts"), REFUSED, ids=shown)
def test_a_bad_value_is_refused_by_name(
    reader: Reader, refusal: type[refusals.BadParameter], texts: list[str]
) -> None:
    for text in texts:
        with pytest.raises(refusal) as caught:
            reader.read("price", text)
        assert caught.value.name == "price"


@pytest.mark.parametrize("reader", {repr(reader): reader for reader, *_ in [*TAKEN, *REFUSED]}.values(), ids=shown)
def test_every_reader_tells_a_schema_and_what_empty_means(reader: Reader) -> None:
    assert reader.schema()["type"] in ("string", "integer", "number")
    assert reader.takes_empty in (True, False)


READERS = list({repr(reader): reader for reader, *_ in [*TAKEN, *REFUSED]}.values())


@given(st.sampled_from(READERS), st.text(st.characters(codec=None), max_size=40))
def test_any_text_is_read_or_refused(reader: Reader, text: str) -> None:
    # Whatever else it raised would be an answer 500.
    with contextlib.suppress(refusals.BadParameter):
        reader.read("price", text)


@given(st.text(st.characters(codec=None), max_size=60))
def test_clean_text_is_clean_and_stays_as_it_is(text: str) -> None:
    normal = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    if bad := [char for char in normal if unicodedata.category(char) in ("Cc", "Cs") and char not in "\t\n"]:
        with pytest.raises(refusals.BadCharacter) as caught:
            clean_text("name", text)
        assert caught.value.position <= normal.index(bad[0]) + 1
    else:
        with contextlib.suppress(refusals.BadCharacter):  # noncharacters are refused, too
            cleaned = clean_text("name", text)
            assert cleaned == normal
            assert clean_text("name", cleaned) == cleaned


def test_the_first_bad_character_is_pointed_at_from_one() -> None:
    with pytest.raises(refusals.BadCharacter) as caught:
        clean_text("name", "e\u0301\x1b\x00")
    assert (caught.value.position, caught.value.character) == (2, "U+001B")


@given(st.decimals(min_value="0.01", max_value="1000", places=2))
def test_every_amount_of_the_range_is_read_exactly(amount: Decimal) -> None:
    assert Number("0.01", "1000").read("price", f"{amount:f}") == amount


@given(st.integers(0, int(datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())))
def test_every_second_of_the_range_is_read_as_utc(second: int) -> None:
    moment = datetime.fromtimestamp(second, UTC)
    assert Moment().read("since", f"{moment:%Y-%m-%dT%H:%M:%S}") == moment
