"""The page before the chapters: what is the same for every call of a surface."""

from __future__ import annotations

from tradepost.wire import fields
from tradepost.wire.bodies import StrictObject
from tradepost.wire.describe.book import Book, Examples, limit_words, size_words
from tradepost.wire.describe.components import headers_of
from tradepost.wire.describe.curl import curl
from tradepost.wire.describe.markdown import block, code, slug, table
from tradepost.wire.describe.schemas import is_listing
from tradepost.wire.describe.told import (
    failure_table,
    failures_of_any_call,
    failures_of_some,
    failures_told_otherwise,
)
from tradepost.wire.endpoint import BODY_LIMIT, Endpoint
from tradepost.wire.forms import ACCEPTED_TYPES, MOST_FIELDS
from tradepost.wire.http_types import KEY_HEADER, MOST_KEY

GENERATED = (
    "<!-- Generated from the declarations of the endpoints by `python tools/reference.py`. "
    "Do not edit: change the declaration and run it again. -->"
)


def index_page(book: Book, examples: Examples) -> str:
    """The page `index.md`."""
    surface = book.surface
    parts = [
        GENERATED,
        f"# {surface.title} v{surface.version}",
        _contents(book),
        *_first_call(book, examples),
        *_tokens(book),
        *_parameters(book),
        *_answers(book),
        *(_pages() if any(is_listing(endpoint) for endpoint in surface.endpoints) else ()),
        *(_partial() if surface.selects_fields else ()),
        *(_keys() if surface.key_failures else ()),
        *_languages(book),
        *_limits(book),
        *_headers(book),
        *_endpoints(book),
        *_scopes(book),
        *_errors(book),
    ]
    return "\n\n".join(parts) + "\n"


def _contents(book: Book) -> str:
    lines = [f"{len(book.surface.endpoints)} endpoints. [All of them](#endpoints) in one table, or by chapter:", ""]
    for chapter in book.chapters:
        about = f": {chapter.about[0].lower()}{chapter.about[1:]}" if chapter.about else ""
        lines.append(f"- [{chapter.title}]({chapter.name}.md){about}")
    return "\n".join(lines)


def _first_call(book: Book, examples: Examples) -> list[str]:
    settings = f"export TRADEPOST={book.base_url}\nexport TOKEN=…      # an access token"
    parts = [
        "## A first call",
        "The examples of this reference are lines for a shell in which two variables are set:",
        block(settings, "sh"),
    ]
    endpoint = _simplest(book)
    if endpoint is None:
        return parts
    shown = next((case for case in examples.get(endpoint.path, ()) if case.status == 200 and case.answer), None)
    if shown is None:
        call = f'curl "$TRADEPOST{endpoint.path}" \\\n  -H "Authorization: Bearer $TOKEN"'
        return [*parts, "This one needs nothing but a token:", block(call, "sh")]
    command = curl(shown, book.surface.token_parameter)
    language = "xml" if shown.answer_is_xml else "json"
    return [
        *parts,
        "This one needs nothing but a token:",
        block(command, "sh"),
        "answers",
        block(shown.answer, language),
    ]


def _simplest(book: Book) -> Endpoint | None:
    fitting = (e for e in book.surface.endpoints if not e.params and not e.scope and e.documented_method == "GET")
    return next(fitting, None)


def _tokens(book: Book) -> list[str]:
    oauth = book.oauth
    how = "Every call carries an access token in a header, `Authorization: Bearer $TOKEN`."
    if name := book.surface.token_parameter:
        how = (
            f"Every call carries an access token: in the header, `Authorization: Bearer $TOKEN`, or as the "
            f"parameter {code(name)} in the query or in the body. If both are there they must be the same."
        )
    if oauth is None:
        return [
            "## Access tokens",
            how,
            f"{book.issued} A token opens the [scopes](#scopes) that it was issued for and nothing else.",
            "Calls go over HTTPS. A sandbox takes plain HTTP as well, from the machine it runs on.",
        ]
    return [
        "## Access tokens",
        how,
        "Tokens come by OAuth 2.0 with an authorization code. The person consents at "
        f"{code(oauth.authorize)}, the app changes the code for a token at {code(oauth.token)} and renews it at "
        f"{code(oauth.refresh)}. A token opens the [scopes](#scopes) that were consented to and nothing else.",
        "Calls go over HTTPS. A sandbox takes plain HTTP as well, from the machine it runs on.",
    ]


