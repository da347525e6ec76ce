"""Bodies that are a JSON value of their own: their JSON Schemas, and what stands in them line by line."""

from __future__ import annotations

from collections.abc import Iterator

from tradepost.wire.bodies import Body, BodyList, Member, Shape, StrictObject
from tradepost.wire.describe.markdown import code, table
from tradepost.wire.describe.schemas import Schema
from tradepost.wire.describe.words import default_of, form_of


def body_schema(body: Body) -> Schema:
    """The JSON Schema of a body."""
    schema = _object_schema(Shape(body.reader.type, isinstance(body.reader, StrictObject)))
    if isinstance(body.reader, BodyList):
        schema = {
            "type": "array",
            "minItems": body.reader.least,
            "maxItems": body.reader.most,
            "items": schema,
        }
    return {"description": body.doc, **schema}


def body_page(body: Body) -> list[str]:
    """The body in words and as a table of its fields."""
    kind = "a JSON object"
    if isinstance(body.reader, BodyList):
        kind = f"a JSON list of {body.reader.least} to {body.reader.most} objects"
    rows = list(_rows(Shape(body.reader.type), ""))
    return [f"**Body**: {kind}. {body.doc}", table(("Name", "Given", "Form", "Meaning"), rows)]


def _object_schema(shape: Shape) -> Schema:
    properties = {member.name: _member_schema(member) for member in shape.members}
    found: Schema = {"type": "object", "properties": properties}
    if required := [member.name for member in shape.members if member.required]:
        found["required"] = required
    if shape.strict:
        found["additionalProperties"] = False
    return found


def _member_schema(member: Member) -> Schema:
    if member.shape is not None:
        schema = _object_schema(member.shape)
    else:
        assert member.reader is not None
        schema = dict(member.reader.schema())
    if member.many is not None:
        schema = {"type": "array", "minItems": member.many.least, "maxItems": member.many.most, "items": schema}
    if (default := default_of(member)) not in (None, ""):
        schema["default"] = default
    text = ". ".join(filter(None, [member.doc.rstrip("."), schema.pop("description", "")]))
    return {"description": text, **schema} if text else schema


def _rows(shape: Shape, before: str) -> Iterator[tuple[str, str, str, str]]:
    for member in shape.members:
        name = before + member.name + ("[]" if member.many else "")
        default = default_of(member)
        given = "optional" if default in (None, "") else f"optional, {code(str(default))} if left out"
        given = "**required**" if member.required else given
        many = f"{member.many.least} to {member.many.most} of them; " if member.many else ""
        form = "object" if member.reader is None else form_of(member.reader)
        yield code(name), given, many + form, member.doc
        if member.shape is not None:
            yield from _rows(member.shape, f"{name}.")
