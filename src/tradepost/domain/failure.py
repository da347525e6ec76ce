"""The base of everything that the marketplace refuses: facts, without codes and without sentences."""

from __future__ import annotations

from tradepost.values import Fact


class Failure(Fact):
    """Something that a rule of the marketplace does not allow, or that is not there."""
