"""Every setting of the program, with its meaning; the only reader of the environment.

A setting is an environment variable with the prefix TRADEPOST_, such as TRADEPOST_PORT=8080. Lists and maps
are written as JSON. `docs/operating.md` lists them all; a test compares.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as Unreadable


class Mode(StrEnum):
    """How the program is used: a contained world to try things in, or for real."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """The settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="TRADEPOST_", env_ignore_empty=True, extra="ignore")

    mode: Mode = Field(Mode.SANDBOX, description="`sandbox`, or `production` for real merchants.")
    data: Path = Field(
        Path("data"),
        description="Folder for everything the program keeps itself: the embedded database, the sandbox.",
    )
    host: str = Field("127.0.0.1", description="Address that the ports are opened on.")
    port: int = Field(8080, ge=0, le=65535, description="Port of the merchant service; 0 picks a free one.")
    wishpost_port: int = Field(8081, ge=0, le=65535, description="Port of WishPost; 0 picks a free one.")
    wishpost_hosts: list[str] = Field(
        ["wishpost.cn", "www.wishpost.cn", "sandbox.wishpost.cn", "wishpost.localhost"],
        description="Host names that mean WishPost, whatever the port; all other names mean the merchant service.",
    )
    trusted_proxies: list[IPvAnyNetwork] = Field(
        [], description='Networks whose X-Forwarded headers are believed, such as `["10.0.0.0/8"]`.'
    )
    workers: int = Field(1, ge=1, le=64, description="Server processes.")
    database_url: str | None = Field(
        None,
        description="PostgreSQL 15 or newer to use instead of the embedded one: `postgresql://user@host/name`.",
    )
    owner_database_url: str | None = Field(
        None, description="The same database as the owner of the schema, for migrations; without it `database_url`."
    )
    postgres_binaries: Path | None = Field(
        None,
        description="Folder with `postgres` and `initdb` to use for the embedded database.",
    )
    pool_size: int = Field(10, ge=2, le=200, description="Database connections per server process, at most.")
    rate_limits: dict[str, Annotated[int, Field(ge=1, le=100_000_000)]] = Field(
        {}, description='Calls per minute by group, such as `{"merchant/default": 600}`.'
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="`debug`, `info`, `warning` or `error`."
    )

    @property
    def is_sandbox(self) -> bool:
        """Whether this is a contained world."""
        return self.mode is Mode.SANDBOX


class SettingsError(Exception):
    """A setting that cannot be used; the message names the variable."""


def load_settings() -> Settings:
    """Read the environment; raises SettingsError with one line per wrong variable."""
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [
            f"TRADEPOST_{'_'.join(str(part) for part in problem['loc'][:1]).upper()}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise SettingsError("\n".join(lines)) from None
    except Unreadable as error:
        field = re.search(r'field "(\w+)"', str(error))
        name = f"TRADEPOST_{field.group(1).upper()}" if field else "TRADEPOST_…"
        raise SettingsError(f"{name}: not JSON, which lists and maps are written as") from None
    if not settings.is_sandbox and settings.database_url is None:
        raise SettingsError("TRADEPOST_DATABASE_URL: production needs a PostgreSQL of yours")
    return settings
