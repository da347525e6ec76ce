"""How calls and answers are written on a page for developers: bodies in lines, and a call as something to copy.

Whatever was typed is quoted as the shell or Python want it, so what is copied does what it says and nothing else.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote
from xml.parsers.expat import ExpatError, ParserCreate

import msgspec

from tradepost.surfaces.request_log.redaction import REMOVED as REMOVED
from tradepost.surfaces.request_log.redaction import SECRETS
from tradepost.surfaces.request_log.redaction import UNREADABLE as UNREADABLE

Pairs = Sequence[tuple[str, str]]

TOKEN: Final = "TOKEN"
AUTHORIZATION: Final = f'-H "Authorization: Bearer ${TOKEN}"'
"""What a shell puts the token into."""

MOST_NAME: Final = 60
_BLANK: Final = re.compile(rf"(?:mp_[a-z]{{2}}_|whsec_)?{re.escape(REMOVED)}", re.ASCII)
_NAMED: Final = re.compile(r"""([A-Za-z_]+)["']?\s*[=:>]\s*["']?\Z""", re.ASCII)
"""The name that a value in a query, JSON or XML comes under."""
_TAG: Final = re.compile(r"""(<(?:[^<>"']|"[^"]*"|'[^']*')*>)""")
_OF_URLS: Final = "%&=+;:@/?,!$'()*~"
"""What stands in a query for itself, besides letters and digits; brackets mean something else to curl."""


def pretty(text: str) -> str:
    """A body with its parts on lines of their own, if it can be read; names and values stay as they are."""
    start = text.lstrip()[:1]
    try:
        if start in ("{", "["):
            return msgspec.json.format(text, indent=2)
        if start == "<" and "<!" not in text:  # what has a document type is not read
            return _indented(text)
    except (ValueError, msgspec.MsgspecError, ExpatError, RecursionError):
        pass
    return text


def _indented(text: str) -> str:
    """XML with each element that holds elements on lines of its own; raises ExpatError."""
    ParserCreate().Parse(text.encode(), True)
    parts = _TAG.split(text)
    if any("<" in part for part in parts[::2]):
        return text
    lines: list[str] = []
    depth, has_begun = 0, False
    for before, tag in zip(parts[::2], parts[1::2], strict=False):
        ends = tag.startswith("</")
        depth -= ends
        stays = before.strip() or not lines or (ends and has_begun)
        lines.append((before if stays else "\n" + "  " * depth) + tag)
        has_begun = not ends and not tag.endswith("/>") and not tag.startswith("<?")
        depth += has_begun
    return "".join([*lines, parts[-1]])


def blanks_of(text: str) -> list[str]:
    """The variables that a text needs which hold the secrets that were removed from it, in their order."""
    return [_variable(text[: found.start()]) for found in _BLANK.finditer(text)]


def quoted(text: str) -> str:
    """A text as a shell takes it as a whole, with variables where secrets were removed."""
    pieces, end = [], 0
    for found in _BLANK.finditer(text):
        pieces += [_in_shell(text[end : found.start()]), f'"${_variable(text[: found.start()])}"']
        end = found.end()
    rest = text[end:]
    return "".join([*pieces, _in_shell(rest)] if rest or not pieces else pieces)


def _in_shell(text: str) -> str:
    """A text as a shell takes it. What a page does not hand on, such as CR, is written by its number."""
    if not any(_is_control(letter) for letter in text):
        return shlex.quote(text)
    safe = text.replace("\\", r"\\").replace("'", r"\'")
    return "$'" + "".join(f"\\{ord(letter):03o}" if _is_control(letter) else letter for letter in safe) + "'"


def _is_control(letter: str) -> bool:
    return (letter < " " or letter == "\x7f") and letter != "\n"


def address(path: str, query: str) -> str:
    """A path and a query as they stand in a URL, where secrets were removed still readable as such."""
    whole = quote(path) + ("?" + quote(query, safe=_OF_URLS) if query else "")
    return whole.replace(quote(REMOVED), REMOVED)


def _variable(before: str) -> str:
    """What a variable for a secret is called, after the name that stands before it."""
    name = _NAMED.search(before[-MOST_NAME:])
    told = name[1].lower() if name else ""
    return TOKEN if told == "access_token" else told.upper() if told in SECRETS else "SECRET"


def curl(method: str, url: str, options: Sequence[str], *, has_token: bool = True) -> str:
    """A call for a shell. The token goes where $TOKEN is; `options` say what the body is, and are quoted."""
    lines = [f"curl -X {shlex.quote(method)} {quoted(url)}", *([AUTHORIZATION] if has_token else []), *options]
    return " \\\n  ".join(lines)


def form_options(pairs: Pairs) -> list[str]:
    """The fields of a form as `curl` takes them."""
    return [f"--data-urlencode {_in_shell(f'{name}={value}')}" for name, value in pairs]


def json_options(body: str) -> list[str]:
    """A body of JSON as `curl` takes it."""
    return [f"-H {shlex.quote('Content-Type: application/json')}", f"--data-raw {_in_shell(body)}"]


def raw_options(kind: str, body: str) -> list[str]:
    """A body of any kind as `curl` takes it, byte by byte.

    Told otherwise, curl reads a file where a body begins with @.
    """
    return [f"-H {quoted('Content-Type: ' + kind)}", f"--data-raw {quoted(body)}"]


def python(
    method: str, url: str, query: Pairs, form: Pairs, body: str | None = None, *, has_token: bool = True
) -> str:
    """The same call for Python, by the library `requests`; the token is in the environment, as TOKEN.

    A `body` is one of JSON, and goes as it is.
    """
    lines = ["import os", "", "import requests", ""] if has_token else ["import requests", ""]
    lines += ["answer = requests.request(", f"    {method!r},", f"    {url!r},"]
    for argument, pairs in (("params", query), ("data", form)):
        if pairs:
            lines += [f"    {argument}={{", *(f"        {name!r}: {value!r}," for name, value in pairs), "    },"]
    headers = ["'Authorization': 'Bearer ' + os.environ['TOKEN']"] if has_token else []
    if body is not None:
        lines.append(f"    data={body!r}.encode(),")
        headers.append("'Content-Type': 'application/json'")
    if headers:
        lines.append(f"    headers={{{', '.join(headers)}}},")
    return "\n".join([*lines, "    timeout=60,", ")", "print(answer.status_code, answer.text)"])
