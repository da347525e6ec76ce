"""XML from anybody: what is read of it, what is refused, and that refusing is quick."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tradepost.wire.xmltext import MOST_DEPTH, MOST_ELEMENTS, Elements, XmlError, as_elements, parse_xml

LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY x0 "ha">'
    + b"".join(b'<!ENTITY x%d "%s">' % (n, b"&x%d;" % (n - 1) * 10) for n in range(1, 30))
    + b"]><a>&x29;</a>"
)
BLOWUP = b'<!DOCTYPE a [<!ENTITY b "' + b"b" * 100_000 + b'">]><a>' + b"&b;" * 100_000 + b"</a>"

REFUSED: dict[str, bytes] = {
    "billion laughs": LAUGHS,
    "quadratic blowup": BLOWUP,
    "a file": b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>',
    "a host": b'<!DOCTYPE a [<!ENTITY f SYSTEM "http://127.0.0.1/">]><a>&f;</a>',
    "a document type of elsewhere": b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>',
    "parameter entities": b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1/"> %p;]><a/>',
    "a document type that is bare": b"<!DOCTYPE a><a/>",
    "an entity that nobody declared": b"<a>&nbsp;</a>",
    "UTF-16": '<?xml version="1.0" encoding="UTF-16"?><a>b</a>'.encode("utf-16"),
    "UTF-16 without a mark": "<a>b</a>".encode("utf-16-le"),
    "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>+ADw-a/+AD4-',
    "GBK": '<?xml version="1.0" encoding="GBK"?><a>戒指</a>'.encode("gbk"),
    "GBK that says it is UTF-8": '<?xml version="1.0" encoding="UTF-8"?><a>戒指</a>'.encode("gbk"),
    "Latin-1": '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1"),
    "bytes that are no UTF-8": b"<a>\xff</a>",
    "a lone surrogate": b"<a>\xed\xa0\x80</a>",
    "overlong": b"<a>\xc0\xaf</a>",
    "NUL": b"<a>\x00</a>",
    "a control character": b"<a>\x07</a>",
    "a reference to one": b"<a>&#7;</a>",
    "a reference to a surrogate": b"<a>&#xD800;</a>",
    "no end": b"<a><b></b>",
    "another end": b"<a></b>",
    "two roots": b"<a/><b/>",
    "text behind it": b"<a/>b",
    "nothing": b"<!-- -->",
    "not XML": b"otype=1",
    "the same attribute twice": b'<a b="1" b="2"/>',
    "too deep": b"<a>" * (MOST_DEPTH + 1) + b"</a>" * (MOST_DEPTH + 1),
    "as deep as it gets": b"<a>" * 300_000,
    "too many elements": b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>",
    "an attribute that never ends": b'<a b="' + b"c" * 500_000,
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_place_and_quickly(name: str) -> None:
    began = time.thread_time()
    with pytest.raises(XmlError) as caught:
        parse_xml(REFUSED[name])
    assert time.thread_time() - began < 5
    assert caught.value.line >= 1
    assert caught.value.column >= 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<a/>", ""),
        ("<a>b</a>", "b"),
        ("<a> b\n</a>", "b"),
        ("<a><b>1</b></a>", {"b": ["1"]}),
        ("<a><b>1</b><c>3</c><b>2</b></a>", {"b": ["1", "2"], "c": ["3"]}),
        ("<a>read <b>over</b> this</a>", {"b": ["over"]}),
        ("<a><b/></a>", {"b": [""]}),
        ("<a><b><c>1</c></b></a>", {"b": [{"c": ["1"]}]}),
        ("<a><![CDATA[<b>&amp;</b>]]></a>", "<b>&amp;</b>"),
        ("<a>&lt;&amp;&#25106;&#x6307;</a>", "<&戒指"),
        ('<a x="1"><!-- c --><?php ?><b y="2">1</b></a>', {"b": ["1"]}),
        ('<n:a xmlns:n="urn:x"><n:b>1</n:b></n:a>', {"b": ["1"]}),
        ('<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<a>é</a>', "é"),
        ('<?xml version="1.0"?><a>戒</a>', "戒"),
        ("<a>1\r\n2</a>", "1\n2"),
        ("<a>" * MOST_DEPTH + "x" + "</a>" * MOST_DEPTH, None),
        ("<a>" + "<b/>" * (MOST_ELEMENTS - 1) + "</a>", None),
    ],
)
def test_read(text: str, value: Any) -> None:
    read = parse_xml(text.encode())
    assert value is None or read == value


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
texts = st.text("ab1 戒指é\u0301😀<>&\"']\n\t", max_size=20)
trees: Any = st.recursive(
    texts, lambda inner: st.dictionaries(names, st.lists(inner, min_size=1, max_size=3), max_size=4), max_leaves=12
)


def _element(name: str, value: Any) -> Any:
    made = etree.Element(name)
    if isinstance(value, dict):
        for inner, items in value.items():
            for item in items:
                made.append(_element(inner, item))
    else:
        made.text = value
    return made


def _plain(value: Any) -> Any:
    """What is left of a tree that was written: no element is an empty text, blanks around texts are none."""
    if isinstance(value, dict):
        return {name: [_plain(item) for item in items] for name, items in value.items()} or ""
    return value.strip(" \t\r\n")


@given(trees)
def test_what_another_library_writes_is_read_as_it_was(tree: Any) -> None:
    assert parse_xml(etree.tostring(_element("root", tree), encoding="utf-8")) == _plain(tree)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for body in (data, b"<a>" + data + b"</a>"):
        with suppress(XmlError):
            parse_xml(body)


def test_json_says_the_same_as_xml() -> None:
    as_json = {"order": [{"guid": "1"}, {"guid": "2"}], "mark": "m", "barcodes": {"barcode": "b"}}
    as_xml = (
        b"<x><order><guid>1</guid></order><order><guid>2</guid></order><mark>m</mark>"
        b"<barcodes><barcode>b</barcode></barcodes></x>"
    )
    assert as_elements(as_json) == parse_xml(as_xml)
    assert isinstance(as_elements(as_json)["mark"], Elements)
