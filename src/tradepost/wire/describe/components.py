"""What all operations of an OpenAPI document share: headers, frames, the parameters and tokens of a surface."""

from __future__ import annotations

from typing import Any

from tradepost.wire.describe.book import Book
from tradepost.wire.describe.schemas import Schema
from tradepost.wire.endpoint import Surface
from tradepost.wire.fields import MOST_LENGTH
from tradepost.wire.http_types import KEY_HEADER, MOST_KEY

Document = dict[str, Any]

HEADERS: Document = {
    "Wish-Request-Id": {
        "description": "The id of this call; name it when you ask about the call.",
        "schema": {"type": "string"},
    },
    "Wish-Rate-Limit-Remaining": {
        "description": "How many calls are left in the current window.",
        "schema": {"type": "integer"},
    },
    "Wish-Rate-Limit-Reset": {
        "description": "When the next window begins, in UTC, such as 2021-05-19T16:37:00.000+00:00.",
        "schema": {"type": "string", "format": "date-time"},
    },
    "Retry-After": {
        "description": "How many seconds to wait before the call is worth repeating.",
        "schema": {"type": "integer"},
    },
    "Idempotent-Replayed": {
        "description": "`true` where nothing was done: this is the answer that the first call with the key had.",
        "schema": {"type": "string", "const": "true"},
    },
    "Tradepost-Ignored-Parameters": {
        "description": "Names of parameters that were sent and mean nothing to this endpoint.",
        "schema": {"type": "string"},
    },
}


def headers_of(surface: Surface) -> Document:
    """The headers of answers; one is of surfaces only that do a call once."""
    return {n: header for n, header in HEADERS.items() if n != "Idempotent-Replayed" or surface.key_failures}


def key_parameter() -> Document:
    """The header of a write that is to be done once."""
    return {
        "name": KEY_HEADER,
        "in": "header",
        "description": "Names this call: repeated with the same key it is not done again, but answered as before.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MOST_KEY, "pattern": "^[!-~]*$"},
    }


def frame_schemas(surface: Surface) -> dict[str, Schema]:
    """The frames that answers stand in."""
    text, url = {"type": "string"}, {"type": "string", "format": "uri"}
    failure: Document = {
        "message": {"type": "string", "description": "What went wrong, in the language of the call."},
        "code": {"type": "integer", "description": "Which kind of failure it is; never 0."},
        "data": {"description": "A number, a word or an empty object that says more."},
    }
    if surface.tells_type:
        failure["type"] = {"type": "string", "description": "The kind of failure as a word."}
    schemas: dict[str, Schema] = {
        "Failure": {
            "type": "object",
            "description": "The envelope of every answer that is not a success.",
            "properties": failure,
            "required": list(failure),
        },
        "Paging": {
            "type": "object",
            "description": "Links to the neighbours of this page, each only where there is one.",
            "properties": {"next": url, "previous": url},
        },
    }
    if "xml" in surface.formats:
        schemas["XmlAnswer"] = {
            "type": "object",
            "xml": {"name": "Response"},
            "description": "The same tree as in JSON; what is inside Data keeps its names.",
            "properties": {"Message": text, "Code": {"type": "integer"}, "Data": {}, "Paging": {}},
            "required": ["Message", "Code", "Data"],
        }
    return schemas


def own_parameters(surface: Surface) -> Document:
    """Parameters that every endpoint takes, by name; `fields` only some."""
    found = {"locale": ("The language of messages; without it the account's own.", surface.locale_reader.schema())}
    if len(surface.formats) > 1:
        schema = {**surface.format_reader.schema(), "default": surface.formats[0]}
        found["format"] = ("The format of the answer.", schema)
    if surface.selects_fields:
        text = "The parts of the answer that are wanted, such as `a,b/c,d(e,f)`; without it the whole answer."
        found["fields"] = (text, {"type": "string", "minLength": 1, "maxLength": MOST_LENGTH})
    return {
        name: {"name": name, "in": "query", "description": text, "schema": schema}
        for name, (text, schema) in found.items()
    }


def security_schemes(book: Book) -> Document:
    """The ways to show a token."""
    bearer: Document = {"type": "http", "scheme": "bearer", "description": "An access token, however it was got."}
    if book.oauth is None:
        return {"bearer": {**bearer, "x-scopes": book.surface.scopes}}
    flow = {
        "authorizationUrl": book.base_url + book.oauth.authorize,
        "tokenUrl": book.base_url + book.oauth.token,
        "refreshUrl": book.base_url + book.oauth.refresh,
        "scopes": book.surface.scopes,
    }
    schemes: Document = {
        "oauth2": {"type": "oauth2", "flows": {"authorizationCode": flow}},
        "bearer": bearer,
    }
    if any(endpoint.open for endpoint in book.surface.endpoints):
        about = "The id and the secret of an app, which may as well stand among the parameters."
        schemes["client"] = {"type": "http", "scheme": "basic", "description": about}
    if name := book.surface.token_parameter:
        about = "An access token as a parameter, in the query or in the body."
        schemes[name] = {"type": "apiKey", "in": "query", "name": name, "description": about}
    return schemes
