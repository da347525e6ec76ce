"""A call as a line for the shell, against `$TRADEPOST` and with `$TOKEN`."""

from __future__ import annotations

import re
import shlex
from urllib.parse import quote

from tradepost.wire.describe.book import Example

_PLACEHOLDER = re.compile(r"Bearer \{\w+\}")


def curl(example: Example, token_parameter: str | None = None) -> str:
    """The command that makes a call, quoted so that a shell hands it over letter by letter."""
    # Brackets and braces are patterns for curl unless it is told that they are not.
    words = ["curl -g" if re.search(r"[\[\]{}]", example.target) else "curl"]
    words[0] += f" {_quoted_url(example.target)}"
    if example.method != ("POST" if example.fields or example.body else "GET"):
        words.append(f"-X {shlex.quote(example.method)}")
    words += _headers(example, token_parameter)
    for name, value in example.fields:
        field = f"{quote(name, safe='')}={value}"
        words.append(f"--data-urlencode {shlex.quote(field)}")
    if example.body:
        words.append(f"-d {shlex.quote(example.body)}")
    return " \\\n  ".join(words)


def _quoted_url(target: str) -> str:
    if re.search(r'["$`\\!]', target):
        return f'"$TRADEPOST"{shlex.quote(target)}'
    return f'"$TRADEPOST{target}"'


def _headers(example: Example, token_parameter: str | None) -> list[str]:
    given = {name.lower(): value for name, value in example.headers}
    words = []
    by_parameter = token_parameter is not None and (
        f"{token_parameter}=" in example.target or token_parameter in dict(example.fields)
    )
    authorization = given.get("authorization")
    if authorization is None and not by_parameter:
        words.append('-H "Authorization: Bearer $TOKEN"')
    for name, value in example.headers:
        if name.lower() == "authorization" and _PLACEHOLDER.fullmatch(value):
            words.append('-H "Authorization: Bearer $TOKEN"')
        elif value:
            words.append(f"-H {shlex.quote(f'{name}: {value}')}")
    return words
