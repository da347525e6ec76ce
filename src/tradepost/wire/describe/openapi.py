"""The OpenAPI 3.1 document of a surface.

What repeats stands under `components` and is referred to: the parameters of a call once for its body, its refusals
once for all its methods and paths. Names there are those of the endpoint's function, which is its operation id.
"""

from __future__ import annotations

import dataclasses
import json
from http import HTTPStatus

from tradepost.wire.describe.bodies import body_schema
from tradepost.wire.describe.book import Book, limit_words
from tradepost.wire.describe.components import (
    Document,
    frame_schemas,
    headers_of,
    key_parameter,
    own_parameters,
    security_schemes,
)
from tradepost.wire.describe.schemas import REF, Answers, Schema, answers_of, is_listing
from tradepost.wire.describe.told import Told, own_failures, shared_failures
from tradepost.wire.describe.words import default_of
from tradepost.wire.endpoint import DeclarationError, Each, Endpoint, Param
from tradepost.wire.forms import ACCEPTED_TYPES

_ALWAYS = ("Wish-Request-Id", "Wish-Rate-Limit-Remaining")
_BY_STATUS = {200: ("Tradepost-Ignored-Parameters",), 429: ("Wish-Rate-Limit-Reset",), 503: ("Retry-After",)}


_DONE = {
    "description": "It worked; there is nothing to tell.",
    "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in (*_ALWAYS, *_BY_STATUS[200])},
}


def openapi_text(book: Book) -> str:
    """The document as JSON, the same for the same declarations."""
    return json.dumps(openapi(book), indent=2, ensure_ascii=False) + "\n"


def openapi(book: Book) -> Document:
    """The document as a tree of built-in values."""
    return _Writer(book).document()


