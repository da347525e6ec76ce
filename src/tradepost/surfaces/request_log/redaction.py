"""What may be kept of what was said: everything but secrets.

A secret is known by the name it comes under, or by how it looks, because all of ours begin alike. Both count
everywhere, in the query, in forms, JSON and XML, whole or cut off. What cannot be told apart is not kept at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote_from_bytes, unquote, unquote_plus

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
# In percent encoding, too, as somebody's program may write them down who encodes what needs it not.
_PREFIXES: Final = "|".join((*access.PREFIXES, webhooks.PREFIX)).replace("_", "(?:_|%5[Ff])")
_LETTER: Final = "(?:[A-Za-z0-9+/=_-]|%(?:2[BbFf]|3[Dd]|5[Ff]))"
_OURS = re.compile(rf"({_PREFIXES}){_LETTER}+|(signature=)[A-Za-z0-9_%-]+", re.ASCII)
_MARKS: Final = ("mp_", "mp%5", "whsec_", "whsec%5", "signature=")
"""One of these is in everything that looks like a secret of ours."""
_MARKS_OF_BYTES: Final = tuple(mark.encode() for mark in _MARKS)
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
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"(?=\s*(:)?)', re.DOTALL)
_ASCII: Final = bytes(range(128))


def asked_query(query: bytes) -> str:
    """A query as it was sent, and every value under a secret's name removed; what is no text is written as %FF."""
    try:
        text = query.decode()
    except UnicodeDecodeError:
        text = quote_from_bytes(query, _ASCII)
    return _cleared(text, _form)


def asked_path(path: str) -> str:
    """A path, or what a header says, without a secret of ours in it, however that was written down."""
    if "%" in path:
        decoded = unquote(path)
        return _OURS.sub(_shown, decoded) if _OURS.search(decoded) else path
    return _OURS.sub(_shown, path) if any(mark in path for mark in _MARKS) else path


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
    if not any(mark in body for mark in _MARKS_OF_BYTES):
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
        return text if not _OURS.search(_decoded(text)) else _written(_OURS.sub(_shown, _decoded(text)))
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
        return text if decoded == _decoded(text.replace("+", " ")) else _written(decoded)
    return text if not _OURS.search(decoded) else _written(_OURS.sub(_shown, decoded))


def _written(text: str) -> str:
    """A part of a form that was decoded, as a form has it; what is no letter of the form's own stays readable."""
    return text.replace("%", "%25").replace("+", "%2B").replace("&", "%26").replace("=", "%3D")


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text else text


def _json(text: str) -> str:
    if "\\u" in text or "\\/" in text:  # names and tokens can be written in many ways
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return UNREADABLE
        text = _STRING.sub(_plain, text)
    return _OURS.sub(_shown, _IN_JSON.sub(_emptied, text))


def _plain(found: re.Match[str]) -> str:
    """A string of JSON letter by letter, unless a secret, or as a name that of one, hides behind its escapes."""
    if "\\" not in found[0]:
        return found[0]
    said = json.loads(found[0])
    if found[1] and said.lower() in SECRETS:
        return json.dumps(said, ensure_ascii=False)
    return json.dumps(_OURS.sub(_shown, said)) if _OURS.search(said) else found[0]


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
