"""The SQL of consents and refresh tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tradepost.domain.consents.consent import Consent, NewConsent
from tradepost.domain.context import Rows

_CONSENT = (
    "account_id, id, app_id, user_id, scopes, redirect_uri, challenge, code_expires_at, code_used_at, "
    "created_at as started_at, expires_at, ended_at"
)


async def insert(
    db: Rows,
    service: str,
    consent_id: str,
    app_id: str,
    new: NewConsent,
    code_hash: bytes,
    now: datetime,
    code_life: timedelta,
    life: timedelta,
) -> bool:
    """Keep a consent; whether it was not there before."""
    done = await db.fetchval(
        "insert into consent (account_id, id, service, app_id, user_id, scopes, redirect_uri, challenge, "
        "code_hash, code_expires_at, created_at, expires_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing returning true",
        new.account_id,
        consent_id,
        service,
        app_id,
        new.user_id,
        list(new.scopes),
        new.redirect_uri,
        new.challenge,
        code_hash,
        now + code_life,
        now,
        now + life,
    )
    return bool(done)


async def code_is_good(db: Rows, account_id: str, consent_id: str, now: datetime) -> bool:
    """Whether the code of a consent can still be exchanged."""
    found = await db.fetchval(
        "select code_used_at is null and ended_at is null and code_expires_at > $3 from consent "
        "where account_id = $1 and id = $2",
        account_id,
        consent_id,
        now,
    )
    return bool(found)


async def hold_by_code(db: Rows, account_id: str, code_hash: bytes) -> Consent | None:
    """The consent of a code, kept from changing until the end of the transaction."""
    row = await db.fetchrow(
        f"select {_CONSENT} from consent where account_id = $1 and code_hash = $2 for update", account_id, code_hash
    )
    return None if row is None else Consent(**dict(row))


async def hold_by_refresh(db: Rows, account_id: str, token_hash: bytes) -> tuple[Consent, Any] | None:
    """The consent of a refresh token and the token (id, used_at, seed), both kept from changing.

    The consent is locked before the token is read: whoever comes at the same time reads what the first one wrote.
    """
    consent = await db.fetchrow(
        f"select {_CONSENT} from consent where account_id = $1 and id = (select consent_id from refresh_token "
        "where account_id = $1 and hash = $2) for update",
        account_id,
        token_hash,
    )
    if consent is None:
        return None
    token = await db.fetchrow(
        "select id, used_at, seed from refresh_token where account_id = $1 and hash = $2", account_id, token_hash
    )
    return Consent(**dict(consent)), token


async def use_code(db: Rows, account_id: str, consent_id: str, now: datetime) -> None:
    """Note that a code was exchanged."""
    await db.execute(
        "update consent set code_used_at = $3 where account_id = $1 and id = $2", account_id, consent_id, now
    )


async def insert_refresh(
    db: Rows, account_id: str, token_id: str, consent_id: str, token_hash: bytes, now: datetime
) -> None:
    """Keep a refresh token."""
    await db.execute(
        "insert into refresh_token (account_id, id, consent_id, hash, created_at) values ($1, $2, $3, $4, $5)",
        account_id,
        token_id,
        consent_id,
        token_hash,
        now,
    )


async def use_refresh(db: Rows, account_id: str, token_id: str, seed: bytes, now: datetime) -> None:
    """Note that a refresh token was used, and what makes its successors."""
    await db.execute(
        "update refresh_token set used_at = $4, seed = $3 where account_id = $1 and id = $2",
        account_id,
        token_id,
        seed,
        now,
    )


async def end(db: Rows, account_id: str, consent_id: str, because: str, now: datetime) -> None:
    """End a consent, which ends the use of its refresh tokens; one that has ended stays as it is."""
    await db.execute(
        "update consent set ended_at = $4, ended_because = $3 where account_id = $1 and id = $2 "
        "and ended_at is null",
        account_id,
        consent_id,
        because,
        now,
    )


async def open_consents(db: Rows, account_id: str, app_id: str | None) -> list[Any]:
    """The consents of an account that have not ended, the latest first: all of one app, or all that were used."""
    return await db.fetch(
        "select c.id, c.app_id, a.name, c.scopes, c.created_at "
        "from consent c cross join lateral app_of(c.service, c.app_id) a "
        "where c.account_id = $1 and c.ended_at is null and a.deleted_at is null "
        "and case when $2::text is null then c.code_used_at is not null else c.app_id = $2 end "
        "order by c.created_at desc, c.id limit 1000",
        account_id,
        app_id,
    )


async def apps_let_in(db: Rows, service: str, account_id: str, now: datetime) -> list[str]:
    """The apps that can call for an account, or could with a new token: none that is disabled."""
    found = await db.fetch(
        """
        select app_id from (
            select app_id from consent
             where account_id = $2 and service = $1 and ended_at is null and expires_at > $3
               and code_used_at is not null
            union
            select app_id from access_token
             where account_id = $2 and service = $1 and revoked_at is null and expires_at > $3
        ) as let_in
         where exists (select from app_of($1, let_in.app_id) a where a.disabled_at is null)
        """,
        service,
        account_id,
        now,
    )
    return [row["app_id"] for row in found]


async def forget_seeds(db: Rows, before: datetime) -> int:
    """Forget what makes the successors of tokens that were used before a moment; gives how many there were."""
    gone = await db.fetch(
        "update refresh_token set seed = null where seed is not null and used_at < $1 returning true", before
    )
    return len(gone)


async def find_maker(db: Rows, service: str, app_id: str) -> str | None:
    """What the account that made an app is called; None for an operator's."""
    found: str | None = await db.fetchval("select maker_of($1, $2)", service, app_id)
    return found
