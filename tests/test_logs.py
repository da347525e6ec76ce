"""What the log says of an exception, and what the documentation's proxy writes down: nothing that somebody sent."""

from __future__ import annotations

import re
import sys

import pytest

from tests.support.proxy import said_of_nginx
from tradepost.logs import told_without_values, without_values

LOGGED = {
    "remote_addr", "time_iso8601", "request_method", "logged_path", "status", "body_bytes_sent", "request_time",
    "upstream_http_wish_request_id",
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("", ""),
        ("list index out of range", "list index out of range"),
        ("'a word of his'", "***"),
        ("invalid literal for int() with base 10: 'a word'", "invalid literal for int() with base 10: ***"),
        (
            "invalid input for query argument $1: 'a word' (expected str)",
            "invalid input for query argument $1: *** (expected str)",
        ),
        ('"it\'s his" was given', "*** was given"),
        (r"'it\'s his' was given", "*** was given"),
        ("cut off in 'the mid", "cut off in ***"),
        ("no mp_at_" + 49 * "a" + " here", "no *** here"),
        ("taken\nDETAIL:  Key (email)=(a@b.example) already exists.\nmore", "taken***"),
    ],
)
def test_the_words_of_an_exception_lose_what_they_are_about(words: str, kept: str) -> None:
    assert without_values(words) == kept


def test_causes_notes_and_groups_lose_it_as_well() -> None:
    def fail() -> None:
        try:
            int("a word")
        except ValueError as error:
            error.add_note("over 'a word'")
            raise ExceptionGroup("both 'a word'", [KeyError("a word"), error]) from error

    with pytest.raises(ExceptionGroup):
        fail()
    try:
        fail()
    except ExceptionGroup:
        info = sys.exc_info()
        assert info[0] is not None
        told = told_without_values(info)
    assert "a word" not in str(told)
    assert {line[0]["exc_type"] for line in told[0]["exceptions"]} == {"KeyError", "ValueError"}
    assert told[0]["frames"][-1]["name"] == "fail"


def test_the_proxy_of_the_documentation_logs_no_query() -> None:
    """Without an nginx at hand; where there is one, the figure S15 reads what it writes."""
    said = re.sub(r"#.*", "", said_of_nginx())
    (form,) = re.findall(r"log_format tradepost (.*?);", said, re.DOTALL)
    assert set(re.findall(r"\$(\w+)", form)) == LOGGED
    logs = re.findall(r"(access_log|error_log) +(.*?);", said)
    assert [words.split()[-1] for _, words in logs] == ["tradepost", "crit"]
    (path,) = re.findall(r'"~(\S+)" +\$uri;', said)
    known = (
        "/api/v2/product/multi-get",
        "/oauth/authorize",
        "/orders/60a4d0c1000000000000000a",
        "/",
        "/v3/oauth/authorize",
    )
    assert all(re.fullmatch(path, where) for where in known)
    assert not re.fullmatch(path, "/api/v2/mp_cs_" + 43 * "aB")
