"""The SQL of apps and tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tradepost.domain.context import Rows

_ADMIT = "select * from admit($1, $2, $3, $4, $5, $6, $7, $8, $9)"


async def admit(db: Rows, *args: Any) -> Any:
    """The verdict of the gate; see the function of that name in the migrations."""
    return await db.fetchrow(_ADMIT, *args)


async def insert_app(
    db: Rows,
    service: str,
    app_id: str,
    name: str,
    secret_hash: bytes,
    redirect_uri: str | None,
    now: datetime,
) -> None:
    """Add an app of one service."""
    await db.execute(
        "insert into app (service, id, name, secret_hash, redirect_uri, created_at) "
        "values ($1, $2, $3, $4, $5, $6)",
        service,
        app_id,
        name,
        secret_hash,
        redirect_uri,
        now,
    )


async def app_exists(db: Rows, service: str, app_id: str) -> bool:
    """Whether a service has an app of this id."""
    return bool(
        await db.fetchval("select exists (select from app where service = $1 and id = $2)", service, app_id)
    )


async def insert_token(
    db: Rows,
    service: str,
    account_id: str,
    token_id: str,
    app_id: str,
    token_hash: bytes,
    scopes: list[str],
    now: datetime,
    expires_at: datetime,
) -> None:
    """Add an access token."""
    await db.execute(
        "insert into access_token (service, account_id, id, app_id, hash, scopes, created_at, expires_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8)",
        service,
        account_id,
        token_id,
        app_id,
        token_hash,
        scopes,
        now,
        expires_at,
    )


async def revoke_token(db: Rows, token_hash: bytes, now: datetime) -> bool:
    """Take a token back; whether there was one that was still good."""
    done = await db.fetchval(
        "update access_token set revoked_at = $2 where hash = $1 and revoked_at is null returning true",
        token_hash,
        now,
    )
    return bool(done)


async def delete_windows(db: Rows, age: timedelta) -> int:
    """Delete the counters of windows that began so long ago; gives how many."""
    # Counters follow the machine's clock, see the function admit.
    deleted = await db.fetch(
        "delete from rate_window where started_at < clock_timestamp() - $1::interval returning true", age
    )
    return len(deleted)
