"""Bodies that are a JSON value of their own and no set of parameters: an object with objects in it, or a list.

What such a body holds is declared like parameters are, as a class whose fields have a reader and a meaning:

    async def cancel_orders(ctx, *, wishes: Annotated[list[Wish], BodyList(Wish, 1, 100), Doc("…")]) -> …

A value that a reader refuses is named by where it stands, `goods[1].weight`, and the refusal is wrapped in
BodyParamBad, because this wire has a code of its own for bodies.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any

from tradepost.values import Fact, Words
from tradepost.wire import refusals
from tradepost.wire.params import Doc, Reader
from tradepost.wire.xmltext import Elements


class BodyNotList(Fact):
    """The body is no JSON list, or one with too few or too many objects in it."""

    least: int
    most: int


class BodyParamBad(Fact):
    """Something inside the body cannot be taken; `problem` is what would be told of a parameter."""

    problem: Fact


class BodyNameUnknown(Fact):
    """Something inside the body has a name that means nothing there; `name` is where it stands."""

    name: str


_WORDS = {True: "true", False: "false", None: ""}


@dataclass(frozen=True, slots=True)
class Many:
    """Stands in the annotation of a field that is a list of objects, `least` to `most` of them, or of texts."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Called:
    """Stands in the annotation of a field whose name on the wire is another one, such as a word of Python's."""

    name: str


@dataclass(frozen=True)
class Member:
    """One field of an object in a body: a text that a reader takes, an object, or a list of either."""

    name: str
    doc: str
    required: bool
    default: Any
    reader: Reader | None
    shape: Shape | None
    many: Many | None
    argument: str
    """What the field is called in the program."""

    def read(self, place: str, value: Any) -> Any:
        """The value of the field; raises what is wrong with it under its place."""
        if isinstance(value, Elements) and self.shape is not None:
            value = Elements(item or {} for item in value)  # an empty element is an object with nothing in it
        if isinstance(value, Elements) and self.many is None:
            if len(value) > 1:
                raise refusals.GivenTwice(name=place, times=len(value))
            value = (value[0] or None) if value else None  # JSON can have a list with nothing in it
        if value is None or value == "":
            if self.required:
                raise refusals.ParameterMissing(name=place)
            return self.default
        if self.many is None:
            return self._read_one(place, value)
        if not isinstance(value, list) or not self.many.least <= len(value) <= self.many.most:
            raise refusals.NotItems(name=place, least=self.many.least, most=self.many.most)
        return tuple(self._read_one(f"{place}[{at}]", item) for at, item in enumerate(value))

    def _read_one(self, place: str, value: Any) -> Any:
        if self.shape is not None:
            return self.shape.read(place, value)
        assert self.reader is not None
        if isinstance(value, bool) or value is None:
            value = _WORDS[value]
        if not isinstance(value, str):
            raise refusals.NotOneValue(name=place)
        if value == "":
            raise refusals.ParameterMissing(name=place)
        return self.reader.read(place, value)


@dataclass(frozen=True)
class Shape:
    """The object that a dataclass declares, its fields being annotated like parameters."""

    type: type[Any]
    strict: bool = False
    """Whether a name that means nothing is refused; otherwise it is passed over."""

    @property
    def members(self) -> tuple[Member, ...]:
        """Its fields in their order."""
        return _members(self)

    def read(self, place: str, value: Any) -> Any:
        """The object; raises what is wrong with it, named by where it stands."""
        if not isinstance(value, dict):
            raise refusals.NotObject(name=place)
        before = f"{place}." if place else ""
        if self.strict and (unknown := sorted(value.keys() - {member.name for member in self.members})):
            raise BodyNameUnknown(name=before + unknown[0])
        return self.type(**{m.argument: m.read(Words(before + m.name), value.get(m.name)) for m in self.members})


@cache
def _members(shape: Shape) -> tuple[Member, ...]:
    # Kept for good: there are as many as the program declares, and reading annotations costs more than a body does.
    hints = typing.get_type_hints(shape.type, include_extras=True)
    return tuple(_member(field, hints[field.name], shape.strict) for field in dataclasses.fields(shape.type))


@dataclass(frozen=True, slots=True)
class BodyObject:
    """A body that is one object of this class."""

    type: type[Any]
    failures = (BodyParamBad,)

    def take(self, value: Any) -> Any:
        """The object; raises BodyNotObject, BodyParamBad."""
        if not isinstance(value, dict):
            raise refusals.BodyNotObject
        return _read(Shape(self.type), "", value)


