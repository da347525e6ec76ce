"""What can be wrong with somebody who signs up or signs in."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class PersonUnknown(Failure):
    """Nobody signs in for this account."""

    account_id: str


class PasswordShort(Failure):
    """A password has eight characters at least."""

    least: int


class PasswordLong(Failure):
    """A password has so many characters at most."""

    most: int


class PasswordUntypable(Failure):
    """A password with something in it that no keyboard writes into a field, such as a line break or a zero byte."""


class PasswordPlain(Failure):
    """A password of one character again and again, or of the address or the name: whoever tries comes in."""


class PasswordWrong(Failure):
    """That is not his password."""


class LinkUnknown(Failure):
    """No link was mailed with this secret, or another kind of link."""


class LinkExpired(Failure):
    """The time of a link is over."""


class LinkUsed(Failure):
    """The link was used, or another one after it."""


class AddressTaken(Failure):
    """Somebody else signs in with this address by now."""


class FactorThere(Failure):
    """The second factor is set up already."""


class FactorMissing(Failure):
    """There is no second factor, or nobody has begun to set one up."""


class OneTimeCodeWrong(Failure):
    """Not the code of the moment, or one that was used."""