def _parameters(book: Book) -> list[str]:
    surface = book.surface
    if any(endpoint.body and isinstance(endpoint.body[1].reader, StrictObject) for endpoint in surface.endpoints):
        return _json_only()
    kinds = ", ".join(code(kind) for kind in ACCEPTED_TYPES)
    parts = [
        "## Parameters",
        "Parameters stand in the query or in the body, and it makes no difference where. A body is one of "
        f"{kinds} (an object of parameters), in UTF-8.",
    ]
    if surface.any_method:
        parts.append(
            "GET and POST do the same on every endpoint but those of webhooks, which take the method of "
            "their page alone. The pages name the method that is usual."
        )
    lines = [
        "- An optional parameter that is empty counts as not given, unless its meaning says otherwise.",
        "- The same parameter twice, or with one value in the query and another in the body, is an error.",
        "- A parameter that an endpoint does not know is ignored and named in `Tradepost-Ignored-Parameters`.",
        f"- A call has at most {MOST_FIELDS:,} parameters.",
        f"- A body has at most {size_words(BODY_LIMIT)} where the endpoint does not say otherwise.",
        "- A slash at the end of the path makes no difference.",
    ]
    lines += [
        f"- Paths under {code(surface.prefix)} are reached under {code(alias)} as well."
        for alias in surface.prefix_aliases
    ]
    return [*parts, "\n".join(lines)]


def _json_only() -> list[str]:
    """The same where a call has parameters in its query or one JSON object as its body."""
    lines = [
        "- What is optional may be left out, empty or null; all three mean the same.",
        "- Numbers may stand there as numbers or as texts.",
        "- A parameter of the query that an endpoint does not know is ignored and named in "
        "`Tradepost-Ignored-Parameters`.",
        "- A name in a body that means nothing there is an error.",
        f"- A body has at most {size_words(BODY_LIMIT)} where the endpoint does not say otherwise.",
        "- A slash at the end of the path makes no difference.",
    ]
    return [
        "## Parameters",
        "What is read is asked for with GET and parameters in the query. What changes something is a POST whose "
        "body is one JSON object, `application/json` in UTF-8. Times are UTC, `YYYY-MM-DDTHH:MM:SS`.",
        "\n".join(lines),
    ]


def _keys() -> list[str]:
    return [
        "## Calls that are done once",
        f"A POST may carry the header {code(KEY_HEADER)} with a key of your choice, 1 to {MOST_KEY} visible ASCII "
        "characters, such as the number of the shopping cart. What the call does and the key are kept together, so "
        "a call that is repeated with the same key and body (because the first answer was lost, or because it was "
        "sent twice at once) is not done again: it has the very answer that the first one had, with the header "
        "`Idempotent-Replayed`.",
        "\n".join(
            [
                "- A call that was refused has done nothing and keeps no key: it may be repeated, or corrected.",
                "- The same key with another body, or for another endpoint, is an error (422). The order of the "
                "names in a body makes no difference, nor does `locale`.",
                "- While the first call is still at work, its twin waits; after two seconds it is told to try "
                "again (409).",
                "- A key is kept for 24 hours by the platform's clock. Each operator has keys of his own, "
                "whichever of his tokens he uses.",
            ]
        ),
    ]


def _details(book: Book) -> str:
    """What stands in `data` with an error."""
    failures = book.surface.table
    details = {failures.line(name).detail for name in failures.names()}
    return "an empty object" if details == {"{}"} else "a number, a word or an empty object"


def _answers(book: Book) -> list[str]:
    surface = book.surface
    rows = [
        ("`message`", "text", "Empty where all went well, otherwise a sentence about what did not."),
        ("`code`", "whole number", "0 where all went well, otherwise the kind of [error](#errors-of-any-call)."),
        ("`data`", "see the endpoint", f"What was asked for; with an error {_details(book)}."),
    ]
    if any(is_listing(endpoint) for endpoint in surface.endpoints):
        rows.append(("`paging`", "object", "On lists: links to the [next and the previous page](#pages)."))
    if surface.tells_type:
        rows.append(("`type`", "text", "With an error only: its kind as a word."))
    parts = [
        "## Answers",
        "Every answer, errors included, is an object with these fields:",
        table(("Field", "Form", "Meaning"), rows),
    ]
    if "xml" in surface.formats:
        parts.append(
            "With the parameter `format=xml` the same comes as XML: an element `Response` with `Message`, `Code`, "
            "`Data`, and `Paging` on lists. Names inside `Data` are those of JSON; a list repeats its items; what "
            "is empty or null is an empty element. Without it, or with `format=json`, answers are JSON."
        )
    return parts