@dataclass(frozen=True, slots=True)
class StrictObject:
    """A body that is one object of this class and nothing else.

    What is wrong inside is told like what is wrong with a parameter, and a name that means nothing is refused.
    """

    type: type[Any]
    failures = (BodyNameUnknown,)

    def take(self, value: Any) -> Any:
        """The object; raises BodyNotObject, BodyNameUnknown, and what is wrong with a value."""
        if not isinstance(value, dict):
            raise refusals.BodyNotObject
        return Shape(self.type, strict=True).read("", value)


@dataclass(frozen=True, slots=True)
class Rejected:
    """An object of a list that cannot be taken, and why."""

    item: Any
    why: BodyParamBad


@dataclass(frozen=True, slots=True)
class BodyList:
    """A body that is a list of `least` to `most` objects of this class.

    An object that cannot be taken does not refuse the call: a Rejected stands in its place.
    """

    type: type[Any]
    least: int
    most: int
    failures = (BodyNotList, BodyParamBad)

    def take(self, value: Any) -> list[Any]:
        """The objects, or what is wrong with each, in their order; raises BodyNotList."""
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise BodyNotList(least=self.least, most=self.most)
        shape = Shape(self.type)
        taken: list[Any] = []
        for at, item in enumerate(value):
            try:
                taken.append(_read(shape, f"[{at}]", item))
            except BodyParamBad as bad:
                taken.append(Rejected(item, bad))
        return taken


@dataclass(frozen=True, slots=True)
class BodyMarkup:
    """A body of XML, or of JSON that says the same, whose root is an object of this class.

    A root that holds nothing but one object of another name is read through: some clients wrap theirs twice. This
    wire has no code of its own for bodies, so what is wrong inside is told like a parameter.
    """

    type: type[Any]
    failures = ()

    def take(self, value: Any) -> Any:
        """The object; raises BodyNotObject, BadParameter. No body is one with nothing in it."""
        value = self.root(value)
        if not isinstance(value, dict) and value not in (None, ""):
            raise refusals.BodyNotObject
        return Shape(self.type).read("", value or {})

    def root(self, value: Any) -> Any:
        """The root that the object stands in, behind others that hold nothing but it."""
        known = {member.name for member in Shape(self.type).members}
        while isinstance(value, dict) and len(value) == 1 and not value.keys() & known:
            (inner,) = value.values()
            if not (isinstance(inner, Elements) and len(inner) == 1 and isinstance(inner[0], dict)):
                break
            value = inner[0]
        return value


BodyReader = BodyObject | StrictObject | BodyList | BodyMarkup


@dataclass(frozen=True, slots=True)
class Body:
    """The argument of a handler that is the whole body."""

    reader: BodyReader
    doc: str


def body_argument(hint: Any) -> Body | None:
    """What an annotation declares about the body; None where it is about a parameter."""
    marks = getattr(hint, "__metadata__", ())
    readers = [mark for mark in marks if isinstance(mark, BodyReader)]
    return Body(readers[0], _doc(marks)) if readers else None


def _read(shape: Shape, place: str, value: Any) -> Any:
    try:
        return shape.read(place, value)
    except refusals.BadParameter as problem:
        raise BodyParamBad(problem=problem) from None


def _member(field: dataclasses.Field[Any], hint: Any, strict: bool) -> Member:
    marks, inner = _open(hint)
    readers = [mark for mark in marks if isinstance(mark, Reader)]
    shape = Shape(inner, strict) if dataclasses.is_dataclass(inner) and isinstance(inner, type) else None
    if shape is None and not readers:
        raise TypeError(f"{field.name} is neither a text nor an object")
    required = field.default is dataclasses.MISSING
    called = next((mark.name for mark in marks if isinstance(mark, Called)), field.name)
    return Member(
        name=called,
        doc=_doc(marks),
        required=required,
        default=inspect.Parameter.empty if required else field.default,
        reader=readers[-1] if readers else None,
        shape=shape,
        many=next((mark for mark in marks if isinstance(mark, Many)), None),
        argument=field.name,
    )


def _open(hint: Any) -> tuple[list[Any], Any]:
    """The marks of an annotation and the type below them, through `… | None` and `tuple[…, ...]`."""
    marks: list[Any] = []
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            marks = [*hint.__metadata__, *marks]
            hint = typing.get_args(hint)[0]
        elif origin in (typing.Union, types.UnionType):
            hint = next(arm for arm in typing.get_args(hint) if arm is not types.NoneType)
        elif origin is tuple:
            hint = typing.get_args(hint)[0]
        else:
            return marks, hint


def _doc(marks: typing.Iterable[Any]) -> str:
    return next((mark.text for mark in reversed(list(marks)) if isinstance(mark, Doc)), "")
