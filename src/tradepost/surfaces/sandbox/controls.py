"""`/sandbox` over HTTP: finds the verb, reads its JSON body, writes its JSON answer.

Whoever reaches the sandbox's ports may call; there is no token, because the calls are about the world and not about
anybody's shop. Programs only: a browser says where a page comes from when it sends something, and then nothing is
done, so no page of anybody else's can reach into a sandbox on the same machine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tradepost.values import Fact, TryLater, in_words
from tradepost.wire.answers import JSON, Envelope, to_json
from tradepost.wire.http_types import Request, Response
from tradepost.wire.refusals import Refusal

ROOT = "/sandbox"
MOST_BODY = 64 << 10
_MISSING = ("NotFound", "Unknown")
_OVERTAKEN = "Exchanged"


@dataclass(frozen=True, slots=True)
class Verb:
    """One call: what it takes, and what it does; the first line of `run`'s docstring says it in words."""

    method: str
    path: str
    body: type[msgspec.Struct] | None
    run: Callable[..., Awaitable[Any]]

    @property
    def title(self) -> str:
        """What it does, in a line."""
        return (self.run.__doc__ or "").partition("\n")[0]


class Controls:
    """All verbs of the sandbox, answered."""

    def __init__(self, verbs: tuple[Verb, ...], desk: Any) -> None:
        """Each verb is run with the desk, and with its body where it takes one."""
        self._desk = desk
        self._listed = [{"method": verb.method, "path": verb.path, "does": verb.title} for verb in verbs]
        self._verbs = {(verb.method, verb.path): verb for verb in verbs}
        self._methods: dict[str, list[str]] = {}
        for verb in verbs:
            self._methods.setdefault(verb.path, []).append(verb.method)

    async def answer(self, request: Request) -> Response:
        """The answer to a call below `/sandbox`."""
        if request.path.rstrip("/") == ROOT and request.method == "GET":
            return _success({"calls": self._listed})
        verb = self._verbs.get((request.method, request.path))
        if verb is None:
            allowed = self._methods.get(request.path)
            if allowed is None:
                return _failure(404, f"There is no {request.path} in the sandbox; GET {ROOT} lists what there is.")
            return _failure(405, f"Use {' or '.join(allowed)}.", headers={"Allow": ", ".join(allowed)})
        if "origin" in request.headers:
            return _failure(403, "The sandbox is moved by programs, not by pages in a browser.")
        try:
            if verb.body is None:
                return _success(await verb.run(self._desk))
            body = await request.read_body(MOST_BODY)
            told = msgspec.json.decode(body or b"{}", type=verb.body)
            return _success(await verb.run(self._desk, told))
        except msgspec.DecodeError as error:
            return _failure(400, f"The body has to be JSON of this form: {error}.")
        except Refusal:
            raise  # told like everywhere else
        except Fact as fact:
            return _refused(fact)


def _success(data: Any) -> Response:
    return Response(200, to_json(Envelope("", 0, data)), JSON)


def _refused(fact: Fact) -> Response:
    if isinstance(fact, TryLater):
        return _failure(503, "Not at the moment; please try again.", headers={"Retry-After": "2"})
    name = type(fact).__name__
    status = 404 if name.endswith(_MISSING) else 409 if name.endswith(_OVERTAKEN) else 400
    blanks = {name: str(value) for name, value in fact.blanks().items()}
    return _failure(status, in_words(fact), blanks)


def _failure(
    status: int, message: str, data: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(status, to_json(Envelope(message, status, dict(data or {}))), JSON, dict(headers or {}))
