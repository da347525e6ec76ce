"""Forms and limits in plain words, for the tables of the reference."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tradepost.wire.bodies import Member
from tradepost.wire.describe.schemas import REF, Schema
from tradepost.wire.endpoint import Param
from tradepost.wire.params import (
    Boolean,
    Choice,
    Country,
    Digits,
    Listed,
    Moment,
    Number,
    PriceMap,
    Reader,
    Span,
    WebUrl,
)

Linker = Callable[[str], str]
"""How to speak of a struct by its name."""

_PATTERNS = {
    "^[0-9a-f]{24}$": "id, 24 hex digits",
    r"^-?[0-9]+(\.[0-9]+)?$": "number, as text",
    "^(True|False)$": "`True` or `False`, as text",
}

_COUNTABLE = ("text", "number", "whole number", "URL", "JSON boolean")


def form_of(reader: Reader) -> str:
    """What a parameter must look like, and within which limits."""
    match reader:
        case Boolean():
            return "`true` or `false` (also `True`, `False`, `1`, `0`)"
        case Choice(words=words, nothing=nothing):
            return "one of " + ", ".join(f"`{word}`" for word in (*words, nothing) if word is not None)
        case Country():
            return "country code, ISO 3166 alpha-2 in capitals"
        case Digits(least=least, most=most):
            return f"{_span(least, most)} digits"
        case Moment():
            return "`YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS`, UTC"
        case Span(least=least):
            return f"days from-to such as `5-10`, {least} or more"
        case Number(least=least, most=most, places=places):
            return f"number, {_figure(least)} to {_figure(most)}, at most {places} decimals"
        case PriceMap(most=most, prefix=prefix):
            return f"JSON object of codes and amounts from 0 to {_figure(most)} (`{prefix}`: your own currency)"
        case Listed(separator=separator, most=most, item_most=item_most):
            return f"up to {most:,} texts with `{separator}` between them, each at most {item_most:,} characters"
        case WebUrl(most=most):
            return f"http or https URL, at most {most:,} characters"
    schema = reader.schema()
    return ", ".join(filter(None, [shape_words(schema), schema.get("description")]))


def default_of(param: Param | Member) -> Any:
    """The default of what is optional as it stands on the wire; None where there is none to speak of."""
    match param.default:
        case bool(value):
            return "true" if value else "false"
        case int(value) | str(value):
            return value
        case Decimal() as amount:
            return str(amount)
    return None


def shape_words(schema: Schema, link: Linker = "`{}`".format) -> str:
    """What a value of a schema is."""
    if "$ref" in schema:
        return link(schema["$ref"].removeprefix(REF))
    if "anyOf" in schema:
        return " or ".join(shape_words(arm, link) for arm in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        known = schema.get("enum", [schema.get("const")])
        return ("one of " if len(known) > 1 else "always ") + ", ".join(f"`{value}`" for value in known)
    match schema.get("type"):
        case "array":
            item = shape_words(schema.get("items", {}), link)
            return f"list of {item}s" if item in _COUNTABLE else f"list; each item {item}"
        case "object":
            return _map_words(schema, link)
        case "integer" | "number":
            return _number_words(schema)
        case "string":
            return _text_words(schema)
        case "boolean":
            return "JSON boolean"
        case "null":
            return "null"
    return "anything"


def _map_words(schema: Schema, link: Linker) -> str:
    if named := schema.get("properties"):
        return "an object whose " + " and ".join(
            f"`{name}` is a {shape_words(inner, link)}" for name, inner in named.items()
        )
    inside = schema.get("additionalProperties")
    return f"object, each name with {shape_words(inside, link)}" if isinstance(inside, dict) else "object"


def _number_words(schema: Schema) -> str:
    name = "whole number" if schema["type"] == "integer" else "number"
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None and most is None:
        return name
    if least is None or most is None:
        bound = f"at most {_figure(most)}" if least is None else f"at least {_figure(least)}"
        return f"{name}, {bound}"
    return f"{name}, {_figure(least)} to {_figure(most)}"


def _text_words(schema: Schema) -> str:
    if "pattern" in schema:
        return _PATTERNS.get(schema["pattern"], f"text of the form `{schema['pattern']}`")
    name = {"uri": "URL", "date-time": "date and time"}.get(schema.get("format", ""), "text")
    if schema.get("contentMediaType") == "application/json":
        name = "JSON as text"
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if most is not None:
        length = f"at most {most:,}" if least <= 1 else _span(least, most)
        name += f", {length} characters"
    return name


def _span(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _figure(value: Any) -> str:
    """A number with commas: 100000.0 is 100,000."""
    return f"{Decimal(str(value)).normalize():,f}"
