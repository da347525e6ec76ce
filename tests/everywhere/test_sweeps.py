"""One short test each over all endpoints, derived from the declarations: nobody has to remember them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec import structs

from tests.support.answer import Answer
from tests.support.calls import (
    ENDPOINTS,
    GOOD_BODIES,
    IDS,
    NOTIFICATIONS,
    ORDERS,
    RETURN_WAREHOUSES,
    RINGS,
    SURFACES,
    TICKETS,
    WEBHOOKS,
    caller,
    good_call,
    jobs_like,
    url,
    webhook_like,
)
from tests.support.market import Market
from tests.support.xmltree import differences
from tradepost.domain.access import new_operator_token, new_token
from tradepost.wire.endpoint import Endpoint
from tradepost.wire.params import Boolean, Choice, Country, Digits, Key, LookedUp, Moment, Number, Text, Whole

every_endpoint = pytest.mark.parametrize(("service", "endpoint"), ENDPOINTS, ids=IDS)
WITH_TOKEN = [(service, endpoint) for service, endpoint in ENDPOINTS if not endpoint.open]
every_with_token = pytest.mark.parametrize(
    ("service", "endpoint"), WITH_TOKEN, ids=[f"{service}:{endpoint.path}" for service, endpoint in WITH_TOKEN]
)
# An operator's token belongs to no app.
every_endpoint_of_apps = pytest.mark.parametrize(
    ("service", "endpoint"),
    [(service, endpoint) for service, endpoint in ENDPOINTS if service != "operator" and not endpoint.open],
    ids=[f"{s}:{e.path}" for s, e in ENDPOINTS if s != "operator" and not e.open],
)
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def call(market: Market, service: str, endpoint: Endpoint, params: dict[str, str], who: str | None = "") -> Answer:
    """Call an endpoint by its documented method with the parameters where they usually are."""
    who = caller(service) if who == "" else who
    text = urlencode(params)
    if endpoint.body is not None:
        body = json.dumps(GOOD_BODIES[endpoint.path]).encode()
        return market.request("POST", f"{url(service, endpoint)}?{text}", who, body, JSON)
    if endpoint.documented_method in ("GET", "DELETE"):
        answer = market.request(endpoint.documented_method, f"{url(service, endpoint)}?{text}", who)
    else:
        answer = market.request(endpoint.documented_method, url(service, endpoint), who, text.encode(), FORM)
    return answer.filled() if endpoint.empty else answer


@contextmanager
def undone(market: Market) -> Iterator[None]:
    """What happens inside leaves nothing behind."""
    savepoint = market.connection.transaction()
    market.run(savepoint.start())
    try:
        yield
    finally:
        market.run(savepoint.rollback())


def check_frame(answer: Answer) -> None:
    """What every answer has, whatever it says."""
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["wish-request-id"])
    assert answer.headers["wish-rate-limit-remaining"].isdigit()
    assert list(answer.json)[:2] == ["message", "code"]
    assert list(answer.json)[2] == "data" or answer.json["message"] == "Success"


def refused(answer: Answer, status: int, code: int, data: Any = None) -> None:
    check_frame(answer)
    assert (answer.status, answer.code) == (status, code), answer.body
    if data is not None:
        assert answer.data == data
    assert answer.json["message"]


# What is wrong with a token, by status and code; newer paths of the merchant service have numbers of their own.
MERCHANT = {"missing": (401, 4000), "malformed": (401, 4000), "unknown": (401, 4000), "expired": (401, 1015)}
MERCHANT |= {"revoked": (401, 1016), "suspended": (403, 2000)}
NEWER = {"missing": (401, 1012), "malformed": (400, 1006), "unknown": (400, 1006), "expired": (400, 1007)}
NEWER |= {"revoked": (400, 1008), "suspended": (400, 1002)}
WISHPOST = {"missing": (401, 4000), "malformed": (401, 1102), "unknown": (401, 1020), "expired": (401, 1007)}
WISHPOST |= {"revoked": (401, 1008), "suspended": (403, 4000)}


def codes(service: str, endpoint: Endpoint) -> dict[str, tuple[int, int]]:
    """Those of an endpoint."""
    if service == "wishpost":
        return WISHPOST
    return NEWER if service == "merchant" and endpoint.path.startswith("/api/v3/") else MERCHANT


@every_endpoint
def test_good_call(market: Market, service: str, endpoint: Endpoint) -> None:
    """The table of good calls is one; sweeps that vary it stand on that."""
    answer = call(market, service, endpoint, good_call(service, endpoint))
    check_frame(answer)
    assert (answer.status, answer.code) == (200, 0)
    assert answer.json["message"] == ("Success" if endpoint.flat else endpoint.says)
    beside = {field.name for field in structs.fields(endpoint.returns)} if endpoint.flat else {"data"}
    assert answer.json.keys() >= beside
    assert ("data" in answer.json) == ("data" in beside)


@every_endpoint
def test_good_call_gives_every_parameter(service: str, endpoint: Endpoint) -> None:
    """So that no parameter is left out of the sweeps; localized ones are for merchants with their own currency."""
    given = good_call(service, endpoint, "cny").keys()
    optional = {name for pair in endpoint.one_of for name in pair}
    assert {param.name for param in endpoint.params if given.isdisjoint(param.names)} <= optional


class TestTokens:
    """Everything that can be wrong with a token, on every endpoint."""

    @every_with_token
    def test_none(self, market: Market, service: str, endpoint: Endpoint) -> None:
        refused(call(market, service, endpoint, {}, None), *codes(service, endpoint)["missing"], {})

    @every_with_token
    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer a b", "Basic YTpi", "token", "Bearer \xe9", "Bearer x, Bearer y"]
    )
    def test_malformed(self, market: Market, service: str, endpoint: Endpoint, header: str) -> None:
        answer = market.request(
            endpoint.documented_method, url(service, endpoint), None, headers={"authorization": header}
        )
        refused(answer, *codes(service, endpoint)["malformed"])
        if service != "wishpost":
            assert answer.json["type"] == "malformed_token"

    @every_with_token
    def test_not_of_this_form(self, market: Market, service: str, endpoint: Endpoint) -> None:
        answer = self._with(market, service, endpoint, "3d6e2d71bc464e42bfbdb081afb73c1e")
        refused(answer, *codes(service, endpoint)["unknown"])

    @every_with_token
    def test_unknown(self, market: Market, service: str, endpoint: Endpoint) -> None:
        unknown = new_operator_token() if service == "operator" else new_token()
        answer = self._with(market, service, endpoint, unknown)
        refused(answer, *codes(service, endpoint)["unknown"])
        if service != "wishpost":
            assert answer.json["type"] == "unknown_token"

    @every_with_token
    def test_of_the_other_service(self, market: Market, service: str, endpoint: Endpoint) -> None:
        other = "wishpost:lan" if service == "merchant" else "usd"
        answer = self._with(market, service, endpoint, market.token(other))
        refused(answer, *codes(service, endpoint)["unknown"])

    @every_with_token
    def test_expired(self, market: Market, service: str, endpoint: Endpoint) -> None:
        market.sql("update world_clock set fixed_at = fixed_at + interval '30 days'")
        refused(call(market, service, endpoint, {}), *codes(service, endpoint)["expired"])

    @every_with_token
    def test_still_good_a_second_before(self, market: Market, service: str, endpoint: Endpoint) -> None:
        market.sql("update world_clock set fixed_at = fixed_at + interval '30 days' - interval '1 second'")
        answer = call(market, service, endpoint, good_call(service, endpoint))
        # The call is let in; what it asks for may have had a deadline of its own.
        assert answer.status == (409 if endpoint.path.endswith("/cancel-tracking") else 200)

    @every_with_token
    def test_revoked(self, market: Market, service: str, endpoint: Endpoint) -> None:
        market.sql("update access_token set revoked_at = now()")
        market.sql("update operator_token set revoked_at = now()")
        refused(call(market, service, endpoint, {}), *codes(service, endpoint)["revoked"])

    @every_endpoint_of_apps
    def test_of_a_disabled_app(self, market: Market, service: str, endpoint: Endpoint) -> None:
        market.sql("update app set disabled_at = now()")
        refused(call(market, service, endpoint, {}), *codes(service, endpoint)["revoked"])

    @every_with_token
    def test_of_a_suspended_account(self, market: Market, service: str, endpoint: Endpoint) -> None:
        market.sql("update merchant set suspended_at = now()")
        market.sql("update shipper set suspended_at = now()")
        market.sql("update operator_account set disabled_at = now()")
        refused(call(market, service, endpoint, {}), *codes(service, endpoint)["suspended"])

    def _with(self, market: Market, service: str, endpoint: Endpoint, token: str) -> Answer:
        return market.request(
            endpoint.documented_method, url(service, endpoint), None, headers={"authorization": f"Bearer {token}"}
        )


@every_with_token
def test_scope(market: Market, service: str, endpoint: Endpoint) -> None:
    """Without its scope an endpoint refuses, with nothing but it (or none at all, where none is asked) it works."""
    params = good_call(service, endpoint)
    every = list(SURFACES[service].scopes)
    without = [scope for scope in every if scope != endpoint.scope]
    _set_scopes(market, without)
    answer = call(market, service, endpoint, params)
    if endpoint.scope is None:
        assert answer.status == 200
        _set_scopes(market, [])
    else:
        refused(answer, 403, 1103)
        assert endpoint.scope in answer.json["message"]
        _set_scopes(market, [endpoint.scope])
    assert call(market, service, endpoint, params).status == 200


def _set_scopes(market: Market, scopes: list[str]) -> None:
    for table in ("access_token", "operator_token"):
        market.sql(f"update {table} set scopes = $1", scopes)


IDS_OF_THINGS = ("id", "ids", "subscription_id", "job_id", "noti_id", "variation_id", "warehouse_id")
NAMES = (*IDS_OF_THINGS, "sku", "parent_sku", "warehouse_name")
NAMED = [
    (service, endpoint, param.name)
    for service, endpoint in ENDPOINTS
    for param in endpoint.params
    if param.name in NAMES and (type(param.reader) is LookedUp or param.name == "ids" or param.name.endswith("id"))
]


@pytest.mark.parametrize(("service", "endpoint", "name"), NAMED, ids=[f"{e.path}:{name}" for _, e, name in NAMED])
def test_what_belongs_to_another_does_not_exist(
    market: Market, service: str, endpoint: Endpoint, name: str
) -> None:
    """Another merchant's id, SKU, warehouse or job answers like one that was never given."""
    theirs = {
        "id": ORDERS["cny"]["open"]
        if (service, endpoint.chapter) == ("merchant", "orders")
        else webhook_like(endpoint)["cny"]
        if endpoint.chapter == "webhooks"
        else TICKETS["cny"][0]
        if endpoint.chapter == "tickets"
        else RINGS["cny"][0],
        "ids": RINGS["cny"][0],
        "sku": "lantern-of-lan",
        "parent_sku": "lantern",
        "warehouse_name": "EXPRESS-DE",
        "job_id": jobs_like(endpoint)["cny"],
        "subscription_id": WEBHOOKS["cny"],
        "noti_id": NOTIFICATIONS["cny"],
        "variation_id": RINGS["cny"][1],
        "warehouse_id": RETURN_WAREHOUSES["cny"],
    }[name]
    extra = {**good_call("merchant", _by_path("/api/v2/product/add"), "cny")}
    extra |= {"sku": "lantern-of-lan", "parent_sku": "lantern"}
    assert market.post("/api/v2/product/add", "cny", **extra).status == 200
    never = {
        "id": "0" * 24,
        "ids": "0" * 24,
        "sku": "lantern-of-who",
        "parent_sku": "lamtern",
        "warehouse_name": "EXPRESS-DK",
        "job_id": "0" * 24,
        "subscription_id": "0" * 24,
        "noti_id": "0" * 24,
        "variation_id": "0" * 24,
        "warehouse_id": "0" * 24,
    }[name]
    params = good_call(service, endpoint)
    if name == "id":
        params.pop("parent_sku", None)
    before = _content(market)
    answers = [call(market, service, endpoint, params | {name: value}) for value in (theirs, never)]
    told = [
        (answer.status, {**answer.json, "message": answer.json["message"].replace(value, "…")})
        for answer, value in zip(answers, (theirs, never), strict=True)
    ]
    assert told[0] == told[1]
    assert answers[0].status == 400
    assert _content(market) == before


