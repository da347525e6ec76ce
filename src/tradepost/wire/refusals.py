"""What the wire itself turns away, before any rule of the marketplace is asked.

    Refusal
    ├── about the call        RequestMalformed · HeadTooLarge · PathUnknown · MethodNotAllowed · HttpsRequired
    │                         BodyTooLarge · BodySlow · ContentTypeUnknown · BodyMalformed · JsonMalformed
    │                         BodyNotObject · TooManyFields · FieldsTooLarge
    ├── about the credentials TokenMissing · TokenMalformed · TokensDisagree · ClientMissing · ClientsDisagree
    ├── about the service     Unexpected · ServiceUnavailable
    └── BadParameter          ParameterMissing · OneOfMissing · GivenTwice · NotOneValue · …

Each is a fact without a sentence; codes and sentences stand in the failure table of the surface.
"""

from __future__ import annotations

from tradepost.values import Fact, TryLater


class Refusal(Fact):
    """The base of everything the wire refuses."""


class RequestMalformed(Refusal):
    """Bytes that are no request of HTTP/1.1, or a Host that is no host."""


class HeadTooLarge(Refusal):
    """The request line and the headers together are larger than any call needs."""

    limit: str


class PathUnknown(Refusal):
    """No endpoint has this path."""

    path: str


class MethodNotAllowed(Refusal):
    """The path is there, the method is not."""

    method: str
    allowed: str


class HttpsRequired(Refusal):
    """A call over plain HTTP from somewhere that may not."""


class BodyTooLarge(Refusal):
    """The body is larger than this endpoint reads."""

    limit: str


class BodySlow(Refusal):
    """The body did not arrive in time."""

    seconds: int


class ContentTypeUnknown(Refusal):
    """A body of a kind that is not read here."""

    content_type: str


class BodyMalformed(Refusal):
    """A body that is not what its content type says."""


class JsonMalformed(Refusal):
    """A JSON body that does not parse."""

    line: int
    column: int


class BodyNotObject(Refusal):
    """A JSON body that parses and is no object."""


class TooManyFields(Refusal):
    """More parameters than anybody needs."""

    limit: int


class FieldsTooLarge(Refusal):
    """The parameters besides those that may be large are together larger than any call needs."""

    limit: str


class TokenMissing(Refusal):
    """No access token, neither as a parameter nor in the header."""


class TokenMalformed(Refusal):
    """Something that cannot be an access token, or an Authorization header of another form."""


class TokensDisagree(Refusal):
    """One token as a parameter and another in the header."""


class ClientMissing(Refusal):
    """An app has to show its id and its secret here, and does not."""


class ClientsDisagree(Refusal):
    """The Authorization header names another app, or another secret, than the parameters do."""


class Unexpected(Refusal):
    """A fault of ours; the log has it under the request id."""


class ServiceUnavailable(Refusal, TryLater):
    """Something that this service needs is not there at the moment; trying again helps."""


class BadParameter(Refusal):
    """A parameter that cannot be taken as it is; `name` is the parameter's name on the wire."""

    name: str


class ParameterMissing(BadParameter):
    """Required and not given, or given empty."""


class OneOfMissing(BadParameter):
    """Neither of two parameters was given of which one must be."""

    other: str


class GivenTwice(BadParameter):
    """Given more than once in one place."""

    times: int


class PlacesDisagree(BadParameter):
    """Given in the query and in the body with different values."""


class NotOneValue(BadParameter):
    """A list or an object where one value belongs."""


class NotUtf8(BadParameter):
    """Bytes that are not UTF-8."""


class BadCharacter(BadParameter):
    """A character that no text here may hold; `position` counts from 1."""

    character: str
    position: int


class BadLength(BadParameter):
    """A text that is too short or too long, counted in characters (code points)."""

    least: int
    most: int


class NotWhole(BadParameter):
    """Not a whole number of the range."""

    least: int
    most: int


class NotDecimal(BadParameter):
    """Not a decimal number of the range, or with too many decimals."""

    least: str
    most: str
    places: int


class NotBoolean(BadParameter):
    """None of the forms that say true or false."""


class NotChoice(BadParameter):
    """None of the words that are allowed."""

    choices: str


class NotMoment(BadParameter):
    """Not a date or a time of the documented form."""


class NotUrl(BadParameter):
    """Not an absolute http or https URL."""


class NotDigits(BadParameter):
    """Something else than digits, or too few or too many."""

    least: int
    most: int


class NotCountry(BadParameter):
    """Not an ISO 3166 alpha-2 country code."""

    value: str


class NotJson(BadParameter):
    """A parameter that must hold JSON and does not."""

    line: int
    column: int


class NotRows(BadParameter):
    """JSON that is not a list, or a list with nothing in it."""


class TooManyRows(BadParameter):
    """A list of more rows than one call takes."""

    limit: int


class RowTooLarge(BadParameter):
    """One row of a list, counted from 1, that has more characters than any row needs."""

    row: int
    limit: int


class BadItem(BadParameter):
    """One entry of a list or map is wrong; `item` tells which."""

    item: str


class TooManyItems(BadParameter):
    """A list of more entries than one call takes."""

    limit: int


class NotObject(BadParameter):
    """Something else than an object inside a body where one belongs."""


class NotItems(BadParameter):
    """Inside a body: not a list, or one of too few or too many items."""

    least: int
    most: int


class NotSpan(BadParameter):
    """Not a span of days such as 5-10."""


class BadFields(BadParameter):
    """A `fields` expression that cannot be followed; `position` counts from 1."""

    position: int
