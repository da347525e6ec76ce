"""Pieces of SQL that the rows of several areas are made of. What is put in is our own text, never a caller's."""

from __future__ import annotations

from collections.abc import Mapping


def number(expression: str) -> str:
    """A number as answers print it: without trailing zeros, with at least one decimal."""
    return f"regexp_replace(trim_scale({expression})::text, '^(\\d+)$', '\\1.0')"


def truth(expression: str) -> str:
    """A boolean as answers print it."""
    return f"case when {expression} then 'True' else 'False' end"


def picture(expression: str, base_url: str) -> str:
    """A picture as answers tell it: a path of ours as a URL, which begins with the parameter `base_url`."""
    return f"case when starts_with({expression}, '/') then {base_url} || {expression} else {expression} end"


def conditions(bounds: Mapping[str, object], first: int) -> tuple[str, list[object]]:
    """What a list is narrowed by: for bounds such as `id >=` with their values, the SQL that follows a condition
    and the values of its parameters, which are numbered from `first`. A bound that is None bounds nothing."""
    given = {where: value for where, value in bounds.items() if value is not None}
    text = "".join(f" and {where} ${at}" for at, where in enumerate(given, start=first))
    return text, list(given.values())