def _by_path(path: str) -> Endpoint:
    return next(endpoint for _, endpoint in ENDPOINTS if endpoint.path == path)


def _content(market: Market) -> Any:
    """Everything that merchants have, as one text."""
    return market.sql(
        "select (select string_agg(p::text, '' order by id) from product p)"
        " || (select string_agg(v::text, '' order by id) from variation v)"
        " || (select string_agg(s::text, '' order by variation_id, warehouse_id) from stock s)"
        " || (select coalesce(string_agg(c::text, '' order by product_id, country), '') from country_shipping c)"
        " || (select coalesce(string_agg(r::text, '' order by product_id, region), '') from region_shipping r)"
        " || (select string_agg(j::text, '' order by id) from job j)"
        " || (select string_agg(d::text, '' order by product_id) from product_dimensions d)"
        " || (select string_agg(r::text, '' order by id) from return_warehouse r)"
        " || (select string_agg(o::text, '' order by id) from orders o)"
        " || (select string_agg(n::text, '' order by merchant_id, id) from notification n)"
        " || (select string_agg(t::text, '' order by merchant_id, id) from ticket t)"
        " || (select string_agg(y::text, '' order by merchant_id, ticket_id, position) from ticket_reply y)"
        " || (select string_agg(w::text, '' order by merchant_id, id) from webhook_subscription w)"
        " || (select string_agg(d::text, '' order by merchant_id, id) from webhook_delivery d)"
        " || (select string_agg(e::text, '' order by product_id, region) from return_setting e)"
    )


