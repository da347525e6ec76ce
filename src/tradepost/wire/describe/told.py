"""Failures in the words of a surface: which can come from where, and how each reads."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable
from dataclasses import dataclass

from tradepost.values import Fact, TryLater
from tradepost.wire import refusals
from tradepost.wire.bodies import StrictObject
from tradepost.wire.describe.book import Book
from tradepost.wire.describe.markdown import code
from tradepost.wire.describe.markdown import table as table_of
from tradepost.wire.endpoint import Endpoint, Surface
from tradepost.wire.failures import FailureTable

# A declared operation cannot meet these: they are about paths and methods that nobody declared.
_ELSEWHERE = (refusals.PathUnknown, refusals.MethodNotAllowed)


@dataclass(frozen=True, slots=True)
class Told:
    """One failure on the wire, with open blanks in `data` and `sentence`; `when` says what happened."""

    name: str
    http: int
    code: int
    data: str
    type: str
    sentence: str
    when: str


def tell(table: FailureTable, fact: type[Fact]) -> Told:
    """A failure as a table tells it."""
    return _told(table, fact.__name__, " ".join((inspect.getdoc(fact) or "").split()))


def own_failures(book: Book, endpoint: Endpoint) -> list[Told]:
    """What this endpoint can answer and most others cannot."""
    missing = [param.when_missing for param in endpoint.params if param.when_missing]
    facts: list[type[Fact]] = [*endpoint.failures, *missing]
    if endpoint.one_of:
        facts.append(refusals.OneOfMissing)
    return [tell(book.surface.table.at(endpoint.path), fact) for fact in dict.fromkeys(facts)]


def shared_failures(book: Book, endpoint: Endpoint) -> list[Told]:
    """What this endpoint can answer like most others: refusals of the wire, the token, the limits."""
    usual = any(param.required and not param.when_missing for param in endpoint.params)
    usual = usual or (endpoint.body is not None and isinstance(endpoint.body[1].reader, StrictObject))
    never: list[type[Fact]] = [*_ELSEWHERE, refusals.OneOfMissing]
    never += [] if usual else [refusals.ParameterMissing]
    never += [] if book.takes_fields(endpoint) else [refusals.BadFields]
    never += [] if book.surface.token_parameter else [refusals.TokensDisagree]
    if endpoint.open:
        never += [refusals.TokenMissing, refusals.TokensDisagree]
        never += [fact for fact in book.surface.common_failures if not issubclass(fact, TryLater)]
    else:
        never += [refusals.ClientMissing, refusals.ClientsDisagree]
    own = {told.name for told in own_failures(book, endpoint)}
    facts = [fact for fact in _everywhere(book.surface) if fact not in never and fact.__name__ not in own]
    facts += book.surface.key_failures if book.surface.keeps_answer(endpoint) else ()
    return [tell(book.surface.table.at(endpoint.path), fact) for fact in facts]


def failures_of_any_call(surface: Surface) -> list[Told]:
    """What a call can meet whatever it calls, by code."""
    return _sorted(tell(surface.table, fact) for fact in _everywhere(surface))


def failures_told_otherwise(surface: Surface) -> dict[str, list[Told]]:
    """What a part of a surface tells under other codes than the rest, by what its paths begin with."""
    usual = failures_of_any_call(surface)
    return {
        root: _sorted(
            dataclasses.replace(told, http=line.http, code=line.code)
            for told in usual
            for line in (table.line(told.name),)
            if (told.http, told.code) != (line.http, line.code)
        )
        for root, table in surface.table.parts.items()
    }


def failures_of_some(surface: Surface) -> list[Told]:
    """Every other failure of the table, by code."""
    declared = [fact for endpoint in surface.endpoints for fact in endpoint.failures]
    known = {fact.__name__: fact for fact in (*declared, *surface.key_failures)}
    rest = set(surface.table.names()) - {fact.__name__ for fact in _everywhere(surface)}
    return _sorted(
        tell(surface.table, known[name]) if name in known else _told(surface.table, name, "")
        for name in surface.table.names()
        if name in rest
    )


def failure_table(failures: Iterable[Told], tells_type: bool) -> str:
    """A table of failures."""
    head = ["Code", "HTTP", "Type", "`data`", "Message", "When"]
    rows = []
    for told in failures:
        row = [str(told.code), str(told.http), code(told.type), code(told.data), code(told.sentence), told.when]
        rows.append(row if tells_type else [*row[:2], *row[3:]])
    return table_of(head if tells_type else [*head[:2], *head[3:]], rows)


def _everywhere(surface: Surface) -> list[type[Fact]]:
    wire = [
        kind
        for kind in vars(refusals).values()
        if isinstance(kind, type) and issubclass(kind, refusals.Refusal) and kind in surface.table
    ]
    return [*wire, *surface.common_failures]


def _told(table: FailureTable, name: str, when: str) -> Told:
    line = table.line(name)
    data = f"{{{line.detail[1:]}}}" if line.detail.startswith("@") else line.detail
    sentence = table.sentence(name, table.default_locale)
    return Told(name, line.http, line.code, data, line.type, sentence, when)


def _sorted(failures: Iterable[Told]) -> list[Told]:
    return sorted(failures, key=lambda told: (told.code, told.http))
