"""What may be kept of what was said: everything but secrets.

A secret is known by the name it comes under, or by how it looks, because all of ours begin alike. Both count
everywhere, in the query, in forms, JSON and XML, whole or cut off. What cannot be told apart is not kept at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_plus

from tradepost.domain import access, webhooks

REMOVED: Final = "[removed]"
UNREADABLE: Final = "[not kept: it cannot be read, so nobody knows whether it holds secrets]"

SECRETS: Final = frozenset(
    [
        "access_token",
        "accesstoken",
        "assertion",
        "authorization",
        "client_assertion",
        "client_secret",
        "clientsecret",
        "code",
        "code_verifier",
        "codeverifier",
        "id_token",
        "new_password",
        "old_password",
        "passwd",
        "password",
        "refresh_token",
        "refreshtoken",
        "secret",
        "signature",
        "token",
        "verifier",
    ]
)
"""Names in small letters whose values are removed from what was asked."""
_ANSWERED: Final = SECRETS - {"code"}
"""The same for answers, where `code` says how it went."""
_PREFIXES: Final = "|".join((*access.PREFIXES, webhooks.PREFIX))
_OURS = re.compile(rf"({_PREFIXES})[A-Za-z0-9+/=_-]+|(signature=)[A-Za-z0-9_%-]+", re.ASCII)
_NAME = "(?:" + "|".join(sorted(SECRETS, key=len, reverse=True)) + ")"
_ANSWER_NAME = "(?:" + "|".join(sorted(_ANSWERED, key=len, reverse=True)) + ")"
# A string, closed or cut off, or anything else up to what may follow it.
_VALUE = r'\s*:\s*(?:"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[{].*|[^",}\]\s]+)'
_IN_JSON = re.compile(rf'("{_NAME}"){_VALUE}', re.IGNORECASE | re.DOTALL)
_IN_ANSWER = re.compile(rf'("{_ANSWER_NAME}"){_VALUE}', re.IGNORECASE | re.DOTALL)
_IN_XML = re.compile(
    rf"(<(?:[\w.-]+:)?({_NAME})(?:\s[^<>]*)?>).*?(</(?:[\w.-]+:)?\2\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_ANSWERED_XML = re.compile(rf"(<({_ANSWER_NAME})>).*?(</\2>|\Z)", re.IGNORECASE | re.DOTALL)
_ATTRIBUTE = re.compile(rf"(\s{_NAME}\s*=\s*)(?:\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z))", re.IGNORECASE)
_IN_MULTIPART = re.compile(
    rf'(name="?{_NAME}"?[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n).*?(?=\r?\n--|\Z)', re.IGNORECASE | re.DOTALL
)
_HINTS: Final = ("token", "secret", "code", "passw", "asserti", "authoriz", "verifi", "signature", "mp_", "whsec_")
"""One of these, in small letters, is in everything that holds a secret, by its name or by its looks."""


def asked_query(query: bytes) -> str:
    """A query as it was sent, and every value under a secret's name removed."""
    return _cleared(query.decode("utf-8", "replace"), _form) if query else ""


def asked_path(path: str) -> str:
    """A path without a secret of ours in it."""
    return _OURS.sub(_shown, path) if "mp_" in path or "whsec_" in path or "signature=" in path else path


def asked_body(body: bytes, content_type: str, whole: bool) -> str:
    """The body of a call, or its beginning, without secrets; what it is is told by its beginning and its label."""
    if not body:
        return ""
    try:
        text = body.decode("utf-8", "strict" if whole else "ignore")
    except UnicodeDecodeError:
        return UNREADABLE
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start == "<":
        return _markup(text)
    if start in ("{", "["):
        return _cleared(text, _json)
    if content_type.lower().startswith("multipart/"):
        return _OURS.sub(_shown, _IN_MULTIPART.sub(lambda found: found[1] + REMOVED, text))
    return _cleared(text, _form)


def answered(body: bytes) -> bytes:
    """An answer of ours, or its beginning, without secrets."""
    if b"mp_" not in body and b"whsec_" not in body and b"signature=" not in body:
        return body
    text = body.decode("utf-8", "ignore")
    if text[:1] == "<":
        text = _ANSWERED_XML.sub(lambda found: found[1] + REMOVED + found[3], text)
    else:
        text = _IN_ANSWER.sub(_emptied, text)
    return _OURS.sub(_shown, text).encode()


def _cleared(text: str, without_secrets: Callable[[str], str]) -> str:
    """A text without its secrets; most have none, which is quickly seen unless something hides in other letters."""
    small = text.lower()
    if "%" in small or "\\" in small or any(hint in small for hint in _HINTS):
        return without_secrets(text)
    return text


def _shown(found: re.Match[str]) -> str:
    return (found[1] or found[2]) + REMOVED


def _emptied(found: re.Match[str]) -> str:
    return f'{found[1]}:"{REMOVED}"'


def _form(text: str) -> str:
    if "=" not in text:
        return _OURS.sub(_shown, _decoded(text))
    kept = []
    for field in text.split("&"):
        name, has_value, value = field.partition("=")
        if unquote_plus(name).strip().lower() in SECRETS:
            kept.append(f"{name}={REMOVED}" if value else field)
        else:
            kept.append(_without_ours(name) + has_value + _without_ours(value))
    return "&".join(kept)


def _without_ours(text: str) -> str:
    """A part of a form as it is, unless a secret of ours is in it, however that was written down."""
    decoded = _decoded(text.replace("+", " "))
    if decoded[:1] in ("{", "["):
        decoded = _json(decoded)
        return text if decoded == _decoded(text.replace("+", " ")) else decoded.replace("&", "%26")
    return text if not _OURS.search(decoded) else _OURS.sub(_shown, decoded).replace("&", "%26").replace("=", "%3D")


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text else text


def _json(text: str) -> str:
    if "\\u" in text or "\\/" in text:  # names and tokens can be written in many ways, so it is read
        try:
            return _OURS.sub(_shown, json.dumps(_walked(json.loads(text)), ensure_ascii=False))
        except (ValueError, RecursionError):
            return UNREADABLE
    return _OURS.sub(_shown, _IN_JSON.sub(_emptied, text))


def _walked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: REMOVED if key.lower() in SECRETS else _walked(item) for key, item in value.items()}
    return [_walked(item) for item in value] if isinstance(value, list) else value


def _markup(text: str) -> str:
    text = _IN_XML.sub(lambda found: found[1] + REMOVED + found[3], text)
    text = _ATTRIBUTE.sub(lambda found: f'{found[1]}"{REMOVED}"', text)
    return UNREADABLE if "&#" in text and _OURS.search(_unreferenced(text)) else _OURS.sub(_shown, text)


def _unreferenced(text: str) -> str:
    """Markup with its numbered characters put in, to look at."""
    return re.sub(r"&#(x[0-9a-fA-F]{1,6}|[0-9]{1,7});", _character, text)


def _character(found: re.Match[str]) -> str:
    number = int(found[1][1:], 16) if found[1][0] == "x" else int(found[1])
    return chr(number) if number < 0x110000 else ""