def names(answer: Answer, service: str, name: str) -> bool:
    """Whether a refusal tells the parameter: in its detail, or on the wire that has none in its message."""
    return answer.data == name if service != "wishpost" else f"'{name}'" in answer.json["message"]


REQUIRED = [(s, e, param) for s, e in ENDPOINTS for param in e.params if param.required]


@pytest.mark.parametrize(
    ("service", "endpoint", "param"), REQUIRED, ids=[f"{e.path}:{p.name}" for _, e, p in REQUIRED]
)
@pytest.mark.parametrize("how", ["left out", "empty"])
def test_required_parameter_missing(market: Market, service: str, endpoint: Endpoint, param: Any, how: str) -> None:
    """Missing or empty: the answer names it."""
    params = good_call(service, endpoint)
    del params[param.name]
    if how == "empty":
        params[param.name] = ""
    answer = call(market, service, endpoint, params)
    if param.when_missing:
        refused(answer, 400, 1000, 2202)  # recorded from real traffic
    else:
        refused(answer, 400, 1001)
        assert names(answer, service, param.name)


EITHER = [(s, e, pair) for s, e in ENDPOINTS for pair in e.one_of]


@pytest.mark.parametrize(("service", "endpoint", "pair"), EITHER, ids=[e.path for _, e, _ in EITHER])
def test_neither_of_two(market: Market, service: str, endpoint: Endpoint, pair: tuple[str, str]) -> None:
    params = {name: value for name, value in good_call(service, endpoint).items() if name not in pair}
    refused(call(market, service, endpoint, params), 400, 1001, pair[0] if service == "merchant" else None)


