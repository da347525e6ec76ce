"""No secret is in the tree: neither what scanners of repositories look for, nor a token of our own.

The scanner is detect-secrets, with what it looks for by the form of a secret and by its disorder. What is found and
is none stands below, with the reason. Passwords of made-up people in tests are not looked for.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from detect_secrets.settings import get_plugins, transient_settings

from tradepost.domain import access
from tradepost.domain.access import token

ROOT = Path(__file__).parents[2]
HERE = "tests/house/test_no_secrets.py"
BY_WORD = "KeywordDetector"
PLUGINS = [
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector",
    "IbmCosHmacDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector",
    "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector",
    "SoftlayerDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
]  # fmt: skip
BY_DISORDER = ["Base64HighEntropyString", "HexHighEntropyString"]
NONE = {
    ("APCPostalLogistics", "the name of a carrier"),
    ("23456789abcdefghjkmnpqrstuvwxyz", "the letters that recovery codes are made of"),
    ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "the example of RFC 7636"),
    ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "the example of RFC 7636"),
    ("word", "a URL with a password in it, which is refused"),
    ("pw", "a URL with a password in it, which is refused"),
    ("{port}", "a URL with a password in it, which is refused"),
    ("3026b2758e66cf11a6d900aa0062ce6c", "what every file of a kind of video begins with"),
    ("3d6e2d71bc464e42bfbdb081afb73c1e", "an id that is nobody's"),
    ("12345678901234567890", "the key of the examples of RFC 6238"),
    ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "the letters of base 62"),
    ("whsec_…", "what the generated reference has in place of one"),
}
_ID = re.compile("[0-9a-f]{24}", re.ASCII)
_PICTURE = re.compile("(/9j/4AAQ|iVBORw0KGgo|R0lGOD)", re.ASCII)
_HASHES = {"requirements/runtime.txt", "requirements/dev.txt"}
"""Files of hashes that pip checks."""
_OURS = re.compile(r"mp_[a-z]{2}_[A-Za-z0-9]{40,60}", re.ASCII)


def files() -> list[str]:
    """Every file that git has, or would have."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if name not in _HASHES and (ROOT / name).is_file()]


@cache
def scanner(plugins: tuple[str, ...]) -> Any:
    """What looks for these; none of the tool's filters has a say."""
    with transient_settings({"plugins_used": [{"name": name} for name in plugins]}):
        looking = list(get_plugins())
    assert len(looking) == len(plugins)
    return looking


def found_in(path: Path, plugins: list[str]) -> set[str]:
    """What the scanner takes for a secret in a file."""
    text = path.read_bytes().decode("utf-8", "replace")
    return {
        (one.secret_value or "").strip("'\"")
        for number, line in enumerate(text.splitlines(), 1)
        for plugin in scanner(tuple(plugins))
        for one in plugin.analyze_line(str(path), line, number)
    }


def test_no_secret_is_in_the_tree() -> None:
    meant, wrong = {text for text, _ in NONE}, []
    for name in files():
        if name == HERE:
            continue
        plugins = [*PLUGINS, *BY_DISORDER]
        if name.startswith(("src/", "tools/", "bench/")) and name.endswith(".py"):
            plugins.append(BY_WORD)
        secrets = found_in(ROOT / name, plugins)
        wrong += [
            f"{name}: {text[:60]}"
            for text in secrets - meant
            if not _ID.fullmatch(text) and not _PICTURE.match(text)
        ]
    assert wrong == []


def test_no_token_of_ours_is_in_the_tree() -> None:
    """Transcripts and the reference made of them have those of a world that is made by name, and is nobody's."""
    wrong = []
    for name in files():
        if name.startswith(("tests/", "docs/", "openapi/")):
            continue
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        wrong += [f"{name}: {one[:16]}…" for one in _OURS.findall(text) if token.looks_right(one, one[:6])]
    assert wrong == []


@pytest.mark.parametrize(
    "made",
    [
        "AKIA" + "Q3EGRZ7TFXWLBQ5M",
        "ghp_" + "0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R",
        "-----BEGIN RSA " + "PRIVATE KEY-----",
    ],
)
def test_a_secret_in_the_tree_is_found(made: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f'key = "{made}"\n')
    assert found_in(file, PLUGINS)


def test_a_token_of_ours_is_known() -> None:
    made = access.new_session()
    assert _OURS.fullmatch(made)
    assert token.looks_right(made, made[:6])
