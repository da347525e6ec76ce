"""Bodies with something else at one place of them."""

from __future__ import annotations

import copy
from typing import Any


def changed(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """The value with something else at a place; NotImplemented takes it away."""
    made = copy.deepcopy(value)
    at = made
    for step in path[:-1]:
        at = at[step]
    if new is NotImplemented:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return made
