"""Secrets: made so that nobody guesses them, kept so that nobody reads them, compared so that nobody times them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tradepost
from tradepost.domain import access
from tradepost.domain.access import fingerprint, is_password, looks_right, password_hash, same

SOURCE = Path(tradepost.__file__).parent
JUDGES = ("domain/access", "domain/consents", "domain/people", "surfaces/pages")
SECRET = re.compile("secret|hash|token|seal|password|verifier|challenge|session|nonce")
MAKERS = {
    access.ACCESS_PREFIX: access.new_token,
    access.REFRESH_PREFIX: access.new_refresh_token,
    access.CODE_PREFIX: access.new_code,
    access.SESSION_PREFIX: access.new_session,
}


def compared(source: str) -> list[str]:
    """Comparisons by == or != in which something is called like a secret."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
            names += [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)]
            if any(SECRET.search(name.lower()) for name in names):
                found.append(ast.unparse(node))
    return found


def test_no_secret_is_compared_letter_by_letter() -> None:
    found = {
        (str(file.relative_to(SOURCE)), text)
        for folder in JUDGES
        for file in (SOURCE / folder).rglob("*.py")
        for text in compared(file.read_text(encoding="utf-8"))
    }
    # The form of a token is no secret, and neither is the id of a session, which its cookie does not hold, the name
    # of the parameter for one with what stands in a kept call instead of it, or a token of Markdown.
    harmless = {
        "len(body) == len(prefix) + _RANDOM_LENGTH",
        "check == _check(body)",
        "line.id == signed.session_id",
        "unquote_plus(field) != f'{TOKEN}={REMOVED}'",
        "found.get(TOKEN) != REMOVED",
        "name != TOKEN",
        "token.type == 'heading_close'",
    }
    assert {text for _, text in found} <= harmless


def test_the_scan_sees_what_it_is_for() -> None:
    assert compared("if told == app.secret_hash: pass")
    assert compared("return verifier != kept")
    assert not compared("hmac.compare_digest(told, app.secret_hash)")


@pytest.mark.parametrize("prefix", MAKERS)
def test_each_kind_is_new_and_known_by_its_form(prefix: str) -> None:
    made = {MAKERS[prefix]() for _ in range(200)}
    assert len(made) == 200
    assert all(looks_right(one, prefix) for one in made)
    assert not any(looks_right(one, other) for one in made for other in MAKERS if other != prefix)
    one = made.pop()
    for wrong in (one[:-1], one + "0", one.swapcase(), one[:-1] + ("0" if one[-1] != "0" else "1"), "", one + "\n"):
        assert not looks_right(wrong, prefix)


def test_what_is_the_same_is_the_same() -> None:
    assert same(fingerprint("a"), fingerprint("a"))
    assert not same(fingerprint("a"), fingerprint("b"))
    assert not same(b"", fingerprint("a"))


def test_passwords_are_kept_by_argon2id_and_nobody_has_one() -> None:
    kept = password_hash("correct horse")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password("correct horse", kept)
    assert not is_password("correct horse ", kept)
    assert not is_password("correct horse", None)
    assert not is_password("correct horse", "no hash at all")
