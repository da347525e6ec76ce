"""Transcripts: calls and their answers as text that a person reads without Python.

A file tells any number of cases of one endpoint, and its path mirrors the URL:

    # scene: shop_in_usd
    # a product is found by its parent SKU
    GET /api/v2/product?parent_sku=ring
    => 200
    {"message": "", "code": 0, "data": {…}}

A case is one or more comment lines, the method and the target, then in any order headers (`> Name: value`) and
form fields (`name=value`, literal) or the lines of a JSON body (`| …`), then `=> STATUS` and the answer up to the
next case. The scene stands where it begins and counts until another one does. Blank lines mean nothing, save
inside an answer. An answer in JSON ends where a comment begins, which no line of JSON looks like; one in XML ends
with its `</Response>` or `</root>`.

This module only reads and writes the text; who sends the calls and compares the answers is elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CALL = re.compile(r"([A-Z]+) (/\S*)")
_HEADER = re.compile(r"> *([!-9;-~]+): ?(.*)")
_STATUS = re.compile(r"=> ([1-5][0-9]{2})")
_SCENE = "scene:"
_XML_ENDS = ("</Response>", "</root>")


class TranscriptError(ValueError):
    """A text that is no transcript, or cases that no transcript can tell."""


@dataclass(frozen=True, slots=True)
class Case:
    """One call and its answer. The comments say what it shows; the answer is kept letter by letter."""

    scene: str | None
    comments: tuple[str, ...]
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str], ...]
    status: int
    answer: str
    body: str = ""

    @property
    def answer_is_xml(self) -> bool:
        """Whether the answer is XML; otherwise it is JSON, or empty."""
        return self.answer.startswith("<")


def parse(text: str) -> list[Case]:
    """The cases of a transcript in their order; raises TranscriptError with the line that does not fit."""
    reader = _Lines(text)
    cases: list[Case] = []
    scene: str | None = None
    while reader.skip_blank():
        scene, case = _parse_case(reader, scene)
        cases.append(case)
    return cases


def render(cases: Sequence[Case]) -> str:
    """The transcript of some cases; raises TranscriptError where reading it back would tell something else."""
    scene: str | None = None
    blocks = []
    for case in cases:
        lines = [f"# {_SCENE} {case.scene}"] if case.scene is not None and case.scene != scene else []
        scene = case.scene
        lines += [f"# {comment}" for comment in case.comments]
        lines.append(f"{case.method} {case.target}")
        lines += [f"> {name}: {value}" for name, value in case.headers]
        lines += [f"{name}={value}" for name, value in case.fields]
        lines += [f"| {line}" for line in case.body.split("\n") if case.body]
        lines.append(f"=> {case.status}")
        lines += [case.answer] if case.answer else []
        blocks.append("\n".join(lines) + "\n")
    text = "\n".join(blocks)
    if parse(text) != list(cases):
        raise TranscriptError("these cases cannot be told in a transcript, such as a field of several lines")
    return text


class _Lines:
    """The lines of a text, taken one by one."""

    def __init__(self, text: str) -> None:
        self._lines = text.rstrip("\n").split("\n")
        self._at = 0

    def peek(self) -> str | None:
        return self._lines[self._at] if self._at < len(self._lines) else None

    def take(self) -> str:
        self._at += 1
        return self._lines[self._at - 1]

    def skip_blank(self) -> bool:
        """Pass over blank lines; whether anything is left."""
        while (line := self.peek()) is not None and not line.strip():
            self._at += 1
        return line is not None

    def wrong(self, wanted: str) -> TranscriptError:
        found = "the text ends" if (line := self.peek()) is None else f"there is {line!r}"
        return TranscriptError(f"line {self._at + 1}: {wanted} is expected, and {found}")


def _is_comment(line: str) -> bool:
    return line == "#" or line.startswith("# ")


def _parse_case(lines: _Lines, scene: str | None) -> tuple[str | None, Case]:
    comments = _take_comments(lines)
    if not comments:
        raise lines.wrong("a comment that tells what the case shows")
    if comments[0].startswith(_SCENE):
        scene = comments.pop(0).removeprefix(_SCENE).strip()
    call = _CALL.fullmatch(lines.peek() or "")
    if call is None:
        raise lines.wrong("a method and a path")
    lines.take()
    headers, fields, body = _take_request(lines)
    status = _STATUS.fullmatch(lines.take())
    assert status is not None  # _take_request stops at nothing else
    return scene, Case(
        scene=scene,
        comments=tuple(comments),
        method=call.group(1),
        target=call.group(2),
        headers=headers,
        fields=fields,
        status=int(status.group(1)),
        answer=_take_answer(lines),
        body=body,
    )


def _take_comments(lines: _Lines) -> list[str]:
    comments = []
    while lines.skip_blank() and _is_comment(lines.peek() or ""):
        comments.append(lines.take()[2:].strip())
    return comments


def _take_request(lines: _Lines) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...], str]:
    headers: list[tuple[str, str]] = []
    body: list[str] = []
    fields: list[tuple[str, str]] = []
    while lines.skip_blank() and not _STATUS.fullmatch(line := lines.peek() or ""):
        if header := _HEADER.fullmatch(line):
            headers.append((header.group(1), header.group(2)))
        elif line.startswith("| "):
            body.append(line[2:])
        elif "=" in line and not line.startswith(("=", "> ")):
            name, _, value = line.partition("=")
            fields.append((name, value))
        else:
            raise lines.wrong("a header, a field or the status")
        lines.take()
    if lines.peek() is None:
        raise lines.wrong("the status")
    return tuple(headers), tuple(fields), "\n".join(body)


def _take_answer(lines: _Lines) -> str:
    answer: list[str] = []
    lines.skip_blank()
    if (lines.peek() or "").startswith("<"):
        while not (answer and answer[-1].endswith(_XML_ENDS)):
            if lines.peek() is None:
                raise lines.wrong(" or ".join(_XML_ENDS))
            answer.append(lines.take())
    else:
        while (line := lines.peek()) is not None and not _is_comment(line):
            answer.append(lines.take())
    return "\n".join(answer).rstrip()
