"""The reference of a surface that takes bodies of XML: one page, out of the same declarations as the others."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from tradepost.wire.describe.bodies import body_page
from tradepost.wire.describe.book import Book, Example, Examples
from tradepost.wire.describe.curl import curl
from tradepost.wire.describe.index import GENERATED
from tradepost.wire.describe.markdown import block, code, slug, table
from tradepost.wire.describe.told import failure_table, failures_of_any_call, failures_of_some
from tradepost.wire.describe.words import form_of
from tradepost.wire.endpoint import Endpoint
from tradepost.wire.http_types import Document

_HOW = """Calls are made by POST with a body of XML, whatever its root is called and however it is labelled; a body
of JSON with the same names says the same. Elements that are named here are read, all others are read over. A token
stands in `access_token`, in the body or in the query, or in a header `Authorization: Bearer …`; its scopes and
limits are those of v3. `locale` in the query is the language of error messages, `en` or `zh`.

An answer is a `root` with `status`, which is 0 where all went well, and `timestamp`, the time in China. Otherwise
`status` is a code and `error_message` a sentence. What is wrong with a call or its token is told with HTTP status
200, because clients of this generation read nothing else.

XML is UTF-8, without a document type, with at most 20,000 elements, 16 deep, in at most 1 MiB."""


def older_page(book: Book, examples: Examples) -> str:
    """The page: how to call, all endpoints with their bodies, answers and examples, and the errors."""
    parts = [GENERATED, f"# {book.surface.title} v{book.surface.version}", _HOW, "## Endpoints", _contents(book)]
    for chapter in book.chapters:
        for endpoint in book.operations_of(chapter).values():
            parts += _endpoint(endpoint, examples)
    parts += ["## Errors of any call", failure_table(failures_of_any_call(book.surface), tells_type=False)]
    parts += ["## Errors of some endpoints", failure_table(failures_of_some(book.surface), tells_type=False)]
    return "\n\n".join(parts) + "\n"


def _contents(book: Book) -> str:
    rows = []
    for found in book.surface.endpoints:
        call = code(f"{found.documented_method} {found.path}")
        rows.append((call, f"[{found.title}](#{slug(found.title)})", code(found.scope) if found.scope else ""))
    return table(("Call", "What it does", "Scope"), rows)


def _endpoint(endpoint: Endpoint, examples: Examples) -> Iterator[str]:
    yield f"## {endpoint.title}"
    if endpoint.doc:
        yield endpoint.doc
    yield code(f"{endpoint.documented_method} {endpoint.path}")
    if endpoint.body is not None:
        about, *fields = body_page(endpoint.body[1])
        yield about.replace("a JSON object", "elements inside of the root")
        yield from fields
    elif endpoint.params:
        rows = [
            (code(p.name), "**required**" if p.required else "optional", form_of(p.reader), p.doc)
            for p in endpoint.params
        ]
        yield table(("Name", "Given", "Form", "Meaning"), rows)
    yield from _answer(endpoint.returns)
    for example in examples.get(endpoint.path, ()):
        yield from _example(example)


def _answer(returns: Any) -> Iterator[str]:
    if returns is Document:
        yield "**Answer**: the file."
        return
    yield "**Answer**: inside of the root, beside `status`:"
    rows = []
    for struct, about in _structs(returns, ""):
        attributes = getattr(struct, "ATTRIBUTES", ())
        for field in msgspec.structs.fields(struct):
            kind = "attribute" if field.name in attributes else "element"
            if field.name == getattr(struct, "CONTENT", ""):
                kind = "text"
            rows.append((code(about + field.name), kind, _said(struct, field.name)))
    yield table(("Name", "Kind", "Meaning"), rows)


def _structs(hint: Any, before: str) -> Iterator[tuple[type[msgspec.Struct], str]]:
    """A struct and those in it, with what stands before the names of their fields."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint, before
        for field in msgspec.structs.fields(hint):
            for arm in typing.get_args(field.type):
                yield from _structs(arm, f"{before}{field.name}/")


def _said(struct: type[msgspec.Struct], name: str) -> str:
    """The sentence of a docstring that speaks of a field; the first one where none does."""
    text = " ".join((inspect.getdoc(struct) or "").split())
    parts = text.split(". ")
    found = next((part for part in parts if f"`{name}`" in part), parts[0])
    return found.rstrip(".") + "."


def _example(example: Example) -> Iterator[str]:
    yield f"{' '.join(example.comments)[:1].upper()}{' '.join(example.comments)[1:]}:"
    yield block(curl(example), "sh")
    yield block(example.answer, "xml" if example.answer_is_xml else "text")
