"""One declaration per endpoint, and the surface that gathers them.

A declaration is a decorated coroutine: its path, scope and failures stand in the decorator, its parameters in
its signature, its meaning in its docstring; everything else is derived. One that does not hold together is
refused at import, with a DeclarationError that names it.

This module declares and binds; it answers nothing (`gate` does) and describes nothing (`describe` does).
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict, Unpack

from tradepost.values import Fact
from tradepost.wire import refusals
from tradepost.wire.bodies import Body as Body
from tradepost.wire.bodies import body_argument
from tradepost.wire.collecting import Collecting
from tradepost.wire.declared import Also as Also
from tradepost.wire.declared import DeclarationError as DeclarationError
from tradepost.wire.declared import Each as Each
from tradepost.wire.declared import Group as Group
from tradepost.wire.declared import Param as Param
from tradepost.wire.declared import WhenMissing as WhenMissing
from tradepost.wire.declared import argument
from tradepost.wire.failures import FailureTable, leaves
from tradepost.wire.forms import Parameters
from tradepost.wire.http_types import BaseUrl, Client, Locale
from tradepost.wire.params import Choice, LookedUp

MIB = 1 << 20
BODY_LIMIT = MIB

Handler = Callable[..., Awaitable[Any]]
_HANDED = (BaseUrl, Locale, Client)
CLIENT_ID: Final = Param("client_id", LookedUp(64), "Your app's client id.", False, None)
CLIENT_SECRET: Final = Param("client_secret", LookedUp(200), "Your app's client secret.", False, None)
"""What open endpoints take beside their parameters; both may as well stand in the Authorization header (Basic)."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `limit` calls in each window of `seconds`, counted at one `level` within one `group`.

    The level says whose calls are counted together, such as `app_user` for one account by one app.
    """

    group: str
    level: str
    limit: int
    seconds: int


class Manner(TypedDict, total=False):
    """How an endpoint is called beyond what it takes and gives; the names are those of `Endpoint`."""

    body_limit: int
    empty: bool
    flat: bool
    one_statement: bool
    heavy: bool
    open: bool
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What is declared about one endpoint, as data."""

    name: str
    kind: Literal["read", "write"]
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    blank: str | None
    """The parameter that stands at the end of the path, as `id` does in /subscriptions/{id}; None for most."""
    documented_method: str
    chapter: str
    title: str
    doc: str
    scope: str | None
    failures: tuple[type[Fact], ...]
    limits: tuple[RateLimit, ...]
    body_limit: int = BODY_LIMIT
    empty: bool = False
    """Whether a success is told by its status alone: 204, and no body."""
    flat: bool = False
    """Whether it is called as an older generation was: what an answer holds stands beside `code` and `message`, and
    the token may stand in the body."""
    one_statement: bool = False
    """Whether a write is a single statement, which is a transaction by itself and needs none around it."""
    heavy: bool = False
    """Whether a call costs so much beside the database that it waits for its turn before it gets a connection."""
    open: bool = False
    """Whether it is called without a token: by an app, which shows its id and its secret."""
    arguments: Mapping[str, Param | Group]
    body: tuple[str, Body] | None
    """The argument that is the whole body, where that is a JSON value by itself and no set of parameters."""
    params: tuple[Param, ...]
    """All parameters on the wire, groups laid flat, in the order of the declaration."""
    names: frozenset[str]
    """Every name that one of its parameters has on the wire."""
    collecting: Mapping[str, Collecting]
    """The readers of parameters that are collected while the body arrives, by name."""
    handed: Mapping[str, Any]
    """The arguments of the handler that are about the call itself, by name, with their types."""
    returns: Any
    handler: Handler
    says: str = ""
    """The message of a success, which is empty for most."""

    @property
    def path(self) -> str:
        """The path that the reference gives; older ones follow it in `paths`."""
        return self.paths[0]

    @property
    def one_of(self) -> tuple[tuple[str, str], ...]:
        """The pairs of parameters of which one must be given."""
        return tuple(a.one_of for a in self.arguments.values() if isinstance(a, Group) and a.one_of)

    def bind(
        self, given: Parameters, base_url: BaseUrl, locale: str, client: Client | None = None
    ) -> dict[str, Any]:
        """The keyword arguments of the handler: out of what was given, and what they ask about the call itself."""
        bound = {name: argument.read(given) for name, argument in self.arguments.items()}
        if self.body is not None:
            name, body = self.body
            bound[name] = body.reader.take(given.body)
        if self.handed:
            about = {BaseUrl: base_url, Locale: locale, Client: client}
            bound.update((name, about[kind]) for name, kind in self.handed.items())
        return bound