def _pages() -> list[str]:
    return [
        "## Pages",
        "Lists come in pages: `start` is how many items to pass over, `limit` how many to have. `paging.next` is "
        "there where more follows and `paging.previous` where `start` is above 0; each is a whole URL that repeats "
        "the filters of the call and can be followed as it is.",
    ]


def _partial() -> list[str]:
    rows = [
        ("`a`", "the field `a` only"),
        ("`a,b`", "these two"),
        ("`a/b`", "of the object `a` the field `b`"),
        ("`a(b,c)`", "of the object `a`, or of each item of the list `a`, the fields `b` and `c`"),
        ("`a/*`", "all fields of `a`"),
    ]
    return [
        "## Parts of an answer",
        "GET calls take the parameter `fields`, which names the parts of `data` that are wanted; `data` itself is "
        f"not named. At most {fields.MOST_LENGTH:,} characters. A name that the answer does not have is an error "
        "that tells its position.",
        table(("`fields`", "asks for"), rows),
    ]


def _languages(book: Book) -> list[str]:
    choices = ", ".join(code(locale) for locale in book.surface.table.locales)
    return [
        "## Languages",
        f"The parameter `locale` chooses the language of messages: {choices}. Without it they are in the language "
        "of the account. Codes and names are the same in all of them.",
    ]


def _limits(book: Book) -> list[str]:
    lines = "\n".join(f"- {limit_words(limit)}" for limit in book.surface.default_limits)
    return [
        "## Limits",
        "Calls are counted. Every line of this list holds where an endpoint does not say otherwise; an "
        "installation may have set other numbers.",
        lines,
        "`Wish-Rate-Limit-Remaining` tells with every answer what is left. Over the limit the answer is a 429, and "
        "`Wish-Rate-Limit-Reset` tells when the next window begins.",
    ]


def _headers(book: Book) -> list[str]:
    when = {
        "Wish-Rate-Limit-Reset": "429",
        "Retry-After": "503, 409" if book.surface.key_failures else "503",
        "Idempotent-Replayed": "a call that was done before",
        "Tradepost-Ignored-Parameters": "where there are any",
    }
    headers = headers_of(book.surface)
    rows = [(code(name), when.get(name, "every answer"), header["description"]) for name, header in headers.items()]
    return ["## Headers of answers", table(("Header", "On", "Meaning"), rows)]


def _endpoints(book: Book) -> list[str]:
    rows = []
    for chapter in book.chapters:
        for endpoint in book.operations_of(chapter).values():
            call = code(f"{endpoint.documented_method} {endpoint.path}")
            link = f"[{endpoint.title}]({chapter.name}.md#{slug(endpoint.title)})"
            rows.append((call, link, code(endpoint.scope) if endpoint.scope else ""))
    return ["## Endpoints", table(("Call", "What it does", "Scope"), rows)]


def _scopes(book: Book) -> list[str]:
    rows = []
    for scope, meaning in book.surface.scopes.items():
        opened = sum(endpoint.scope == scope for endpoint in book.surface.endpoints)
        rows.append((code(scope), meaning, str(opened)))
    what = "What a token opens" if book.oauth is None else "What a person lets an app do"
    return [
        "## Scopes",
        f"{what}. An endpoint without a scope is open to every valid token.",
        table(("Scope", "Meaning", "Endpoints"), rows),
    ]


def _errors(book: Book) -> list[str]:
    surface = book.surface
    parts = [
        "## Errors of any call",
        "Messages are told in English here; words in braces are filled in. `data` says more where a kind of error "
        "has several causes.",
        failure_table(failures_of_any_call(surface), surface.tells_type),
    ]
    for root, others in failures_told_otherwise(surface).items():
        parts += [f"Under {code(root)} some of them have other codes:", failure_table(others, surface.tells_type)]
    if some := failures_of_some(surface):
        parts += [
            "## Errors of some endpoints",
            "Each endpoint's section lists those that it has.",
            failure_table(some, surface.tells_type),
        ]
    return parts
