"""What may be kept of what was said: a secret under any name, in any form, whole or cut off, is not in it."""

from __future__ import annotations

import ast
import json
import re
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tradepost.domain import access, webhooks
from tradepost.domain.audit.record import written_down
from tradepost.logs import without_values
from tradepost.surfaces.request_log.redaction import (
    REMOVED,
    UNREADABLE,
    answered,
    asked_body,
    asked_path,
    asked_query,
)

SOURCE = Path(__file__).parents[2] / "src" / "tradepost"
MARK = "fR33-wIlly"
FORM, JSON, XML = "application/x-www-form-urlencoded", "application/json", "text/xml"
NAMES = (
    "client_secret",
    "access_token",
    "access_Token",
    "refresh_token",
    "code",
    "code_verifier",
    "Password",
    "secret",
)


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_under_a_secrets_name_is_removed(name: str) -> None:
    pairs = {"id": "5f", name: MARK, "parent_sku": "ring"}
    form = urlencode(pairs)
    hidden = "".join(f"%{ord(letter):02X}" for letter in name)
    whole = json.dumps(pairs)
    texts = {
        "query": asked_query(form.encode()),
        "hidden name": asked_query(f"id=5f&{hidden}={MARK}&parent_sku=ring".encode()),
        "form": asked_body(form.encode(), FORM, True),
        "JSON": asked_body(whole.encode(), JSON, True),
        "JSON with blanks": asked_body(json.dumps(pairs, indent=3).encode(), FORM, True),
        "JSON that is cut off": asked_body(whole[: whole.index(MARK) + 6].encode(), JSON, False),
        "JSON with a hidden name": asked_body(
            whole.replace(name, "".join(f"\\u{ord(letter):04x}" for letter in name)).encode(), JSON, True
        ),
        "JSON within": asked_body(json.dumps({"a": [{"b": pairs}]}).encode(), JSON, True),
        "JSON with a number": asked_body(whole.replace(f'"{MARK}"', "7331733173").encode(), JSON, True),
        "JSON with a list": asked_body(whole.replace(f'"{MARK}"', f'["{MARK}"]').encode(), JSON, True),
        "XML": asked_body(f"<a><id>5f</id><{name} x='1'>{MARK}</{name}></a>".encode(), XML, True),
        "XML with CDATA": asked_body(f"<a><{name}><![CDATA[{MARK}</x>{MARK}]]></{name}></a>".encode(), XML, True),
        "XML that is cut off": asked_body(f"<a><{name}>{MARK[:6]}".encode(), XML, False),
        "XML with an attribute": asked_body(f'<a {name}="{MARK}"/>'.encode(), XML, True),
        "multipart": asked_body(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{MARK}\r\n--x--\r\n'.encode(),
            "multipart/form-data; boundary=x",
            True,
        ),
        "JSON in a form": asked_body(f"orders={quote(whole)}".encode(), FORM, True),
    }
    for how, text in texts.items():
        assert MARK[:6] not in text, how
        assert "7331733173" not in text, how
        assert REMOVED in text, how
    assert texts["query"] == f"id=5f&{name}={REMOVED}&parent_sku=ring"


PREFIXES = (*access.PREFIXES, webhooks.PREFIX)


