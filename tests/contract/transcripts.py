"""Plays transcripts on a market: the same for the test that compares and for the command that accepts."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from urllib.parse import urlencode

from lxml import etree
from pypdfium2 import PdfDocument

from tests.support.market import WISHPOST_URL, Market
from tests.support.transcripts import Case, parse

FOLDER = Path(__file__).parent
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
JOBS_DONE = ", jobs done"


def files() -> list[Path]:
    """Every transcript, in a stable order."""
    return sorted(FOLDER.glob("*/**/*.txt"))


def load(file: Path) -> list[Case]:
    """The cases of one transcript."""
    return parse(file.read_text(encoding="utf-8"))


def play(market: Market, case: Case) -> Case:
    """The case with the status and the answer that really come back.

    Where the scene says so, the workers have done before what there was to do.
    """
    scene = case.scene or ""
    if scene.endswith(JOBS_DONE):
        market.work()
    who = scene.removesuffix(JOBS_DONE).removeprefix("market as ")
    as_ = None if who.startswith("nobody") else who
    target = WISHPOST_URL + case.target if who.endswith("wishpost") else case.target
    body = case.body.encode() or urlencode(case.fields).encode()
    kind = JSON if case.body else FORM
    headers = {**kind, **dict(case.headers)} if body else dict(case.headers)
    answer = market.request(case.method, target, as_, body, headers)
    return dataclasses.replace(case, status=answer.status, answer=pretty(answer.body))


def pretty(body: bytes) -> str:
    """An answer with one value to a line; nothing but space is added. Of a PDF file only what it is."""
    if body.startswith(b"%PDF"):
        return f"{len(PdfDocument(body))} pages of PDF"
    if body.startswith(b"<"):
        tree = etree.fromstring(body)
        etree.indent(tree)
        return _masked(etree.tostring(tree, encoding="unicode", xml_declaration=False))
    if not body:
        return ""
    text = json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    return _masked(text)


def _masked(text: str) -> str:
    # Tokens are new each time.
    return re.sub(r"\b(mp_[ar]t)_[0-9A-Za-z]{49}\b|\b(whsec)_[0-9A-Za-z+/]{43}=", _hidden, text)


def _hidden(token: re.Match[str]) -> str:
    return f"{token[1] or token[2]}_…"