def bad_values(reader: Any) -> list[str]:
    """Values just outside what a reader takes."""
    match reader:
        case Whole(least, most):
            return [str(most + 1), f"{least}.5", "-1", "1e2", "١", *([str(least - 1)] if least > 0 else [])]
        case Number(least, most, places):
            beyond = f"{most}." + "0" * places + "1"
            return [beyond, "-1", "1e1", "NaN", "1.1" + "1" * places, *(["0"] if float(least) > 0 else [])]
        case Choice(words):
            return [words[0] + "X", "nonsense"]
        case Boolean():
            return ["yes", "TRUE", "2"]
        case Country():
            return ["ZZ", "us", "UK", "USA"]
        case Digits(least, most):
            return ["1" * (least - 1), "1" * (most + 1), "1" * (least - 1) + "a"]
        case Moment():
            return ["2021-02-29", "19-05-2021", "2021-05-19 10:00:00", "now", "2021-05-19T10:00:00Z"]
        case Text(most) | Key(most) | LookedUp(most):
            return ["x" * (most + 1), "a\x00b", "a\x07b"]
    return []


RANGED = [(s, e, p, value) for s, e in ENDPOINTS for p in e.params for value in bad_values(p.reader)]


def test_range_exceeded_at_its_edge(market: Market) -> None:
    """Each value just outside its range, choice or form is refused by name."""
    assert len(RANGED) > 300
    for service, endpoint, param, value in RANGED:
        name = param.names[0]
        params = good_call(service, endpoint, "cny") | {name: value}
        answer = call(market, service, endpoint, params, "cny" if service == "merchant" else "")
        assert (answer.status, answer.code) == (400, 1000), (endpoint.path, name, value, answer.body)
        assert names(answer, service, name) or name == "id", (endpoint.path, name, value, answer.body)