def test_every_beginning_of_a_secret_is_known() -> None:
    """Whatever stands anywhere in the program and looks like the beginning of a secret is one of those."""
    found = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if re.fullmatch(r"mp_[a-z]+_|whsec_", node.value) else set()
    assert found == set(PREFIXES)
    with pytest.raises(AssertionError, match="would keep it"):
        access.made_of("mp_zz_", "a secret", b"a seed")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_our_own_secrets_are_known_by_their_looks(prefix: str) -> None:
    secret = prefix + access.new_token().removeprefix(access.ACCESS_PREFIX)
    elsewhere = (without_values(f"no {secret} here"), written_down({"said": f"see {secret}"}))
    assert not [text for text in elsewhere if secret[8:20] in text], "the log and the audit log know it, too"
    odd = quote(secret).replace("_", "%5F")
    texts = [
        asked_path(f"/api/v2/{secret}"),
        asked_path(f"/api/v2/{odd}"),
        asked_path(f"curl/8 ({odd}; {secret})"),
        asked_path("curl/8 " + "".join(f"%{ord(letter):02x}" for letter in secret)),
        asked_query(odd.encode()),
        asked_query(odd.encode() + b"\xff"),
        asked_query(f"note={secret}".encode()),
        asked_query(f"note={odd}&x=1".encode()),
        asked_body(f"note={odd}".encode(), FORM, True),
        asked_body(json.dumps({"note": f"see {secret}"}).encode(), JSON, True),
        asked_body(json.dumps({"note": secret}).replace("_", "\\u005f").encode(), JSON, True),
        asked_body(f"<a>{secret}</a>".encode(), XML, True),
        asked_body(f"<a>{secret.replace('_', '&#95;')}</a>".encode(), XML, True),
        shown(json.dumps({"data": {"access_token": secret, "expiry": 5}}).encode()),
        shown(f"<Response><Data><access_token>{secret}</access_token></Data></Response>".encode()),
        shown(json.dumps({"data": {"access_token": secret}}).encode()[:60]),
        shown(json.dumps({"message": f"There is no '/api/v2/{odd}' here."}).encode()),
        asked_body(json.dumps({"note": f"https://x.example/?a={odd.lower()}"}).encode(), JSON, True),
    ]
    for text in texts:
        assert secret[8:20] not in text, text


def shown(body: bytes) -> str:
    return answered(body).decode()


def test_links_are_kept_without_their_signatures() -> None:
    link = "https://shop.example/downloads/a.csv?expires=17&key=ab&signature=Zm9vYmFy_-9"
    assert shown(json.dumps({"data": {"download_link": link}}).encode()).count("Zm9vYmFy") == 0
    assert "expires=17" in shown(json.dumps({"data": {"download_link": link}}).encode())


def test_what_is_no_secret_is_kept_as_it_was() -> None:
    for text in ("id=5f&inventory=3", "sku=a%2Bb+c&name=%E7%BA%A2", "x", "a=b=c&&d", "a%26b%3Dc", "é=%zz"):
        assert asked_query(text.encode()) == text
        assert asked_body(text.encode(), FORM, True) == text
        assert asked_path(text) == text
    assert asked_query(b"a=\xff%20\xc3\xa9") == "a=%FF%20%C3%A9", "what is no text is written down in letters"
    body = '{"code": 0, "data": {"message": "the token of our esteem", "decode": "x", "token_type": "Bearer"}}'
    assert shown(body.encode()) == body
    odd = '{"a":1.10,"a":10000000000000000000001, "b":"\\u00e9 \\/ t\\u006fken","c":1E400,"d":"\\ud800"}'
    assert asked_body(odd.encode(), JSON, True) == odd
    secret = odd[:-1] + ', "t\\u006fken" : "' + MARK + '"}'
    assert asked_body(secret.encode(), JSON, True) == odd[:-1] + f', "token":"{REMOVED}"}}'
    orders = '{"orders": [{"postcode": "2000", "barcode": "77"}]}'
    assert asked_body(orders.encode(), JSON, True) == orders


def test_what_cannot_be_read_is_not_kept() -> None:
    assert asked_body(b"\xff\xd8\xff\xe0 mp_at_", FORM, True) == UNREADABLE
    assert asked_body(b'{"a": "\\u0061', JSON, False) == UNREADABLE
    assert asked_body("é".encode() * 10 + b"\xc3", FORM, False) == "é" * 10, "cut off in the middle of a letter"


@pytest.mark.parametrize(
    "text",
    [
        "<token " * 2_300,
        "<token>" * 2_300,
        '"token":' * 2_000,
        '{"token":"\\' * 1_400,
        "token=" * 2_700,
        " " * 16_000,
    ],
)
def test_nothing_takes_long(text: str) -> None:
    began = time.process_time()
    for kind in (FORM, JSON, XML, "multipart/form-data"):
        for start in ("", "<a ", "{"):
            asked_body((start + text).encode()[:16_384], kind, False)
    answered((text + "mp_").encode())
    assert time.process_time() - began < 0.5
