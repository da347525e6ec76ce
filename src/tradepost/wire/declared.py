"""What an endpoint declares about its parameters: one name on the wire each, a family of names, or a group.

A parameter is an annotation with a reader and a meaning; `endpoint` gathers them, and refuses those that do not
hold together.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from dataclasses import dataclass
from typing import Any

from tradepost.values import NOT_GIVEN, Fact, NotGiven
from tradepost.wire import refusals
from tradepost.wire.forms import Parameters
from tradepost.wire.params import Doc, Reader


class DeclarationError(Exception):
    """An endpoint whose declaration does not hold together."""


@dataclass(frozen=True, slots=True)
class WhenMissing:
    """The fact to answer with where this required parameter is missing, instead of the usual one."""

    fact: type[Fact]


@dataclass(frozen=True, slots=True)
class Also:
    """Another name that callers send this parameter under; where both are given, its own counts."""

    name: str


@dataclass(frozen=True, slots=True)
class Each:
    """Lets one declaration stand for a family of parameters: one for each key, called `before` and the key.

    `called` is what the family is called where one name must do, such as `<CC>`. What arrives is a mapping from
    the keys that were given to their values.
    """

    called: str
    keys: tuple[str, ...]
    before: str = ""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter on the wire, or a family of them."""

    name: str
    reader: Reader
    doc: str
    required: bool
    default: Any = NOT_GIVEN
    when_missing: type[Fact] | None = None
    each: Each | None = None
    argument: str = ""
    """The name that the value has in the program, where it is another one."""
    also: str | None = None
    """Another name that it is taken under."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it has on the wire."""
        if self.each is not None:
            return tuple(self.each.before + key for key in self.each.keys)
        return (self.name,) if self.also is None else (self.name, self.also)

    def read(self, given: Parameters) -> Any:
        """The value out of what was given, the default where it was not."""
        if self.each is not None:
            return self._read_each(self.each, given)
        text = given.take(self.name, self.reader.takes_json)
        if self.name in given.collected:
            return given.collected[self.name]
        if text == "" and self.also is not None and (other := given.take(self.also)):
            return self.reader.read(self.also, other)
        if text == "" and not (self.reader.takes_empty and given.given(self.name)):
            if self.required:
                raise self.when_missing() if self.when_missing else refusals.ParameterMissing(name=self.name)
            return self.default
        return self.reader.read(self.name, text)

    def _read_each(self, each: Each, given: Parameters) -> dict[str, Any]:
        sent = given.names()
        names = {key: each.before + key for key in each.keys if each.before + key in sent}
        texts = {key: text for key, name in names.items() if (text := given.take(name, self.reader.takes_json))}
        return {key: self.reader.read(names[key], text) for key, text in texts.items()}


@dataclass(frozen=True, slots=True)
class Group:
    """Several parameters that arrive as one argument, an object of `type`."""

    type: type[Any]
    params: tuple[Param, ...]
    one_of: tuple[str, str] | None

    def read(self, given: Parameters) -> Any:
        """The object; raises OneOfMissing where neither of an either-or pair was given."""
        if self.one_of and not any(given.take(name) for name in self.one_of):
            raise refusals.OneOfMissing(name=self.one_of[0], other=self.one_of[1])
        return self.type(**{param.argument or param.name: param.read(given) for param in self.params})


def argument(name: str, hint: Any, default: Any) -> Param | Group:
    """What an argument of a handler declares; raises DeclarationError where it does not hold together."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint, include_extras=True)
        fields = {field.name: field for field in dataclasses.fields(hint)}
        # What a class declares itself comes before what it inherits: so the reference tells it first.
        names = dict.fromkeys([*(name for name in hint.__annotations__ if name in fields), *fields])
        params = tuple(_param(name, hints[name], _default_of(fields[name])) for name in names)
        return Group(hint, params, getattr(hint, "one_of", None))
    return _param(name, hint, default)


def _default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default


def _param(name: str, hint: Any, default: Any) -> Param:
    marks = _marks(hint)
    readers = [mark for mark in marks if isinstance(mark, Reader)]
    docs = [mark.text for mark in marks if isinstance(mark, Doc)]
    missing = [mark.fact for mark in marks if isinstance(mark, WhenMissing)]
    if not readers:
        raise DeclarationError(f"parameter {name} has no reader")
    if not docs:
        raise DeclarationError(f"parameter {name} has no meaning")
    each = next((mark for mark in marks if isinstance(mark, Each)), None)
    also = next((mark.name for mark in marks if isinstance(mark, Also)), None)
    required = default is inspect.Parameter.empty
    if each and required:
        raise DeclarationError(f"parameter {name} stands for several, of which none can be required")
    return Param(
        name=each.called if each else name,
        reader=readers[-1],
        doc=docs[-1],
        required=required,
        default=NOT_GIVEN if required else default,
        when_missing=missing[-1] if missing else None,
        each=each,
        argument=name if each else "",
        also=also,
    )


def _marks(hint: Any) -> tuple[Any, ...]:
    """The metadata of an annotation, also where it is one arm of `… | NotGiven`."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        arms = [arm for arm in typing.get_args(hint) if arm is not NotGiven]
        return tuple(mark for arm in arms for mark in _marks(arm))
    return getattr(hint, "__metadata__", ())
