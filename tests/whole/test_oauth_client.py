"""A general OAuth client from the package index completes the flow of each service, with the lines of the guide."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from requests_oauthlib import OAuth2Session

from tests.support.program import Program, serving
from tests.support.visitor import Visitor

GUIDE = Path(__file__).parents[2] / "docs" / "oauth.md"
URI = "https://app.example/cb"


def adapter() -> dict[str, Any]:
    """What the guide says a client needs, as it stands there."""
    (source,) = re.findall(r"```python adapter\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    made: dict[str, Any] = {}
    exec(source, made)
    return made


def test_the_adapter_is_short() -> None:
    (source,) = re.findall(r"```python adapter\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in source.splitlines() if line.strip()]) <= 12


@pytest.fixture(scope="module")
def running() -> Any:
    with serving() as program:
        yield program
        assert program.stop() == 0


@pytest.mark.parametrize("service", ["merchant", "wishpost"])
def test_a_client_that_knows_nothing_of_us(running: Program, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the sandbox speaks plain http on this machine
    base = running.merchant if service == "merchant" else running.wishpost
    member = running.credentials()["merchants" if service == "merchant" else "wishpost"][0]
    told = running.told(
        "app", "add", "Example", "--redirect-uri", URI, "--owner", member["id"], "--service", service
    )
    app = dict(line.split() for line in told.splitlines())
    person = Visitor(base)
    person.sign_in(member["email"], member["password"])

    made = adapter()
    session = made["tradepost"](OAuth2Session(app["client_id"], redirect_uri=URI, pkce="S256"))
    assert isinstance(session, OAuth2Session)
    link, _ = session.authorization_url(f"{base}/v3/oauth/authorize")
    parts = urlsplit(link)
    page = person.get(f"{parts.path}?{parts.query}")
    where = person.submit(page, decision="accept").headers["location"]
    token = session.fetch_token(
        f"{base}/api/v3/oauth/access_token", authorization_response=where, client_secret=app["client_secret"]
    )
    assert token["access_token"].startswith("mp_at_")
    assert session.get(f"{base}/api/v3/oauth/test").json()["code"] == 0
    refreshed = session.refresh_token(
        f"{base}/api/v3/oauth/refresh_token", client_id=app["client_id"], client_secret=app["client_secret"]
    )
    assert refreshed["access_token"] != token["access_token"]
    assert session.get(f"{base}/api/v3/oauth/test").json()["code"] == 0