class Surface:
    """One way in: its endpoints, its failures, its languages and the habits of its wire.

    `older_of` names the service that this is the generation before of: its tokens open it, its limits count, and
    bodies and answers are XML.
    """

    def __init__(
        self,
        *,
        name: str,
        title: str,
        version: str,
        prefix: str,
        prefix_aliases: Sequence[str] = (),
        table: FailureTable,
        failure_base: type[Fact],
        common_failures: Sequence[type[Fact]],
        scopes: Mapping[str, str],
        default_limits: Sequence[RateLimit],
        formats: Sequence[str] = ("json",),
        token_parameter: str | None = None,
        any_method: bool = False,
        selects_fields: bool = False,
        tells_type: bool = False,
        key_failures: Sequence[type[Fact]] = (),
        older_of: str = "",
    ) -> None:
        self.name, self.title, self.version = name, title, version
        self.service, self.is_older = older_of or name, bool(older_of)
        self.prefix = prefix
        self.prefix_aliases = tuple(prefix_aliases)
        self.table = table
        self.failure_base = failure_base
        self.common_failures = tuple(common_failures)
        self.scopes = dict(scopes)
        self.default_limits = tuple(default_limits)
        self.formats = tuple(formats)
        self.token_parameter = token_parameter
        self.any_method, self.selects_fields, self.tells_type = any_method, selects_fields, tells_type
        self.key_failures = tuple(key_failures)
        """What can be wrong with the key of a write; without any, keys mean nothing here."""
        self.endpoints: list[Endpoint] = []
        self._limits: dict[RateLimit, RateLimit] = {}
        self._routes: dict[str, dict[str, Endpoint]] = {}
        self._blanks: dict[str, str] = {}
        self.own_parameters = self._own_parameters()
        """Parameters that every endpoint of this surface takes; `fields` only where `takes_fields` says so."""
        self._own_but_fields = self.own_parameters - {"fields"}
        self.locale_reader = Choice(tuple(table.locales))
        self.format_reader = Choice(self.formats)
        table.check([*leaves(refusals.Refusal), *self.common_failures, *self.key_failures])

    def _own_parameters(self) -> frozenset[str]:
        own = ("format", len(self.formats) > 1), (self.token_parameter or "", True), ("fields", self.selects_fields)
        return frozenset(("locale", *(name for name, has_it in own if name and has_it)))

    def keeps_answer(self, endpoint: Endpoint) -> bool:
        """Whether a call that comes with an Idempotency-Key is done once, and later answered as it was then."""
        return bool(self.key_failures) and endpoint.kind == "write"

    def read(self, path: str, *older: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare an endpoint that changes nothing; its statements need no transaction around them."""
        return self._declare("read", (path, *older), options)

    def write(self, path: str, *older: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare an endpoint that changes something; the gate runs it in one transaction."""
        return self._declare("write", (path, *older), options)

    def takes_fields(self, endpoint: Endpoint) -> bool:
        """Whether callers may ask for a part of the answer: all reads but those of OAuth."""
        return self.selects_fields and endpoint.documented_method == "GET" and endpoint.chapter != "oauth"

    def own_parameters_of(self, endpoint: Endpoint) -> frozenset[str]:
        """The parameters of the surface that an endpoint takes beside its own."""
        return self.own_parameters if self.takes_fields(endpoint) else self._own_but_fields

    def find(self, method: str, path: str) -> Endpoint:
        """The endpoint for a method and a path, with or without a slash at the end.

        Raises PathUnknown, or MethodNotAllowed for a path that other methods reach.
        """
        methods = self._methods(path)
        if methods is None and (found := self._open_end(path)):
            methods = self._routes[f"{found[0]}/{{{found[1]}}}"]
        if methods is None:
            raise refusals.PathUnknown(path=path)
        endpoint = methods.get(method)
        if endpoint is None:
            raise refusals.MethodNotAllowed(method=method, allowed=" or ".join(methods))
        return endpoint

    def blanks_of(self, endpoint: Endpoint, path: str) -> list[tuple[str, str]]:
        """The parameter that stands at the end of a path to an endpoint, by name and text; none for most."""
        found = self._open_end(path) if endpoint.blank and self._methods(path) is None else None
        return [(found[1], found[2])] if found else []

    def _methods(self, path: str) -> dict[str, Endpoint] | None:
        return self._routes.get(path) or self._routes.get(path.rstrip("/"))

    def _open_end(self, path: str) -> tuple[str, str, str] | None:
        """What stands before the blank that a path may end in, its name, and what it is filled with."""
        before, _, last = path.rstrip("/").rpartition("/")
        name = self._blanks.get(before)
        return (before, name, last) if name else None

    def override_limits(self, allowed: Mapping[str, int]) -> None:
        """Let an installation choose how many calls a group allows, `service/group` to calls per window.

        Levels of the group that allow more by declaration keep their proportion. Raises DeclarationError for
        a group that no endpoint has.
        """
        groups: dict[str, list[RateLimit]] = {}
        for endpoint in self.endpoints:
            for limit in endpoint.limits:
                if limit not in groups.setdefault(limit.group, []):
                    groups[limit.group].append(limit)
        for name, calls in allowed.items():
            service, _, group = name.partition("/")
            if service != self.service:
                continue
            if group not in groups:
                raise DeclarationError(f"no rate limit is called {name!r}")
            least = min(limit.limit for limit in groups[group])
            for limit in groups[group]:
                self._limits[limit] = dataclasses.replace(limit, limit=max(1, limit.limit * calls // least))

    def limits_of(self, endpoint: Endpoint) -> tuple[RateLimit, ...]:
        """The rate limits of an endpoint, as this installation has them."""
        return (
            tuple(self._limits.get(limit, limit) for limit in endpoint.limits) if self._limits else endpoint.limits
        )

    def _declare(
        self, kind: Literal["read", "write"], paths: tuple[str, ...], options: dict[str, Any]
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            try:
                self._add(_compile(self, kind, paths, handler, **options))
            except DeclarationError as error:
                where = f"{handler.__module__}.{handler.__qualname__}"
                raise DeclarationError(f"{where}: {error}") from None
            return handler

        return register

    def _add(self, endpoint: Endpoint) -> None:
        if endpoint.scope is not None and endpoint.scope not in self.scopes:
            raise DeclarationError(f"unknown scope {endpoint.scope!r}")
        self.table.check(endpoint.failures)
        if endpoint.blank and endpoint.blank not in endpoint.names:
            raise DeclarationError(f"no parameter is called {endpoint.blank!r}")
        if taken := self.own_parameters & endpoint.names:
            raise DeclarationError(f"parameters {sorted(taken)} belong to the whole surface")
        for path in self._all_paths(endpoint):
            if endpoint.blank:
                self._blanks[path.rpartition("/")[0]] = endpoint.blank
            methods = self._routes.setdefault(path, {})
            for method in endpoint.methods:
                if method in methods:
                    raise DeclarationError(f"{method} {path} is taken by {methods[method].name}")
                methods[method] = endpoint
        self.endpoints.append(endpoint)

    def _all_paths(self, endpoint: Endpoint) -> list[str]:
        paths = list(endpoint.paths)
        for path in endpoint.paths:
            if path.startswith(self.prefix):
                paths += [alias + path.removeprefix(self.prefix) for alias in self.prefix_aliases]
        return paths


def _with_client(params: list[Param], hints: Mapping[str, Any], is_open: bool) -> list[Param]:
    if not is_open and Client in hints.values():
        raise DeclarationError("only an open endpoint is handed the app that calls")
    return [CLIENT_ID, CLIENT_SECRET, *params] if is_open else params


def _title_and_doc(handler: Handler) -> tuple[str, str]:
    if not (doc := inspect.getdoc(handler)):
        raise DeclarationError("no docstring")
    title, _, rest = doc.partition("\n")
    return title.rstrip("."), rest.strip()


def _compile(
    surface: Surface,
    kind: Literal["read", "write"],
    paths: tuple[str, ...],
    handler: Handler,
    *,
    scope: str | None = None,
    fails: Sequence[type[Fact]] = (),
    method: str | None = None,
    also: Sequence[str] = (),
    exact: bool = False,
    limits: Sequence[RateLimit] | None = None,
    **manner: Unpack[Manner],
) -> Endpoint:
    title, doc = _title_and_doc(handler)
    documented = method or ("GET" if kind == "read" else "POST")
    any_method = surface.any_method and not exact  # GET and POST are usually the same there
    hints = _hints(handler)
    body = _body(hints, documented)
    arguments = _arguments(handler, hints)
    params = [p for a in arguments.values() for p in (a.params if isinstance(a, Group) else (a,))]
    params = _with_client(params, hints, bool(manner.get("open")))
    return Endpoint(
        name=handler.__name__,
        kind=kind,
        paths=tuple(path if path.startswith("/api/") else surface.prefix + path for path in paths),
        methods=("GET", "POST") if any_method else tuple(dict.fromkeys((documented, *also))),
        blank=last[1:-1] if (last := paths[0].rpartition("/")[2]).startswith("{") else None,
        documented_method=documented,
        chapter=handler.__module__.rpartition(".")[2],
        title=title,
        doc=doc,
        scope=scope,
        failures=(*fails, *(body[1].reader.failures if body else ())),
        limits=tuple(limits or surface.default_limits),
        arguments=arguments,
        body=body,
        params=tuple(params),
        names=frozenset(name for param in params for name in param.names),
        collecting={param.name: param.reader for param in params if isinstance(param.reader, Collecting)},
        handed={name: hint for name, hint in hints.items() if hint in _HANDED},
        returns=hints["return"],
        handler=handler,
        **manner,
    )


def _hints(handler: Handler) -> dict[str, Any]:
    hints = typing.get_type_hints(handler, include_extras=True)
    if "return" not in hints:
        raise DeclarationError("no return annotation")
    return hints


def _body(hints: Mapping[str, Any], documented: str) -> tuple[str, Body] | None:
    bodies = [(name, body) for name, hint in hints.items() if (body := body_argument(hint))]
    if len(bodies) > 1 or (bodies and documented != "POST"):
        raise DeclarationError("a call has one body, and a GET has none")
    return bodies[0] if bodies else None


def _arguments(handler: Handler, hints: Mapping[str, Any]) -> dict[str, Param | Group]:
    names = list(inspect.signature(handler).parameters.values())
    if not names or names[0].name != "ctx":
        raise DeclarationError("the first argument must be ctx")
    arguments: dict[str, Param | Group] = {}
    for parameter in names[1:]:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise DeclarationError(f"{parameter.name} must be keyword-only")
        hint = hints[parameter.name]
        if hint not in _HANDED and body_argument(hint) is None:
            arguments[parameter.name] = argument(parameter.name, hint, parameter.default)
    return arguments
