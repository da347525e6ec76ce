"""A declaration that does not hold together is refused where it is written, with its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import pytest

from tradepost.surfaces.merchant_v2.surface import api as real
from tradepost.values import NOT_GIVEN, Fact, NotGiven
from tradepost.wire import refusals
from tradepost.wire.endpoint import DeclarationError, Each, Group, RateLimit, Surface
from tradepost.wire.failures import TableError
from tradepost.wire.forms import parse_query
from tradepost.wire.http_types import BaseUrl, Locale
from tradepost.wire.params import Doc, Text, Whole

Number = Annotated[int, Whole(1, 9), Doc("A number.")]
Sizes = Annotated[Mapping[str, int], Whole(1, 9), Each("<size>", ("S", "M", "L"), "of_"), Doc("How many.")]


@pytest.fixture
def surface() -> Surface:
    """A surface of its own, with the merchant service's table."""
    return Surface(
        name="test",
        title="Test",
        version="1",
        prefix="/api/v0",
        prefix_aliases=("/v0",),
        table=real.table,
        failure_base=Fact,
        common_failures=(),
        scopes={"things:read": "See things."},
        default_limits=(RateLimit("default", "app_user", 10, 60),),
        formats=("json", "xml"),
        token_parameter="access_token",
        any_method=True,
    )


async def good(ctx: Any, *, number: Number, other: Number | NotGiven = NOT_GIVEN) -> None:
    """Do something.

    And tell about it.
    """


def test_a_good_one(surface: Surface) -> None:
    surface.read("/thing", "/old-thing", scope="things:read")(good)
    endpoint = surface.find("GET", "/api/v0/thing/")
    assert endpoint is surface.find("POST", "/v0/old-thing")
    assert (endpoint.title, endpoint.doc, endpoint.path) == ("Do something", "And tell about it.", "/api/v0/thing")
    assert [(param.name, param.required) for param in endpoint.params] == [("number", True), ("other", False)]


def test_a_path_that_is_taken(surface: Surface) -> None:
    surface.read("/thing")(good)
    with pytest.raises(DeclarationError, match=r"good: GET /api/v0/thing is taken by good"):
        surface.write("/other", "/thing")(good)


def test_an_unknown_scope(surface: Surface) -> None:
    with pytest.raises(DeclarationError, match="unknown scope 'things:wrote'"):
        surface.read("/thing", scope="things:wrote")(good)


def test_a_failure_without_a_line(surface: Surface) -> None:
    class NotInTheTable(Fact):
        """A failure nobody wrote a sentence for."""

    with pytest.raises(TableError, match="NotInTheTable"):
        surface.read("/thing", fails=[NotInTheTable])(good)


def test_what_belongs_to_the_surface(surface: Surface) -> None:
    async def greedy(ctx: Any, *, locale: Annotated[str, Text(2), Doc("The language.")]) -> None:
        """Take what every endpoint takes."""

    with pytest.raises(DeclarationError, match="'locale'"):
        surface.read("/thing")(greedy)


def test_signatures(surface: Surface) -> None:
    """Everything that a signature can lack."""

    async def no_docstring(ctx: Any) -> None: ...

    async def no_ctx(number: Number) -> None:
        """Have no context."""

    async def no_return(ctx: Any):  # type: ignore[no-untyped-def]
        """Say nothing about the answer."""

    async def positional(ctx: Any, number: Number) -> None:
        """Take a parameter by its place."""

    async def no_reader(ctx: Any, *, number: Annotated[int, Doc("A number.")]) -> None:
        """Have no reader."""

    async def no_meaning(ctx: Any, *, number: Annotated[int, Whole(1, 9)]) -> None:
        """Have no meaning."""

    for handler, lacking in (
        (no_docstring, "no docstring"),
        (no_ctx, "the first argument must be ctx"),
        (no_return, "no return annotation"),
        (positional, "number must be keyword-only"),
        (no_reader, "parameter number has no reader"),
        (no_meaning, "parameter number has no meaning"),
    ):
        with pytest.raises(DeclarationError, match=lacking):
            surface.read("/thing")(handler)


