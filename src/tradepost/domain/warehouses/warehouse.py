"""A warehouse; chapter *Warehouse* of the merchant reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STANDARD: Final = "STANDARD"


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse by its name; an Express one ships to one `country`, STANDARD (None) anywhere."""

    id: str
    name: str
    country: str | None

    @property
    def is_express(self) -> bool:
        """Whether it ships by Express."""
        return self.country is not None


def express_name(country: str) -> str:
    """The name of the Express warehouse for a country."""
    return f"EXPRESS-{country}"
