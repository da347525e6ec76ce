"""The reference says everything that is declared, in a form that programs and people can rely on."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, Struct, UnsetType
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from tools.reference import books, examples, stale, write

from tests.support.transcripts import Case, parse
from tradepost.values import Fact
from tradepost.wire import refusals
from tradepost.wire.bodies import Body, StrictObject
from tradepost.wire.describe import Book, Chapter, OAuthPaths, openapi, openapi_text, pages
from tradepost.wire.describe.bodies import body_page, body_schema
from tradepost.wire.describe.curl import curl
from tradepost.wire.describe.markdown import cell, code, sentences, slug
from tradepost.wire.describe.words import form_of, shape_words
from tradepost.wire.endpoint import DeclarationError, Endpoint, RateLimit, Surface
from tradepost.wire.failures import FailureTable, Line
from tradepost.wire.paging import Listing, Under
from tradepost.wire.params import Boolean, Choice, Digits, Doc, Number, Text, WebUrl, Whole

ROOT = Path(__file__).resolve().parents[2]
BOOKS = books()
OAUTH = OAuthPaths("/consent", "/token", "/refresh")


# -- a small surface of its own -----------------------------------------------------------------------------------


class Lost(Fact):
    """There is no such ring."""

    id: str


class Gem(Struct):
    """A stone. `carat` is its weight."""

    carat: Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
    colour: str | UnsetType


class Ring(Struct):
    """A ring."""

    id: Annotated[str, msgspec.Meta(description="Its id.")]
    gems: list[Gem]
    note: str | None = None
    size: int | UnsetType = UNSET


class RingItem(Struct):
    """A ring in a list."""

    Ring: Ring


@dataclass(frozen=True)
class Ref:
    one_of = ("id", "name")

    id: Annotated[str, Text(9), Doc("The id.")] | None = None
    name: Annotated[str, Text(9), Doc("The name, a|b.")] | None = None


def small_surface() -> Surface:
    facts = [kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Fact)]
    names = [fact.__name__ for fact in facts] + ["Lost"]
    lines = {name: Line(name, 400, 1000, "{}", "bad") for name in names}
    lines["Lost"] = Line("Lost", 404, 1004, "@id", "lost")
    words = dict.fromkeys(names, "No.") | {"Lost": "No ring | '{id}'"}
    surface = Surface(
        name="small",
        title="Small API",
        version="1",
        prefix="/api/v1",
        table=FailureTable(lines, {"en": words}, "en"),
        failure_base=Lost,
        common_failures=[],
        scopes={"rings:read": "See rings."},
        default_limits=[RateLimit("default", "app_user", 1000, 60)],
        formats=("json", "xml"),
        token_parameter="token",
        any_method=True,
        selects_fields=True,
    )

    @surface.read("/ring", "/older-ring", scope="rings:read", fails=[Lost])
    async def get_ring(ctx: object, *, ref: Ref, deep: Annotated[bool, Boolean(), Doc("All.")] = False) -> Ring:
        """Find a ring.

        By id or name.
        """
        raise NotImplementedError

    @surface.read("/ring/all")
    async def list_rings(
        ctx: object, *, limit: Annotated[int, Whole(1, 250), Doc("How many.")] = 50
    ) -> Listing[RingItem]:
        """List rings."""
        raise NotImplementedError

    return surface


def small_book() -> Book:
    chapter = Chapter(__name__.rpartition(".")[2], "Rings", "All about rings.")
    return Book(small_surface(), (chapter,), "http://localhost", OAUTH)


# -- what both surfaces must fulfil -------------------------------------------------------------------------------


@pytest.fixture(params=[*BOOKS, "small"])
def book(request: pytest.FixtureRequest) -> Book:
    return BOOKS.get(request.param) or small_book()


def operations(document: dict[str, Any], endpoint: Endpoint) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in endpoint.paths:
        for method in endpoint.methods:
            yield path, method, document["paths"][path][method.lower()]


def resolve(document: dict[str, Any], node: dict[str, Any]) -> Any:
    found: Any = document
    if "$ref" not in node:
        return node
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_the_document_is_valid(book: Book) -> None:
    problems = [error.message for error in OpenAPIV31SpecValidator(json.loads(openapi_text(book))).iter_errors()]
    assert problems == []


def test_every_path_and_method_is_one_operation_of_its_own(book: Book) -> None:
    document = openapi(book)
    ids = [op["operationId"] for e in book.surface.endpoints for _, _, op in operations(document, e)]
    assert len(ids) == len(set(ids)) == sum(len(item) for item in document["paths"].values())


def test_every_parameter_is_in_the_query_or_in_the_body(book: Book) -> None:
    document = openapi(book)
    for endpoint in book.surface.endpoints:
        wanted = {param.name: param.required for param in endpoint.params}
        for _, method, operation in operations(document, endpoint):
            parameters = [resolve(document, parameter) for parameter in operation["parameters"]]
            query = {parameter["name"]: parameter.get("required", False) for parameter in parameters}
            assert [one["name"] for one in parameters if one["in"] == "path"] == list(
                filter(None, [endpoint.blank])
            )
            if method in ("GET", "DELETE"):
                assert wanted.items() <= query.items()
            elif wanted.keys() - {endpoint.blank}:
                content = operation["requestBody"]["content"]
                assert len(content) == 3
                for kind in content.values():
                    schema = resolve(document, kind["schema"])
                    single = {param.name: param.required for param in endpoint.params if param.each is None}
                    single.pop(endpoint.blank or "", None)
                    assert {name: name in schema.get("required", ()) for name in schema["properties"]} == single
                    assert_families_fit(endpoint, schema)
            own = {"locale", *(("format",) if len(book.surface.formats) > 1 else ())}
            own |= {"fields"} if book.takes_fields(endpoint) else set()
            own |= {"Idempotency-Key"} if book.surface.keeps_answer(endpoint) else set()
            assert query.keys() - wanted.keys() == own


def assert_families_fit(endpoint: Endpoint, schema: dict[str, Any]) -> None:
    """Every name of a family fits one pattern of the body, and that is its own."""
    patterns = list(schema.get("patternProperties", ()))
    families = [param for param in endpoint.params if param.each is not None]
    assert len(patterns) == len(families)
    for pattern, family in zip(patterns, families, strict=True):
        assert all(re.search(pattern, name) for name in family.names)
        others = [name for param in endpoint.params if param is not family for name in param.names]
        assert not any(re.search(pattern, name) for name in others)


def test_every_failure_is_told_under_its_status(book: Book) -> None:
    document = openapi(book)
    for endpoint in book.surface.endpoints:
        table = book.surface.table.at(endpoint.path)
        for _, _, operation in operations(document, endpoint):
            keys = book.surface.key_failures if book.surface.keeps_answer(endpoint) else ()
            usual = (*book.surface.common_failures, *keys, refusals.TokenMissing)
            for fact in (*endpoint.failures, *((refusals.ClientMissing,) if endpoint.open else usual)):
                line = table.line(fact.__name__)
                response = resolve(document, operation["responses"][str(line.http)])
                assert f"{line.code}" in response["description"]
                assert table.sentence(fact.__name__, "en") in response["description"]


def test_scopes_and_limits_are_told(book: Book) -> None:
    document = openapi(book)
    schemes = document["components"]["securitySchemes"]
    if book.oauth is None:
        assert schemes["bearer"]["x-scopes"] == book.surface.scopes
    else:
        assert schemes["oauth2"]["flows"]["authorizationCode"]["scopes"] == book.surface.scopes
    first = "bearer" if book.oauth is None else "oauth2"
    for endpoint in book.surface.endpoints:
        for _, _, operation in operations(document, endpoint):
            assert operation.get("x-required-scope") == endpoint.scope
            ways = {"client": []} if endpoint.open else {first: [endpoint.scope] if endpoint.scope else []}
            assert operation["security"][0] == ways
            assert len(operation["x-rate-limits"]) == len(endpoint.limits)


def test_the_pages_tell_every_endpoint_parameter_and_failure(book: Book) -> None:
    found = pages(book)
    assert found.keys() == {"index.md", *(f"{chapter.name}.md" for chapter in book.chapters)}
    for endpoint in book.surface.endpoints:
        section = found[f"{endpoint.chapter}.md"].partition(f"\n## {endpoint.title}\n")[2].partition("\n## ")[0]
        assert all(f"{path}`" in section for path in endpoint.paths)
        assert f"`{endpoint.documented_method} {endpoint.path}`" in found["index.md"]
        for param in endpoint.params:
            assert f"\n| `{param.name}` |" in section
            assert cell(param.doc) in section
        for fact in endpoint.failures:
            assert cell(book.surface.table.sentence(fact.__name__, "en")) in section


def test_the_index_tells_every_scope_error_header_and_language(book: Book) -> None:
    index = pages(book)["index.md"]
    for name in book.surface.table.names():
        line = book.surface.table.line(name)
        sentence = code(cell(book.surface.table.sentence(name, "en")))
        assert any(
            row.startswith(f"| {line.code} | {line.http} |") and sentence in row for row in index.split("\n")
        )
    assert all(f"| `{scope}` |" in index for scope in book.surface.scopes)
    assert all(f"`{locale}`" in index for locale in book.surface.table.locales)
    assert "| `Wish-Rate-Limit-Reset` |" in index


def test_every_link_leads_somewhere(book: Book) -> None:
    found = pages(book)
    anchors = {}
    for page, text in found.items():
        headings = [slug(heading) for heading in re.findall("^#+ (.*)$", text, re.MULTILINE)]
        assert len(headings) == len(set(headings))
        anchors[page] = set(headings)
    for page, text in found.items():
        for target in re.findall(r"\]\(([^)]*)\)", text):
            to, _, anchor = target.partition("#")
            assert not anchor or anchor in anchors[to or page]
            assert to == "" or to in found


def test_every_table_has_as_many_cells_in_each_row(book: Book) -> None:
    for text in pages(book).values():
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}) == 1


def test_the_same_declarations_make_the_same_text(book: Book) -> None:
    assert openapi_text(book) == openapi_text(book)
    assert pages(book) == pages(book)


def test_nothing_depends_on_the_order_of_sets() -> None:
    script = (
        "import hashlib; from tools.reference import reference;"
        "print(hashlib.sha256(repr(sorted(reference().items())).encode()).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def recorded_answers() -> Iterator[Any]:
    for name, book in BOOKS.items():
        folder = ROOT / "tests" / "contract" / name.replace("-", "_")
        for path, cases in examples(folder, book.surface.prefix).items():
            for case in cases:
                if case.answer and not case.answer_is_xml and "fields=" not in case.target:
                    yield pytest.param(name, path, case, id=f"{case.method} {case.target}")


@cache
def document_of(name: str) -> dict[str, Any]:
    """The document of a book, made once for all of its cases."""
    return openapi(BOOKS[name])


@pytest.mark.parametrize(("name", "path", "case"), list(recorded_answers()))
def test_recorded_answers_are_as_described(name: str, path: str, case: Case) -> None:
    document = document_of(name)
    # A case may prepare another with a call elsewhere; what it is recorded under is the file's path.
    asked = case.target.partition("?")[0]
    methods = document["paths"].get(asked if asked in document["paths"] else path, {})
    operation = methods.get(case.method.lower())
    if operation is None:  # a case of a path or a method that is refused
        return
    response = resolve(document, operation["responses"][str(case.status)])
    schema = response["content"]["application/json"]["schema"]
    validator = OAS31Validator({**schema, "components": document["components"]})
    assert [error.message for error in validator.iter_errors(json.loads(case.answer))] == []


# -- details, on the small surface --------------------------------------------------------------------------------


def test_a_pair_is_any_of_both() -> None:
    body = openapi(small_book())["components"]["schemas"]["GetRingParameters"]
    assert body["anyOf"] == [{"required": ["id"]}, {"required": ["name"]}]
    assert "required" not in body


def test_what_may_be_left_out_is_not_required() -> None:
    schemas = openapi(small_book())["components"]["schemas"]
    assert schemas["Gem"]["required"] == ["carat"]
    assert schemas["Ring"]["required"] == ["id", "gems", "note"]


def test_a_list_is_an_array_with_links() -> None:
    document = openapi(small_book())
    answer = document["paths"]["/api/v1/ring/all"]["get"]["responses"]["200"]["content"]["application/json"]
    properties = answer["schema"]["properties"]
    assert properties["data"] == {"type": "array", "items": {"$ref": "#/components/schemas/RingItem"}}
    assert properties["paging"] == {"$ref": "#/components/schemas/Paging"}


def test_a_list_under_a_name_is_an_object_with_links() -> None:
    surface = small_surface()

    @surface.read("/ring/lost")
    async def list_lost(ctx: object) -> Annotated[Listing[Gem], Under("lost")]:
        """List what was lost."""
        raise NotImplementedError

    book = Book(surface, small_book().chapters, "http://localhost", OAUTH)
    answer = openapi(book)["paths"]["/api/v1/ring/lost"]["get"]["responses"]["200"]["content"]["application/json"]
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Gem"}}
    properties = answer["schema"]["properties"]
    assert properties["data"] == {"type": "object", "properties": {"lost": rows}, "required": ["lost"]}
    assert properties["paging"] == {"$ref": "#/components/schemas/Paging"}
    told = "`data` is an object whose `lost` is a list; each item a [Gem](#the-gem-object) object."
    assert told in pages(book)["test_describe.md"]


def test_an_older_path_is_deprecated() -> None:
    paths = openapi(small_book())["paths"]
    assert paths["/api/v1/older-ring"]["get"]["deprecated"]
    assert "deprecated" not in paths["/api/v1/ring"]["get"]
    assert paths["/api/v1/older-ring"]["post"]["operationId"] == "get_ring_by_post_at_older_path"


def test_a_page_reads_well() -> None:
    example = parse(
        "# a ring is found\nGET /api/v1/ring?id=x\n=> 200\n{}\n\n# none\nGET /api/v1/ring?id=y\n=> 404\n{}\n"
    )
    text = pages(small_book(), {"/api/v1/ring": example})["test_describe.md"]
    for told in (
        "- Call: `GET /api/v1/ring` (POST does the same)\n- Older path: `/api/v1/older-ring`\n",
        "| `id` | this or `name` | text, at most 9 characters | The id. |",
        "| `name` | this or `id` | text, at most 9 characters | The name, a\\|b. |",
        "| `deep` | optional, `false` if left out | `true` or `false`",
        "| `limit` | optional, `50` if left out | whole number, 1 to 250 | How many. |",
        "**What comes back**: `data` is a [Ring](#the-ring-object) object.",
        "`data` is a list; each item an object whose `Ring` is a [Ring](#the-ring-object) object.",
        "| `id` | text | Its id. |",
        "| `gems` | list; each item a [Gem](#the-gem-object) object | A stone. |",
        "| `note` | text or null |",
        "| `size` | whole number; may be missing |",
        "| `carat` | number, as text | Its weight. |",
        "| 1004 | 404 | `{id}` | `No ring \\| '{id}'` | There is no such ring. |",
        '**Example**: A ring is found.\n\n```sh\ncurl "$TRADEPOST/api/v1/ring?id=x" \\\n',
        "<details><summary>None</summary>",
        "answers 404:",
    ):
        assert told in text


def test_an_answer_of_one_endpoint_alone_is_told_where_it_is() -> None:
    surface = small_surface()
    surface.endpoints = surface.endpoints[1:]
    chapter = Chapter(__name__.rpartition(".")[2], "Rings", "")
    text = pages(Book(surface, (chapter,), "http://localhost", OAUTH))["test_describe.md"]
    told = (
        "`data` is a list; each item an object whose `Ring` is an object with these fields:\n\nA ring.\n\n| Field |"
    )
    assert told in text
    assert "The Ring object" not in text
    assert "## Objects\n\n### The Gem object" in text


def test_a_chapter_without_a_title_is_refused() -> None:
    with pytest.raises(DeclarationError, match="no chapter is called 'test_describe'"):
        Book(small_surface(), (), "http://localhost", OAUTH)


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        (Whole(1, 25_000), "whole number, 1 to 25,000"),
        (Number("0.010", "100000"), "number, 0.01 to 100,000, at most 2 decimals"),
        (Text(50), "text, at most 50 characters"),
        (Text(50, least=2), "text, 2 to 50 characters"),
        (Choice(("A", "B"), nothing="null"), "one of `A`, `B`, `null`"),
        (Digits(8, 8), "8 digits"),
        (WebUrl(), "http or https URL, at most 2,048 characters"),
    ],
)
def test_a_reader_in_words(reader: Any, words: str) -> None:
    assert form_of(reader) == words


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "array", "items": {"type": "string"}}, "list of texts"),
        ({"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}]}, "whole number, at least 3 or null"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "object, each name with text"),
        ({"enum": ["x"]}, "always `x`"),
        ({"type": "string", "pattern": "^a$"}, "text of the form `^a$`"),
        ({}, "anything"),
    ],
)
def test_a_shape_in_words(schema: dict[str, Any], words: str) -> None:
    assert shape_words(schema) == words


def _case(**changes: Any) -> Case:
    plain: dict[str, Any] = {"method": "POST", "target": "/a", "headers": (), "fields": (), "answer": "{}"}
    return Case(scene=None, comments=("one",), status=200, **(plain | changes))


@pytest.mark.parametrize("value", ["ring", "Nicer 'ring' $HOME `x` \"y\"", "@file", "a=b&c!", "\\", "äé"])
def test_a_shell_hands_a_field_over_letter_by_letter(value: str) -> None:
    words = shlex.split(curl(_case(fields=(("a[0]", value),))).replace("\\\n", ""))
    assert words[-2:] == ["--data-urlencode", f"a%5B0%5D={value}"]
    assert words[:4] == ["curl", "$TRADEPOST/a", "-H", "Authorization: Bearer $TOKEN"]


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (_case(), '-X POST \\\n  -H "Authorization: Bearer $TOKEN"'),
        (_case(method="GET", target="/a?x={1}"), 'curl -g "$TRADEPOST/a?x={1}"'),
        (_case(method="GET", target="/a?x=$1"), "curl \"$TRADEPOST\"'/a?x=$1'"),
        (_case(method="GET", headers=(("Authorization", "Bearer {usd}"),)), '-H "Authorization: Bearer $TOKEN"'),
        (_case(method="GET", headers=(("Authorization", "Basic x"),)), "-H 'Authorization: Basic x'"),
    ],
)
def test_a_call_as_a_command(case: Case, told: str) -> None:
    assert told in curl(case)


def test_a_token_in_a_parameter_is_not_told_twice() -> None:
    assert "Authorization" not in curl(_case(method="GET", target="/a?token=t"), "token")
    assert "Authorization" not in curl(_case(headers=(("Authorization", ""),)))


def test_pieces_of_markdown() -> None:
    assert cell("a|b\n c") == "a\\|b c"
    assert code("a`b") == "``a`b``"
    assert slug("Change a product's SKU (v3)") == "change-a-products-sku-v3"
    assert sentences("One e.g. two. `x` is 1.5 long. Three") == ["One e.g. two.", "`x` is 1.5 long.", "Three"]


def test_stale_and_left_over_files_are_named_and_mended(tmp_path: Path) -> None:
    files = {tmp_path / "docs" / "a.md": "a\n", tmp_path / "docs" / "b.md": "b\n"}
    write(files)
    assert stale(files) == []
    (tmp_path / "docs" / "a.md").write_text("edited\n")
    (tmp_path / "docs" / "gone.md").write_text("of a chapter that is no more\n")
    assert stale(files) == [tmp_path / "docs" / "a.md", tmp_path / "docs" / "gone.md"]
    write(files)
    assert stale(files) == []


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is wished for."""

    gem: Annotated[str, Text(9), Doc("Which gem.")]
    carat: Annotated[int, Whole(1, 9), Doc("How heavy.")] = 2
    cut: Annotated[bool, Boolean(), Doc("Whether it is cut.")] = False
    note: Annotated[str, Text(9), Doc("More.")] = ""


def test_a_body_tells_what_counts_where_something_is_left_out() -> None:
    body = Body(StrictObject(Wish), "A wish.")
    (_, rows) = body_page(body)
    given = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in rows.splitlines()[2:]}
    assert given == {
        "`gem`": "**required**",
        "`carat`": "optional, `2` if left out",
        "`cut`": "optional, `false` if left out",
        "`note`": "optional",
    }
    defaults = {name: told.get("default") for name, told in body_schema(body)["properties"].items()}
    assert defaults == {"gem": None, "carat": 2, "cut": "false", "note": None}
