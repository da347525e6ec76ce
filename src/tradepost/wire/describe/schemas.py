"""The shapes of answers: JSON Schemas out of the return annotations of endpoints."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tradepost.wire.endpoint import Endpoint
from tradepost.wire.paging import Listing, Under

Schema = dict[str, Any]

REF = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Answers:
    """The schema of `data` by the name of each operation, and the structs they refer to by name."""

    data: dict[str, Schema]
    structs: dict[str, Schema]

    def resolve(self, schema: Schema) -> Schema | None:
        """The struct that a schema refers to."""
        return self.structs[schema["$ref"].removeprefix(REF)] if "$ref" in schema else None


def is_listing(endpoint: Endpoint) -> bool:
    """Whether the answer is a page of a list."""
    return typing.get_origin(_bare(endpoint.returns)) is Listing


def answers_of(operations: Mapping[str, Endpoint]) -> Answers:
    """The shapes of all answers of some operations."""
    returns = [_payload(endpoint) for endpoint in operations.values()]
    structs: dict[type[msgspec.Struct], None] = {}
    for hint in returns:
        _collect(hint, structs)
    schemas, components = msgspec.json.schema_components([*returns, *structs], ref_template=REF + "{name}")
    refs = dict(zip(structs, schemas[len(returns) :], strict=True))
    for struct, ref in refs.items():
        _tell_required(struct, components[ref["$ref"].removeprefix(REF)])
    data = zip(operations.values(), schemas, strict=False)
    told = (_named(schema, endpoint.returns) for endpoint, schema in data)
    return Answers(dict(zip(operations, told, strict=True)), dict(sorted(components.items())))


def _payload(endpoint: Endpoint) -> Any:
    if is_listing(endpoint):
        return list[typing.get_args(_bare(endpoint.returns))[0]]  # type: ignore[misc]
    return endpoint.returns


def _bare(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _named(schema: Schema, hint: Any) -> Schema:
    """The schema of `data` where the list in it has a name."""
    names = [mark.name for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Under)]
    for name in reversed(names[0].split("/") if names else ()):
        schema = {"type": "object", "properties": {name: schema}, "required": [name]}
    return schema


def _collect(hint: Any, found: dict[type[msgspec.Struct], None]) -> None:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if hint not in found:
            found[hint] = None
            for field in msgspec.structs.fields(hint):
                _collect(field.type, found)
    else:
        for arm in typing.get_args(hint):
            _collect(arm, found)


def _tell_required(struct: type[msgspec.Struct], schema: Schema) -> None:
    """Say which fields are always there.

    The schema was made for reading, where a default makes a field optional. An answer is written: only what can
    be UNSET is ever missing, or what is left out for being the default.
    """
    always = []
    for field in msgspec.structs.fields(struct):
        schema["properties"][field.encode_name].pop("default", None)
        left_out = struct.__struct_config__.omit_defaults and not field.required
        if not _can_be_unset(field.type) and not left_out:
            always.append(field.encode_name)
    schema["required"] = always
    if not always:
        del schema["required"]


def _can_be_unset(hint: Any) -> bool:
    return hint is msgspec.UnsetType or any(_can_be_unset(arm) for arm in _arms(hint))


def _arms(hint: Any) -> tuple[Any, ...]:
    """The arms of a union, also of one that carries metadata; what stands inside a list is not one."""
    if typing.get_origin(hint) is typing.Annotated:
        return (typing.get_args(hint)[0],)
    if typing.get_origin(hint) in (list, dict, tuple, set, frozenset):
        return ()
    return typing.get_args(hint)