class _Writer:
    """Writes one document; `components` fills while the paths are written."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.surface = book.surface
        self.answers: Answers = answers_of(book.operations)
        self.schemas: dict[str, Schema] = frame_schemas(book.surface)
        self.responses: Document = {}
        self.own_parameters = own_parameters(book.surface)
        self._add_schemas(self.answers.structs)

    def document(self) -> Document:
        paths: Document = {}
        for name, endpoint in self.book.operations.items():
            for age, path in enumerate(endpoint.paths):
                paths.setdefault(path, {}).update(self._operations(endpoint, name, age))
        return {
            "openapi": "3.1.0",
            "info": {
                "title": self.surface.title,
                "version": self.surface.version,
                "description": self._introduction(),
            },
            "servers": [{"url": self.book.base_url, "description": "A local installation."}],
            "tags": [{"name": chapter.title, "description": chapter.about} for chapter in self.book.chapters],
            "paths": paths,
            "components": {
                "securitySchemes": security_schemes(self.book),
                "parameters": self.own_parameters,
                "headers": headers_of(self.surface),
                "responses": dict(sorted(self.responses.items())),
                "schemas": dict(sorted(self.schemas.items())),
            },
        }

    def _introduction(self) -> str:
        lines = [
            "Every answer stands in an envelope of `message`, `code` and `data`; `code` is 0 where all went well.",
        ]
        if self.surface.any_method:
            lines.append(
                "GET and POST do the same wherever both are listed. Parameters may stand in the query or in the "
                "body, which may be a form or a JSON object; the body schemas here list what is required when all "
                "stands there."
            )
        lines += [
            f"Every path under `{self.surface.prefix}` answers under `{alias}` as well."
            for alias in self.surface.prefix_aliases
        ]
        return "\n\n".join(lines)

    # -- operations ---------------------------------------------------------------------------------------------

    def _operations(self, endpoint: Endpoint, name: str, age: int) -> Document:
        suffix = "" if age == 0 else "_at_older_path" + ("" if age == 1 else f"_{age}")
        found = {}
        for method in endpoint.methods:
            by = "" if method == endpoint.documented_method else f"_by_{method.lower()}"
            operation = self._operation(endpoint, name, method)
            operation["operationId"] = name + by + suffix
            if age:
                operation["deprecated"] = True
                operation["description"] += f"\n\nAn older path of `{endpoint.path}`."
            found[method.lower()] = operation
        return found

    def _operation(self, endpoint: Endpoint, name: str, method: str) -> Document:
        title = next(chapter.title for chapter in self.book.chapters if chapter.name == endpoint.chapter)
        described = [endpoint.doc] if endpoint.doc else [f"{endpoint.title}."]
        described += [f"Give `{one}` or `{other}`." for one, other in endpoint.one_of]
        limits = "; ".join(limit_words(limit) for limit in endpoint.limits)
        described.append(f"At most {limits}.")
        operation: Document = {
            "operationId": name,
            "tags": [title],
            "summary": endpoint.title,
            "description": "\n\n".join(described),
            "security": self._security(endpoint),
            "x-rate-limits": [dataclasses.asdict(limit) for limit in endpoint.limits],
        }
        if endpoint.scope:
            operation["x-required-scope"] = endpoint.scope
        operation["parameters"] = [
            {"$ref": f"#/components/parameters/{own}"}
            for own in self.own_parameters
            if own != "fields" or self.book.takes_fields(endpoint)
        ]
        if self.surface.keeps_answer(endpoint):
            operation["parameters"].append(key_parameter())
        operation["parameters"] += [_path_parameter(p) for p in endpoint.params if p.name == endpoint.blank]
        if method in ("GET", "DELETE"):
            operation["parameters"] += [_query_parameter(param) for param in _beside_path(endpoint)]
        elif endpoint.body is not None:
            content = {"application/json": {"schema": body_schema(endpoint.body[1])}}
            operation["requestBody"] = {"required": True, "content": content}
        elif _beside_path(endpoint):
            operation["requestBody"] = self._body(endpoint, name)
        good = {"204": _DONE} if endpoint.empty else {"200": self._success(endpoint, name)}
        operation["responses"] = {**good, **self._refusals(endpoint, name)}
        return operation

    def _security(self, endpoint: Endpoint) -> list[Document]:
        if endpoint.open:
            return [{"client": []}, {}]
        if self.book.oauth is None:
            return [{"bearer": [endpoint.scope] if endpoint.scope else []}]
        ways: list[Document] = [{"oauth2": [endpoint.scope] if endpoint.scope else []}, {"bearer": []}]
        if self.surface.token_parameter:
            ways.append({self.surface.token_parameter: []})
        return ways

    def _body(self, endpoint: Endpoint, name: str) -> Document:
        title = "".join(part.capitalize() for part in name.split("_")) + "Parameters"
        self._add_schemas({title: _body_schema(endpoint)})
        schema = {"$ref": REF + title}
        asked = bool(endpoint.one_of) or any(param.required for param in _beside_path(endpoint))
        return {"required": asked, "content": {kind: {"schema": schema} for kind in ACCEPTED_TYPES}}

    # -- answers ------------------------------------------------------------------------------------------------

    def _success(self, endpoint: Endpoint, name: str) -> Document:
        properties: Document = {
            "message": {"type": "string", "const": endpoint.says},
            "code": {"type": "integer", "const": 0},
            "data": self.answers.data[name],
        }
        if endpoint.flat:
            beside = self.answers.resolve(properties.pop("data"))
            assert beside is not None, "an answer without data is an object"
            properties |= {"message": {"type": "string", "const": "Success"}, **beside["properties"]}
        if is_listing(endpoint):
            properties["paging"] = {"$ref": REF + "Paging"}
        needed = list(properties) if endpoint.flat else ["message", "code", "data"]
        envelope = {"type": "object", "properties": properties, "required": needed}
        return self._response("It worked.", 200, envelope)

    def _refusals(self, endpoint: Endpoint, name: str) -> Document:
        own, shared = own_failures(self.book, endpoint), shared_failures(self.book, endpoint)
        found = {}
        for status in sorted({told.http for told in (*own, *shared)}):
            mine = [told for told in own if told.http == status]
            others = [told for told in shared if told.http == status]
            text = _failure_list(status, mine, others)
            response = self._response(text, status, {"$ref": REF + "Failure"})
            key = str(status)
            if mine or self.responses.setdefault(key, response) != response:
                key = f"{name}.{status}"
                self.responses[key] = response
            found[str(status)] = {"$ref": f"#/components/responses/{key}"}
        return found

    def _response(self, description: str, status: int, schema: Schema) -> Document:
        content: Document = {"application/json": {"schema": schema}}
        if "xml" in self.surface.formats:
            content["application/xml"] = {"schema": {"$ref": REF + "XmlAnswer"}}
        names = (*_ALWAYS, *_BY_STATUS.get(status, ()))
        if self.surface.key_failures:
            names += {200: ("Idempotent-Replayed",), 409: ("Retry-After",)}.get(status, ())
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        return {"description": description, "headers": headers, "content": content}

    # -- components ---------------------------------------------------------------------------------------------

    def _add_schemas(self, more: dict[str, Schema]) -> None:
        for name, schema in more.items():
            if self.schemas.setdefault(name, schema) != schema:
                raise DeclarationError(f"two schemas are called {name!r}")


def _described(param: Param) -> tuple[str, Schema]:
    """The meaning of a parameter, and its schema with the default in it."""
    schema = dict(param.reader.schema())
    text = param.doc
    if detail := schema.pop("description", None):
        text = f"{text} ({detail})"
    default = default_of(param)
    if default is not None:
        schema["default"] = default
    return text, schema


def _beside_path(endpoint: Endpoint) -> list[Param]:
    """The parameters that do not stand in the path."""
    return [param for param in endpoint.params if param.name != endpoint.blank]


def _path_parameter(param: Param) -> Document:
    text, schema = _described(param)
    return {"name": param.name, "in": "path", "required": True, "description": text, "schema": schema}


def _query_parameter(param: Param) -> Document:
    text, schema = _described(param)
    found: Document = {"name": param.name, "in": "query", "description": text, "schema": schema}
    if param.each is not None:
        # An object that is exploded: each of its properties is a parameter by itself.
        family = {"type": "object", "patternProperties": {_pattern(param.each): schema}}
        found |= {"style": "form", "explode": True, "schema": family | {"additionalProperties": False}}
    if param.required:
        found["required"] = True
    if param.reader.takes_empty:
        found["allowEmptyValue"] = True
    return found


def _pattern(each: Each) -> str:
    return f"^{each.before}({'|'.join(each.keys)})$"


def _body_schema(endpoint: Endpoint) -> Schema:
    properties, families = {}, {}
    for param in _beside_path(endpoint):
        text, schema = _described(param)
        if param.each is None:
            properties[param.name] = {"description": text, **schema}
        else:
            families[_pattern(param.each)] = {"description": text, **schema}
    body: Schema = {"type": "object", "properties": properties}
    if families:
        body["patternProperties"] = families
    if required := [param.name for param in _beside_path(endpoint) if param.required]:
        body["required"] = required
    pairs = [{"anyOf": [{"required": [name]} for name in pair]} for pair in endpoint.one_of]
    if len(pairs) == 1:
        body |= pairs[0]
    elif pairs:
        body["allOf"] = pairs
    return body


def _failure_list(status: int, own: list[Told], shared: list[Told]) -> str:
    lines = [f"{HTTPStatus(status).phrase}:", "", *(_failure_line(told) for told in own)]
    if own and shared:
        lines += ["", "And, as with other calls:", ""]
    return "\n".join([*lines, *(_failure_line(told) for told in shared)])


def _failure_line(told: Told) -> str:
    kind = "" if told.type == "-" else f" {told.type}"
    return f"- {told.code}{kind}: {told.sentence}"
