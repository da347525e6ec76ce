"""The reference for people: one page per chapter, each enough to call its endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from tradepost.wire.describe.bodies import body_page
from tradepost.wire.describe.book import Book, Chapter, Example, Examples, limit_words, size_words
from tradepost.wire.describe.curl import curl
from tradepost.wire.describe.index import GENERATED, index_page
from tradepost.wire.describe.markdown import block, code, sentences, slug, table
from tradepost.wire.describe.schemas import REF, Answers, Schema, answers_of, is_listing
from tradepost.wire.describe.told import failure_table, own_failures
from tradepost.wire.describe.words import default_of, form_of, shape_words
from tradepost.wire.endpoint import BODY_LIMIT, Endpoint, Param

LONG_ANSWER = 120
"""From how many lines on an answer is folded away."""


def pages(book: Book, examples: Examples | None = None) -> dict[str, str]:
    """All pages of a surface by file name: `index.md` and one page per chapter."""
    found = {"index.md": index_page(book, examples or {})}
    answers = answers_of(book.operations)
    for chapter in book.chapters:
        found[f"{chapter.name}.md"] = _Page(book, chapter, answers, examples or {}).text()
    return found


class _Page:
    """Writes the page of one chapter."""

    def __init__(self, book: Book, chapter: Chapter, answers: Answers, examples: Examples) -> None:
        self.book = book
        self.surface = book.surface
        self.chapter = chapter
        self.answers = answers
        self.examples = examples
        self.operations = book.operations_of(chapter)
        met = Counter(name for operation in self.operations for name in self._structs(operation))
        self.inline = {name: self._only_here(name, met) for name in self.operations}
        self.objects = [struct for struct in met if struct not in self.inline.values()]

    def text(self) -> str:
        parts = [GENERATED, f"# {self.chapter.title}", self.chapter.about, self._contents()]
        for name, endpoint in self.operations.items():
            parts += self._endpoint(name, endpoint)
        if self.objects:
            parts.append("## Objects")
            for name in self.objects:
                parts += [f"### {_object_title(self.answers.structs[name])}", *self._fields(name)]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _contents(self) -> str:
        lines = [
            f"- [{endpoint.title}](#{slug(endpoint.title)}): {_call(endpoint)}"
            for endpoint in self.operations.values()
        ]
        basics = f"How to call, tokens, formats and the errors of any call: [{self.surface.title}](index.md)."
        return "\n".join([basics, "", *lines])

    # -- one endpoint -------------------------------------------------------------------------------------------

    def _endpoint(self, name: str, endpoint: Endpoint) -> list[str]:
        return [
            f"## {endpoint.title}",
            endpoint.doc,
            self._facts(endpoint),
            *self._parameters(endpoint),
            *self._answer(name, endpoint),
            *self._failures(endpoint),
            *self._examples(endpoint),
        ]

    def _facts(self, endpoint: Endpoint) -> str:
        lines = [f"- Call: {_call(endpoint)}"]
        if others := [method for method in endpoint.methods if method != endpoint.documented_method]:
            lines[0] += f" ({' and '.join(others)} does the same)"
        if older := endpoint.paths[1:]:
            lines.append(f"- Older path{'s' if len(older) > 1 else ''}: {', '.join(map(code, older))}")
        scope = code(endpoint.scope) if endpoint.scope else "none, any valid token will do"
        lines.append(f"- Scope: {scope}")
        if endpoint.limits == self.surface.default_limits and len(endpoint.limits) > 1:
            lines.append("- Rate limits: [the usual ones](index.md#limits)")
        else:
            lines.append(f"- Rate limit: {'; '.join(map(limit_words, endpoint.limits))}")
        if endpoint.body_limit != BODY_LIMIT:
            lines.append(f"- Body: at most {size_words(endpoint.body_limit)}")
        return "\n".join(lines)

    def _parameters(self, endpoint: Endpoint) -> list[str]:
        if endpoint.body is not None:
            return body_page(endpoint.body[1])
        if not endpoint.params:
            return ["**Parameters**: none of its own."]
        pair_of = {one: other for pair in endpoint.one_of for one, other in (pair, pair[::-1])}
        # What must be given comes first; the rest keeps the order of the declaration.
        ordered = sorted(endpoint.params, key=lambda p: 0 if p.name in pair_of else 1 if p.required else 2)
        rows = [(code(param.name), _given(param, pair_of), form_of(param.reader), param.doc) for param in ordered]
        return ["**Parameters**", table(("Name", "Given", "Form", "Meaning"), rows)]

    def _answer(self, name: str, endpoint: Endpoint) -> list[str]:
        inline = self.inline[name]
        shape = shape_words(self.answers.data[name], partial(self._link, inline=inline))
        where = "what stands beside `code` and `message`" if endpoint.flat else "`data`"
        parts = [f"**What comes back**: {where} is {_with_article(shape)}{':' if inline else '.'}"]
        if inline:
            parts += self._fields(inline)
        if is_listing(endpoint):
            parts.append("`paging` has links to the [next and the previous page](index.md#pages).")
        if self.book.takes_fields(endpoint):
            parts.append("[`fields`](index.md#parts-of-an-answer) asks for a part of it.")
        return parts

    def _failures(self, endpoint: Endpoint) -> list[str]:
        usual = "[what any call can meet](index.md#errors-of-any-call)"
        failures = own_failures(self.book, endpoint)
        if not failures:
            return [f"**What can go wrong**: only {usual}."]
        return [
            f"**What can go wrong**, besides {usual}:",
            failure_table(failures, self.surface.tells_type),
        ]

    def _examples(self, endpoint: Endpoint) -> list[str]:
        # An answer without anything in it has not been recorded yet.
        cases = [case for path in endpoint.paths for case in self.examples.get(path, ()) if case.answer]
        others = {m for other in self.surface.endpoints if other.path == endpoint.path for m in other.methods}
        cases = [case for case in cases if case.method not in others - set(endpoint.methods)]
        parts: list[str] = []
        for place, case in enumerate(cases):
            about = " ".join(case.comments) or f"Status {case.status}"
            about = about[0].upper() + about[1:]
            if place == 0:
                parts += [f"**Example**: {about.rstrip('.')}.", *self._example(case)]
            else:
                parts += [f"<details><summary>{_html(about)}</summary>", *self._example(case), "</details>"]
        return parts

    def _example(self, case: Example) -> list[str]:
        command = block(curl(case, self.surface.token_parameter), "sh")
        answer = block(case.answer, "xml" if case.answer_is_xml else "json")
        lines = case.answer.count("\n") + 1
        if lines > LONG_ANSWER:
            answer = f"<details><summary>{lines} lines</summary>\n\n{answer}\n\n</details>"
        return [command, f"answers {case.status}:", answer]

    # -- objects ------------------------------------------------------------------------------------------------

    def _structs(self, operation: str) -> list[str]:
        """The structs with a table of their own that an answer is made of, the outer ones first."""
        found: dict[str, None] = {}
        queue = list(_refs(self.answers.data[operation]))
        while queue:
            name = queue.pop(0)
            if name not in found:
                found[name] = None
                queue += _refs(self.answers.structs[name])
        return [name for name in found if not self._wrapped(name) and self.answers.structs[name]["properties"]]

    def _wrapped(self, name: str) -> tuple[str, Schema] | None:
        """The one field of a struct that only wraps another, and what is in it."""
        properties = self.answers.structs[name]["properties"]
        if len(properties) == 1:
            field, inner = next(iter(properties.items()))
            if "$ref" in inner:
                return field, inner
        return None

    def _only_here(self, operation: str, met: Counter[str]) -> str | None:
        """The struct that an answer is, where nothing else on this page is it or has it: it needs no name."""
        schema = self.answers.data[operation]
        (schema,) = schema.get("properties", {"": schema}).values()
        schema = schema.get("items", schema)
        while "$ref" in schema:
            name = schema["$ref"].removeprefix(REF)
            if wrapped := self._wrapped(name):
                schema = wrapped[1]
                continue
            named = any(name in _refs(self.answers.structs[struct]) for struct in met)
            return name if met[name] == 1 and not named else None
        return None

    def _link(self, name: str, inline: str | None = None) -> str:
        if name == inline:
            return "an object with these fields"
        if wrapped := self._wrapped(name):
            field, inner = wrapped
            return f"an object whose {code(field)} is {shape_words(inner, partial(self._link, inline=inline))}"
        struct = self.answers.structs[name]
        if not struct["properties"]:
            return "an empty object"
        return f"a [{struct['title']}](#{slug(_object_title(struct))}) object"

    def _fields(self, name: str) -> list[str]:
        struct = self.answers.structs[name]
        fields = struct["properties"]
        told = sentences(struct.get("description", ""))
        # A sentence of the docstring that is about one field stands beside that field.
        about = {field: [text for text in told if text.startswith(f"`{field}` ")] for field in fields}
        rest = [text for text in told if not any(text in texts for texts in about.values())]
        rows = []
        for field, schema in fields.items():
            form = shape_words(schema, self._link)
            if field not in struct.get("required", ()):
                form += "; may be missing"
            own = [schema.get("description", ""), *(_about_it(field, text) for text in about[field])]
            rows.append((code(field), form, " ".join(filter(None, own)) or self._meaning(schema)))
        columns = 3 if any(meaning for _, _, meaning in rows) else 2
        head = ("Field", "Form", "Meaning")[:columns]
        return [" ".join(rest), table(head, [row[:columns] for row in rows])]

    def _meaning(self, schema: Schema) -> str:
        """What a field is that has no words of its own: what the struct in it is."""
        for name in _refs(schema):
            wrapped = self._wrapped(name)
            inner = self.answers.structs[wrapped[1]["$ref"].removeprefix(REF) if wrapped else name]
            return next(iter(sentences(inner.get("description", ""))), "")
        return ""


def _call(endpoint: Endpoint) -> str:
    return code(f"{endpoint.documented_method} {endpoint.path}")


def _given(param: Param, pair_of: dict[str, str]) -> str:
    if param.name in pair_of:
        return f"this or {code(pair_of[param.name])}"
    if param.required:
        return "**required**"
    default = default_of(param)
    return "optional" if default is None else f"optional, {code(str(default))} if left out"


def _object_title(struct: Schema) -> str:
    return f"The {struct['title']} object"


def _with_article(shape: str) -> str:
    return f"a {shape}" if shape.startswith(("list", "text", "number", "whole", "object", "JSON")) else shape


def _about_it(field: str, sentence: str) -> str:
    """A sentence about a field as it reads beside the field: "`pieces` is a number" is "A number" there."""
    told = sentence
    for verb in ("is", "are", "says", "tells"):
        told = told.removeprefix(f"`{field}` {verb} ")
    return told[0].upper() + told[1:]


def _refs(schema: object) -> Sequence[str]:
    """The names that a schema refers to, in the order they stand there."""
    if isinstance(schema, dict):
        inner = [name for value in schema.values() for name in _refs(value)]
        return [schema["$ref"].removeprefix(REF), *inner] if "$ref" in schema else inner
    if isinstance(schema, list):
        return [name for value in schema for name in _refs(value)]
    return []


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