PLACES = ["GET query", "POST query", "POST urlencoded", "POST multipart", "POST json", "POST half and half"]


def placed(market: Market, place: str, target: str, who: str, params: dict[str, str]) -> Answer:
    """The same parameters somewhere else in the request."""
    method, _, where = place.partition(" ")
    if where == "query":
        return market.request(method, f"{target}?{urlencode(params)}", who)
    if where == "urlencoded":
        return market.request(method, target, who, urlencode(params).encode(), FORM)
    if where == "json":
        return market.request(
            method, target, who, json.dumps(params).encode(), {"content-type": "application/json; charset=utf-8"}
        )
    if where == "multipart":
        parts = "".join(
            f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in params.items()
        )
        body = (parts + "--edge--\r\n").encode()
        return market.request(method, target, who, body, {"content-type": "multipart/form-data; boundary=edge"})
    names = list(params)
    first, second = names[::2], names[1::2]
    query = urlencode({name: params[name] for name in first})
    rest = urlencode({name: params[name] for name in second}).encode()
    return market.request(method, f"{target}?{query}", who, rest, FORM)


def without_new_ids(answer: Answer) -> Any:
    """An answer with ids in the order they appear, because each call makes new ones, and without links to pages."""
    seen: dict[str, str] = {}
    text = re.sub(
        r"mp_[a-z]{2}_[0-9A-Za-z]{49}|whsec_[0-9A-Za-z+/]{43}=|[0-9a-f]{24}|WOSP[0-9]{12}[A-Z]{3}",
        lambda found: seen.setdefault(found.group(), f"id{len(seen)}"),
        answer.body.decode(),
    )
    return re.sub(r"https:[^\"]*\?start=[^\"]*", "…", text)


