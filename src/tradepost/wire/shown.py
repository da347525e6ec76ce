"""What a caller shows of himself: an access token, or which app he is and its secret."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import unquote_plus

from tradepost.wire import refusals
from tradepost.wire.bodies import BodyMarkup
from tradepost.wire.endpoint import CLIENT_ID, CLIENT_SECRET, Endpoint, Param, Surface
from tradepost.wire.forms import Parameters
from tradepost.wire.http_types import Client, Request
from tradepost.wire.text import clean_text
from tradepost.wire.xmltext import Elements

_TOKEN = re.compile(r"[A-Za-z0-9_.~+/=-]{1,512}", re.ASCII)


def client(endpoint: Endpoint, given: Parameters, request: Request) -> Client:
    """The app that calls, by the Authorization header or by two parameters, which must not disagree.

    Where the body is no set of parameters, the two may stand in it. A header of another scheme than Basic says
    nothing: the reference's own samples send one along. Raises TokenMalformed, ClientMissing, ClientsDisagree, and
    what is wrong with one of the two.
    """
    client_id, secret = (_parameter(endpoint, given, param) for param in (CLIENT_ID, CLIENT_SECRET))
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(told.encode("ascii"), validate=True).decode()
        except (UnicodeError, binascii.Error):
            raise refusals.TokenMalformed from None
        name, _, password = (unquote_plus(part) for part in text.partition(":"))
        if (client_id or name) != name or (secret or password) != password:
            raise refusals.ClientsDisagree
        client_id, secret = clean_text("client_id", name), clean_text("client_secret", password)
    if not client_id or not secret:
        raise refusals.ClientMissing
    return Client(client_id, secret)


def sent_token(surface: Surface, endpoint: Endpoint, given: Parameters) -> str:
    """The token that came with the parameters or, where that is the habit, in the body; "" without one."""
    if surface.token_parameter and (in_query := given.take(surface.token_parameter)):
        return in_query
    if not (endpoint.flat or surface.is_older):
        return ""
    # One client of the older generation spells it like this.
    sent = _in_body(endpoint, given, "access_token") or _in_body(endpoint, given, "access_Token")
    if not isinstance(sent, str):
        raise refusals.TokenMalformed
    return sent


def token(sent: str, request: Request) -> str:
    """The token of a call, by the Authorization header or as it was `sent` elsewhere.

    Raises TokenMissing, TokenMalformed, TokensDisagree.
    """
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, in_header = header.partition(" ")
        if scheme.lower() != "bearer" or not _TOKEN.fullmatch(in_header):
            raise refusals.TokenMalformed
        if sent and sent != in_header:
            raise refusals.TokensDisagree
        return in_header
    if not sent:
        raise refusals.TokenMissing
    if not _TOKEN.fullmatch(sent):
        raise refusals.TokenMalformed
    return sent


def _parameter(endpoint: Endpoint, given: Parameters, param: Param) -> str | None:
    """What a parameter of an open endpoint says, in the query or in the body."""
    in_body = _in_body(endpoint, given, param.name)
    if not isinstance(in_body, str):
        raise refusals.NotOneValue(name=param.name)
    told = in_body and param.reader.read(param.name, in_body)
    elsewhere = param.read(given)
    if told and elsewhere and told != elsewhere:
        raise refusals.PlacesDisagree(name=param.name)
    return elsewhere or told


def _in_body(endpoint: Endpoint, given: Parameters, name: str) -> Any:
    """What a body that is a value by itself has under a name; "" where it has nothing."""
    body = given.body
    if endpoint.body is not None and isinstance(endpoint.body[1].reader, BodyMarkup):
        body = endpoint.body[1].reader.root(body)
    found = (body.get(name) if isinstance(body, dict) else None) or ""
    return found[0] or "" if isinstance(found, Elements) and len(found) == 1 else found
