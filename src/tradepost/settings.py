"""Every setting of the program, with its meaning; the only reader of the environment.

A setting is an environment variable with the prefix TRADEPOST_, such as TRADEPOST_PORT=8080. Lists and maps
are written as JSON. `docs/operating.md` lists them all; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as Unreadable

from tradepost.egress.addresses import read_allowance

# A bucket by the naming rules of S3, and perhaps a folder in it whose segments are plain names.
_BUCKET_URL = re.compile(
    r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)*)/?", re.ASCII
)
# An address without quotes or comments in it, and perhaps a name before it that is quoted where it has to be.
_ADDRESS = r"""[^\s\x00-\x1f\x7f-\x9f@<>()\[\],;:\\"]+@[^\s\x00-\x1f\x7f-\x9f@<>()\[\],;:\\"]+"""
_SENDER = re.compile(rf"""{_ADDRESS}|(?:"[^"\\\x00-\x1f]*"|[^@<>()\[\],;:\\"\x00-\x1f]+)?[ ]*<{_ADDRESS}>""")

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.ASCII | re.IGNORECASE)

LEAST_KEY_LENGTH = 32


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
    tls: bool = Field(False, description="Serve both services by HTTPS, too; as `serve --tls`.")
    tls_port: int = Field(
        8443, ge=0, le=65535, description="Port of both services by HTTPS, told apart by name; 0 picks a free one."
    )
    tls_hosts: list[str] = Field(
        ["merchant.wish.com", "china-merchant.wish.com", "sandbox.merchant.wish.com"],
        description="Names of the merchant service in the certificate, beside those of WishPost and this machine.",
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
    public_url: str | None = Field(
        None, description="What links in mails begin with: `https://merchants.example`. Production needs it."
    )
    wishpost_public_url: str | None = Field(
        None,
        description="The same for WishPost: `https://senders.example`. Production needs it.",
    )
    link_keys: list[SecretStr] = Field(
        [],
        description="Keys of download links, 32 characters or more each: the first signs, all are accepted. "
        "Production needs one.",
    )
    sealing_keys: list[SecretStr] = Field(
        [],
        description="Keys that webhook secrets are sealed with, 32 characters or more each: the first seals, all "
        "open. Production needs one; a secret is lost with the key that it was sealed with.",
    )
    merchant_share: Decimal = Field(
        Decimal("0.85"),
        gt=0,
        le=1,
        max_digits=5,
        description="What merchants get of every price and of its shipping, for orders placed from now on.",
    )
    refund_reasons: list[int] = Field(
        [],
        description="Codes of the reasons that merchants may refund orders for, such as `[1, 25, 32]`; empty for "
        "all of both lists.",
    )
    request_log_calls: int = Field(
        100_000,
        ge=0,
        le=1_000_000_000,
        description="Calls of one account that the request log keeps of each day, 4 KiB each on average; 0 turns "
        "it off.",
    )
    request_log_mib: int = Field(
        10_240, ge=1, description="What the request log may take in all; beyond it the oldest three days go."
    )
    job_slots: int = Field(4, ge=1, le=64, description="Jobs that one worker works on at the same time.")
    files_url: str | None = Field(
        None, description="Bucket to keep files in, `s3://bucket/folder`; without it the data folder's `files`."
    )
    s3_endpoint: str | None = Field(
        None, description="Address of the S3-compatible service; without it Amazon's in the region."
    )
    s3_region: str = Field("us-east-1", min_length=1, description="Region of the bucket.")
    s3_access_key_id: str | None = Field(None, description="Who reads and writes the bucket.")
    s3_secret_access_key: SecretStr | None = Field(None, description="The secret of that key.")
    smtp_host: str | None = Field(
        None, description="Mail server; without it no mail leaves: the sandbox shows it, production keeps it."
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        "starttls", description="`starttls`, `tls` from the first byte, or `none`."
    )
    smtp_user: str | None = Field(None, description="Who logs in to the mail server; without it nobody does.")
    smtp_password: SecretStr | None = Field(None, description="The password of that user.")
    egress_allow: list[str] = Field(
        [],
        description="What may be fetched from beside the public internet at ports 80 and 443: networks, with a "
        'port or without, such as `["10.1.0.0/16", "10.2.0.7:9000", "[fd00::7]:9000", "public:8443"]`.',
    )
    egress_socket: Path | None = Field(
        None, description="Unix socket of a `tradepost egress` of yours; without it each worker starts one itself."
    )
    egress_ca_file: Path | None = Field(
        None, description="Certificates to believe the other side by, PEM; without it those of the system."
    )
    mail_from: str = Field("Tradepost <no-reply@localhost>", description="Sender of every mail.")

    @property
    def is_sandbox(self) -> bool:
        """Whether this is a contained world."""
        return self.mode is Mode.SANDBOX

    @property
    def certified_hosts(self) -> tuple[str, ...]:
        """The names of both services that a certificate has."""
        return tuple(dict.fromkeys((*self.tls_hosts, *self.wishpost_hosts)))

    @property
    def bucket(self) -> tuple[str, str] | None:
        """The bucket that files are kept in and the folder there ("" for none), or None for the data folder."""
        found = None if self.files_url is None else _BUCKET_URL.fullmatch(self.files_url)
        return None if found is None else (found[1], found[2].strip("/"))

    @field_validator("public_url", "wishpost_public_url", "s3_endpoint")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        """Give back the address of a server without a slash at the end."""
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or not re.fullmatch(r"https?://[A-Za-z0-9.:_\[\]-]+/?", value, re.ASCII | re.IGNORECASE):
            raise ValueError("not http:// or https:// with a host and perhaps a port, and nothing else")
        return value.removesuffix("/")

    @field_validator("link_keys", "sealing_keys")
    @classmethod
    def _check_keys(cls, value: list[SecretStr]) -> list[SecretStr]:
        if any(len(key.get_secret_value()) < LEAST_KEY_LENGTH for key in value):
            raise ValueError(f"a key of fewer than {LEAST_KEY_LENGTH} characters can be guessed")
        return value

    @field_validator("tls_hosts", "wishpost_hosts")
    @classmethod
    def _check_hosts(cls, value: list[str]) -> list[str]:
        for name in value:
            if not _HOST.fullmatch(name) or len(name) > 253:
                raise ValueError(f"{name[:64]!r} is no host name, such as shop.example.org")
        return [name.lower() for name in value]

    @field_validator("egress_allow")
    @classmethod
    def _check_egress_allow(cls, value: list[str]) -> list[str]:
        for text in value:
            read_allowance(text)
        return value

    @field_validator("files_url")
    @classmethod
    def _check_files_url(cls, value: str | None) -> str | None:
        if value is not None and not _BUCKET_URL.fullmatch(value):
            raise ValueError("not s3://bucket or s3://bucket/folder")
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_mail_from(cls, value: str) -> str:
        try:
            found = _SENDER.fullmatch(value) and value.rstrip(">").rpartition("@")[2].encode("idna")
        except UnicodeError:
            found = None
        if not found:
            raise ValueError("not one address, with or without a name: Shop <shop@example.org>")
        return value


class SettingsError(Exception):
    """A setting that cannot be used; the message names the variable."""


def _disagreements(settings: Settings) -> Iterator[str]:
    """What is wrong with settings that are each right by themselves, one line per variable."""
    if settings.files_url is not None:
        if settings.s3_access_key_id is None:
            yield "TRADEPOST_S3_ACCESS_KEY_ID: the bucket of TRADEPOST_FILES_URL is not opened without a key"
        if settings.s3_secret_access_key is None:
            yield "TRADEPOST_S3_SECRET_ACCESS_KEY: the bucket of TRADEPOST_FILES_URL is not opened without a key"
    if settings.smtp_user is not None:
        if settings.smtp_password is None:
            yield "TRADEPOST_SMTP_PASSWORD: TRADEPOST_SMTP_USER does not log in without one"
        if settings.smtp_security == "none":
            yield "TRADEPOST_SMTP_SECURITY: TRADEPOST_SMTP_USER's password is not sent without TLS"
    elif settings.smtp_password is not None:
        yield "TRADEPOST_SMTP_USER: TRADEPOST_SMTP_PASSWORD belongs to nobody"
    if settings.is_sandbox:
        return
    if settings.tls:
        yield (
            "TRADEPOST_TLS: production is reached through a proxy with a certificate that everybody trusts; "
            "one of a local authority would have to be brought to every caller"
        )
    if settings.database_url is None:
        yield "TRADEPOST_DATABASE_URL: production needs a PostgreSQL of yours"
    if settings.public_url is None:
        yield "TRADEPOST_PUBLIC_URL: production needs the address that merchants reach it under"
    elif not settings.public_url.lower().startswith("https:"):
        yield "TRADEPOST_PUBLIC_URL: production is reached over https only"
    if settings.wishpost_public_url is None:
        yield "TRADEPOST_WISHPOST_PUBLIC_URL: production needs the address that senders reach WishPost under"
    elif not settings.wishpost_public_url.lower().startswith("https:"):
        yield "TRADEPOST_WISHPOST_PUBLIC_URL: production is reached over https only"
    if not settings.link_keys:
        yield "TRADEPOST_LINK_KEYS: production needs a key that signs download links"
    if not settings.sealing_keys:
        yield "TRADEPOST_SEALING_KEYS: production needs a key that seals secrets in the database"


def load_settings(**told: Any) -> Settings:
    """Read the environment, of which `told` goes before; raises SettingsError with one line per wrong variable."""
    try:
        settings = Settings(**told)
    except ValidationError as error:
        lines = [
            f"TRADEPOST_{'_'.join(str(part) for part in problem['loc'][:1]).upper()}: "
            f"{problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
        raise SettingsError("\n".join(lines)) from None
    except Unreadable as error:
        field = re.search(r'field "(\w+)"', str(error))
        name = f"TRADEPOST_{field.group(1).upper()}" if field else "TRADEPOST_…"
        raise SettingsError(f"{name}: not JSON, which lists and maps are written as") from None
    if lines := list(_disagreements(settings)):
        raise SettingsError("\n".join(lines))
    return settings