@every_endpoint
def test_parameters_come_from_anywhere(market: Market, service: str, endpoint: Endpoint) -> None:
    """Query, form, multipart and JSON body are one; methods too, where the surface answers any."""
    if endpoint.body is not None or endpoint.documented_method in ("PUT", "DELETE"):
        return  # its body is no set of parameters, or it takes no other method
    params = good_call(service, endpoint)
    told = {}
    for place in PLACES:
        method = place.partition(" ")[0]
        if method not in methods_at(endpoint):
            answer = placed(market, place, url(service, endpoint), caller(service), params)
            refused(answer, 405, 4005)
            assert answer.headers["allow"] == ", ".join(methods_at(endpoint))
            continue
        if method not in endpoint.methods:
            continue  # that is another endpoint
        with undone(market):
            answer = placed(market, place, url(service, endpoint), caller(service), params)
        assert answer.status == 200, (place, answer.body)
        told[place] = without_new_ids(answer)
    assert len(set(told.values())) == 1


@every_endpoint
def test_every_path_is_the_same_endpoint(market: Market, service: str, endpoint: Endpoint) -> None:
    """Older paths, a slash at the end, and the short prefix of the sandbox."""
    params = good_call(service, endpoint)
    base = url(service, endpoint).removesuffix(endpoint.path)
    paths = [variant for path in endpoint.paths for variant in (path, path + "/")]
    if service == "merchant":
        paths += [path.removeprefix("/api") for path in endpoint.paths if path.startswith("/api/v2")]
    told = set()
    for path in paths:
        with undone(market):
            body = json.dumps(GOOD_BODIES[endpoint.path]).encode() if endpoint.body else b""
            target = f"{base}{path}?{urlencode(params)}"
            answer = market.request(endpoint.documented_method, target, caller(service), body, JSON if body else {})
        assert answer.status == (204 if endpoint.empty else 200), (path, answer.body)
        told.add(without_new_ids(answer))
    assert len(told) == 1


@pytest.mark.parametrize("who", ["usd", "cny"])
@every_endpoint
def test_xml_says_the_same_as_json(market: Market, service: str, endpoint: Endpoint, who: str) -> None:
    """The same tree, for success and for failure."""
    if service != "merchant":
        assert (
            call(market, service, endpoint, {"format": "xml"})
            .headers["content-type"]
            .startswith("application/json")
        )
        return
    if endpoint.empty:
        return  # it says nothing in either
    good = good_call(service, endpoint, who)
    # Ids and the order of changes are the same in both runs only if each starts from the same state.
    for params in (good, {"locale": "fr"} if endpoint.params else good, good | {"start": "99999"}):
        with undone(market):
            as_json = call(market, service, endpoint, params | {"format": "json"}, who)
        with undone(market):
            as_xml = call(market, service, endpoint, params | {"format": "xml"}, who)
        assert as_xml.status == as_json.status
        assert as_xml.headers["content-type"] == "application/xml; charset=utf-8"
        ids_json, ids_xml = (
            re.findall(r"mp_[a-z]{2}_[0-9A-Za-z]{49}|whsec_[0-9A-Za-z+/]{43}=|[0-9a-f]{24}", answer.body.decode())
            for answer in (as_json, as_xml)
        )
        renamed = as_xml.body.decode()
        for ours, theirs in dict(zip(ids_xml, ids_json, strict=True)).items():
            renamed = renamed.replace(ours, theirs)
        assert not differences(as_json.json, renamed.encode())


@every_endpoint
def test_every_locale_answers(market: Market, service: str, endpoint: Endpoint) -> None:
    """A refusal in each language; one that is not spoken is refused by name."""
    locales = SURFACES[service].table.locales
    told = {call(market, service, endpoint, {"locale": locale}, None).json["message"] for locale in locales}
    assert len(told) == len(locales)
    answer = call(market, service, endpoint, {"locale": "xx"})
    refused(answer, 400, 1000)
    assert "'locale'" in answer.json["message"]


