"""How calls and answers are written on a page for developers: bodies in lines, and a call as something to copy.

Whatever was typed is quoted as the shell or Python want it, so what is copied does what it says and nothing else.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import Final
from xml.dom import minidom
from xml.parsers.expat import ExpatError

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


def pretty(text: str) -> str:
    """A body with its parts on lines of their own, as far as it is one that can be read."""
    start = text.lstrip()[:1]
    try:
        if start in ("{", "["):
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        if start == "<" and "<!" not in text:  # what has a document type is not read
            lines = minidom.parseString(text.encode()).toprettyxml(indent="  ").splitlines()
            return "\n".join(line for line in lines if line.strip())
    except (ValueError, ExpatError, RecursionError):
        pass
    return text


def blanks_of(text: str) -> list[str]:
    """The variables that a text needs which hold the secrets that were removed from it, in their order."""
    return [_variable(text[: found.start()]) for found in _BLANK.finditer(text)]


def quoted(text: str) -> str:
    """A text as a shell takes it as a whole, with variables where secrets were removed."""
    pieces, end = [], 0
    for found in _BLANK.finditer(text):
        pieces += [shlex.quote(text[end : found.start()]), f'"${_variable(text[: found.start()])}"']
        end = found.end()
    rest = text[end:]
    return "".join([*pieces, shlex.quote(rest)] if rest or not pieces else pieces)


def _variable(before: str) -> str:
    """What a variable for a secret is called, after the name that stands before it."""
    name = _NAMED.search(before[-MOST_NAME:])
    told = name[1].lower() if name else ""
    return TOKEN if told == "access_token" else told.upper() if told in SECRETS else "SECRET"


def curl(method: str, url: str, options: Sequence[str], *, has_token: bool = True) -> str:
    """A call for a shell. The token goes where $TOKEN is; `options` say what the body is, and are quoted."""
    lines = [f"curl -X {method} {quoted(url)}", *([AUTHORIZATION] if has_token else []), *options]
    return " \\\n  ".join(lines)


def form_options(pairs: Pairs) -> list[str]:
    """The fields of a form as `curl` takes them."""
    return [f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in pairs]


def json_options(body: str) -> list[str]:
    """A body of JSON as `curl` takes it."""
    return ["-H 'Content-Type: application/json'", f"--data-binary {shlex.quote(body)}"]


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