def test_what_is_handed_over_about_the_call_is_no_parameter(surface: Surface) -> None:
    async def linking(ctx: Any, *, number: Number, base_url: BaseUrl, language: Locale) -> None:
        """Answer with a link."""

    surface.read("/thing")(linking)
    endpoint = surface.find("GET", "/api/v0/thing")
    assert [param.name for param in endpoint.params] == ["number"]
    given = parse_query(b"number=3&base_url=https://elsewhere.example&language=fr")
    bound = endpoint.bind(given, BaseUrl("https://here.example"), "de")
    assert bound == {"number": 3, "base_url": "https://here.example", "language": "de"}


def test_several_parameters_as_one_argument(surface: Surface) -> None:
    """Own fields come before inherited ones, and an either-or pair is known."""

    @dataclass(frozen=True, kw_only=True)
    class Base:
        last: Number | NotGiven = NOT_GIVEN

    @dataclass(frozen=True, kw_only=True)
    class Both(Base):
        one_of: ClassVar[tuple[str, str]] = ("first", "second")
        first: Number | NotGiven = NOT_GIVEN
        second: Number | NotGiven = NOT_GIVEN

    async def handler(ctx: Any, *, both: Any) -> None:
        """Take several."""

    handler.__annotations__["both"] = Both
    surface.read("/thing")(handler)
    endpoint = surface.find("GET", "/api/v0/thing")
    assert isinstance(endpoint.arguments["both"], Group)
    assert [param.name for param in endpoint.params] == ["first", "second", "last"]
    assert endpoint.one_of == (("first", "second"),)


def test_a_family_of_parameters_as_one_argument(surface: Surface) -> None:
    """One declaration for many names; what was not given is not there, and a fault names the parameter."""

    @dataclass(frozen=True, kw_only=True)
    class Order:
        sizes: Sizes = field(default_factory=dict)

    async def handler(ctx: Any, *, order: Any) -> None:
        """Take a family."""

    handler.__annotations__["order"] = Order
    surface.read("/thing")(handler)
    endpoint = surface.find("GET", "/api/v0/thing")
    assert [param.name for param in endpoint.params] == ["<size>"]
    assert endpoint.names == {"of_S", "of_M", "of_L"}

    def bound(query: bytes) -> Any:
        return endpoint.bind(parse_query(query), BaseUrl("https://here.example"), "en")["order"].sizes

    assert bound(b"of_M=3&of_S=&of_XL=x&sizes=5") == {"M": 3}
    assert bound(b"") == {}
    with pytest.raises(refusals.NotWhole) as wrong:
        bound(b"of_M=3&of_L=10")
    assert wrong.value.name == "of_L"
    with pytest.raises(refusals.GivenTwice):
        bound(b"of_M=3&of_M=3")


def test_a_family_cannot_be_required(surface: Surface) -> None:
    async def handler(ctx: Any, *, sizes: Any) -> None:
        """Ask for all of a family."""

    handler.__annotations__["sizes"] = Sizes
    with pytest.raises(DeclarationError, match="stands for several"):
        surface.read("/thing")(handler)


def test_an_installation_chooses_its_limits(surface: Surface) -> None:
    """By group; levels that allow more keep their proportion; an unknown group is refused."""
    wide = RateLimit("default", "ip", 20, 60)
    surface.read("/thing", limits=(*surface.default_limits, wide))(good)
    endpoint = surface.find("GET", "/api/v0/thing")
    surface.override_limits({"test/default": 3, "another/default": 1})
    assert [limit.limit for limit in surface.limits_of(endpoint)] == [3, 6]
    with pytest.raises(DeclarationError, match="test/nothing"):
        surface.override_limits({"test/nothing": 3})