@every_endpoint
def test_plain_http_is_refused(market: Market, service: str, endpoint: Endpoint) -> None:
    target = url(service, endpoint).replace("https://", "http://")
    refused(market.request(endpoint.documented_method, target, caller(service)), 403, 4000)


@every_endpoint
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(market: Market, service: str, endpoint: Endpoint, method: str) -> None:
    if method not in methods_at(endpoint):
        refused(market.request(method, url(service, endpoint), caller(service)), 405, 4005)


def methods_at(endpoint: Endpoint) -> list[str]:
    """The methods of everything that is reached under the path of an endpoint."""
    surface = next(surface for surface in SURFACES.values() if endpoint in surface.endpoints)
    at = [other for other in surface.endpoints if other.path == endpoint.path]
    return [method for other in at for method in other.methods]


@every_endpoint
def test_fields_select(market: Market, service: str, endpoint: Endpoint) -> None:
    """On reads of the logistics service but OAuth; elsewhere the name means nothing and is told to be ignored."""
    answer = call(market, service, endpoint, good_call(service, endpoint) | {"fields": "*"})
    assert answer.status == 200
    if service != "wishpost" or endpoint.documented_method == "POST":
        assert "fields" in answer.headers["tradepost-ignored-parameters"]
    elif endpoint.chapter != "oauth":
        refused(call(market, service, endpoint, {"fields": "nothing_like_this"}), 400, 1000)


@every_endpoint
def test_rate_limit(market: Market, service: str, endpoint: Endpoint) -> None:
    """The call after the last one is refused, with the time when it works again."""
    limits = SURFACES[service].limits_of(endpoint)
    tight = min(limits, key=lambda limit: limit.limit)
    market.sql(
        "insert into rate_window (key, started_at, used) select $1 || $2, "
        "date_bin('1 minute', clock_timestamp() + interval '1 minute', '1970-01-01'), $3",
        f"{service}/{tight.group}/{tight.level}:",
        _counted(market, service, tight.level),
        tight.limit - 1,
    )
    last = call(market, service, endpoint, good_call(service, endpoint))
    assert (last.status, last.headers["wish-rate-limit-remaining"]) == (200, "0")
    answer = call(market, service, endpoint, good_call(service, endpoint))
    assert answer.status == 429
    assert answer.headers["wish-rate-limit-remaining"] == "0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", answer.headers["wish-rate-limit-reset"])
    assert answer.code == (1056 if service != "wishpost" else 4290 if endpoint.open else 4294)


def _counted(market: Market, service: str, level: str) -> str:
    if level == "operator":
        return str(market.sql("select id from operator_account where name = 'desk'"))
    grant = (market.world.merchants if service == "merchant" else market.world.senders)[
        caller(service).rpartition(":")[2]
    ]
    if level == "ip":
        return "127.0.0.1"
    if level == "app_user":
        return grant.client_id + grant.account_id
    assert level == "ip_user_agent"
    return f"127.0.0.1 {grant.account_id} " + str(market.sql("select md5('')"))


ONE_STATEMENT = [(service, endpoint) for service, endpoint in ENDPOINTS if endpoint.one_statement]


@pytest.mark.parametrize(("service", "endpoint"), ONE_STATEMENT, ids=[e.path for _, e in ONE_STATEMENT])
def test_a_write_without_a_transaction_is_one_statement(market: Market, service: str, endpoint: Endpoint) -> None:
    """Besides the gate's; anything more would need a transaction around it."""
    call(market, service, endpoint, good_call(service, endpoint))  # so that the driver knows the types
    seen: list[str] = []
    market.connection.add_query_logger(lambda record: seen.append(record.query))
    answer = call(market, service, endpoint, good_call(service, endpoint))
    assert answer.status == 200
    around = ("SAVEPOINT", "RELEASE", "set local role", "reset role")
    ours = [query for query in seen if not query.startswith(around)]
    assert len(ours) == 2
    assert "admit(" in ours[0]
