"""The SQL of apps and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from tradepost.domain.access.app import App, NewApp
from tradepost.domain.context import Rows
from tradepost.values import Page

_TOKEN = "id, app_id, consent_id, scopes, created_at, expires_at, revoked_at"
_ADMIT = "select * from admit($1, $2, $3, $4, $5, $6, $7, $8, $9)"


async def admit(db: Rows, *args: Any) -> Any:
    """The verdict of the gate; see the function of that name in the migrations."""
    return await db.fetchrow(_ADMIT, *args)


async def admit_operator(db: Rows, *args: Any) -> Any:
    """The verdict of the gate for operators; see the function of that name in the migrations."""
    return await db.fetchrow("select * from admit_operator($1, $2, $3, $4, $5)", *args)


async def admit_anybody(db: Rows, *args: Any) -> Any:
    """The verdict of the gate on a call without a token; see the function of that name in the migrations."""
    return await db.fetchrow("select * from admit_anybody($1, $2, $3, $4, $5, $6)", *args)


async def bind_by(db: Rows, service: str, kind: str, secret_hash: bytes) -> Any:
    """Whose a secret is; binds the connection to the account. See the function of that name in the migrations."""
    return await db.fetchrow("select * from bind_by($1, $2, $3)", service, kind, secret_hash)


async def insert_app(db: Rows, service: str, app_id: str, new: NewApp, secret_hash: bytes, now: datetime) -> None:
    """Add an app of one service."""
    await db.execute(
        "insert into app (service, id, name, secret_hash, redirect_uri, more_redirect_uris, owner_id, "
        "developer_id, needs_pkce, scopes, created_at) values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10)",
        service,
        app_id,
        new.name,
        secret_hash,
        new.redirect_uris[0] if new.redirect_uris else None,
        list(new.redirect_uris[1:]),
        new.owner_id,
        new.needs_pkce,
        None if new.scopes is None else list(new.scopes),
        now,
    )


async def find_app(db: Rows, service: str, app_id: str) -> App | None:
    """An app of a service that was not deleted, for anybody."""
    row = await db.fetchrow("select * from app_of($1, $2) where deleted_at is null", service, app_id)
    return None if row is None else _app(row)


async def page_apps(db: Rows, service: str, after: str, limit: int) -> tuple[list[App], bool]:
    """Some apps of a service behind an id, in the order of their ids, and whether there are more."""
    behind = "select * from app where service = $1 and id > $2 and deleted_at is null order by id limit $3"
    found = await db.fetch(behind, service, after, limit + 1)
    return [_app(row) for row in found[:limit]], len(found) > limit


async def waiting_apps(db: Rows, service: str, limit: int) -> tuple[list[App], bool]:
    """The apps of a service that wait to be verified, the oldest first, and whether there are more."""
    waiting = "select * from app where service = $1 and waits_since is not null order by waits_since, id limit $2"
    found = await db.fetch(waiting, service, limit + 1)
    return [_app(row) for row in found[:limit]], len(found) > limit


async def own_apps(db: Rows, service: str) -> list[App]:
    """The apps of the bound account, the latest first."""
    return [_app(row) for row in await db.fetch("select * from own_apps($1)", service)]


async def add_own_app(db: Rows, *args: Any) -> bool:
    """Add an app of the bound account; see the function of that name in the migrations."""
    return bool(await db.fetchval("select add_own_app($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", *args))


async def replace_own_secret(db: Rows, *args: Any) -> bool:
    """Give an app of the bound account another secret; see the function of that name in the migrations."""
    return bool(await db.fetchval("select replace_own_secret($1, $2, $3, $4)", *args))


async def change_own_app(db: Rows, *args: Any) -> bool:
    """Change an app of the bound account; see the function of that name in the migrations."""
    return bool(await db.fetchval("select change_own_app($1, $2, $3, $4, $5, $6)", *args))


async def end_own_old_secret(db: Rows, *args: Any) -> bool:
    """End the secret before the present one; see the function of that name in the migrations."""
    return bool(await db.fetchval("select end_own_old_secret($1, $2)", *args))


async def ask_verification(db: Rows, *args: Any) -> bool:
    """Let an app of the bound account wait for an operator; see the function of that name in the migrations."""
    return bool(await db.fetchval("select ask_verification($1, $2, $3)", *args))


async def delete_own_app(db: Rows, *args: Any) -> bool:
    """Delete an app of the bound account; see the function of that name in the migrations."""
    return bool(await db.fetchval("select delete_own_app($1, $2, $3)", *args))


def _app(row: Any) -> App:
    uris = () if row["redirect_uri"] is None else (row["redirect_uri"], *row["more_redirect_uris"])
    return App(
        row["service"],
        row["id"],
        row["name"],
        uris,
        row["owner_id"],
        row["verified_at"] is not None,
        row["disabled_at"] is not None,
        None if row["scopes"] is None else tuple(row["scopes"]),
        row["needs_pkce"],
        row["secret_hash"],
        row["old_secret_hash"],
        row["old_secret_expires_at"],
        row["developer_id"],
        row["waits_since"],
        row["refusal"] or "",
        row["revision"],
    )


async def judge_app(
    db: Rows, service: str, app_id: str, revision: int | None, now: datetime, refusal: str | None
) -> bool | None:
    """Note that an app is verified or (with a reason) refused; whether that is new, None for another revision."""
    done = """
        with before as (select * from app where service = $1 and id = $2 and deleted_at is null
                           and ($3::integer is null or revision = $3) for no key update)
        update app a set verified_at = case when $5::text is null then $4::timestamptz end, refusal = $5::text,
                         waits_since = null from before where a.service = $1 and a.id = $2
        returning before.verified_at is null = ($5::text is null) or before.refusal is distinct from $5::text
    """
    return cast(bool | None, await db.fetchval(done, service, app_id, revision, now, refusal))


async def set_disabled(db: Rows, service: str, app_id: str, at: datetime | None) -> bool:
    """Disable an app, or (None) let it be used again; whether there is one."""
    done = (
        "update app set disabled_at = $3, disabled_by_owner = false where service = $1 and id = $2 "
        "and deleted_at is null returning true"
    )
    return bool(await db.fetchval(done, service, app_id, at))


async def replace_secret(db: Rows, service: str, app_id: str, secret_hash: bytes, until: datetime) -> bool:
    """Give an app another secret; the one before is good until a moment. Whether there is such an app."""
    done = (
        "update app set old_secret_hash = secret_hash, old_secret_expires_at = $4, secret_hash = $3 "
        "where service = $1 and id = $2 and deleted_at is null returning true"
    )
    return bool(await db.fetchval(done, service, app_id, secret_hash, until))


async def app_exists(db: Rows, service: str, app_id: str) -> bool:
    """Whether a service has an app of this id."""
    found = "select exists (select from app where service = $1 and id = $2 and deleted_at is null)"
    return bool(await db.fetchval(found, service, app_id))


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
    """Add an access token that follows from nothing."""
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


async def follow_consent(db: Rows, *args: Any) -> bool:
    """Add an access token that follows from a consent; see the function of that name in the migrations."""
    return bool(await db.fetchval("select follow_consent($1, $2, $3, $4, $5, $6)", *args))


async def revoke_of_consent(db: Rows, account_id: str, consent_id: str, now: datetime) -> None:
    """Take back every access token that follows from a consent."""
    await db.execute(
        "update access_token set revoked_at = $3 where account_id = $1 and consent_id = $2 and revoked_at is null",
        account_id,
        consent_id,
        now,
    )


async def find_token(db: Rows, account_id: str, token_hash: bytes) -> Any:
    """An access token of an account, whatever it is worth."""
    return await db.fetchrow(
        f"select {_TOKEN} from access_token where account_id = $1 and hash = $2", account_id, token_hash
    )


async def list_tokens(db: Rows, account_id: str, now: datetime, page: Page) -> list[Any]:
    """The access tokens of an account that are good at a moment, the latest first, and one more than asked for."""
    found: list[Any] = await db.fetch(
        f"select {_TOKEN} from access_token where account_id = $1 and revoked_at is null and expires_at > $2 "
        "and exists (select from app_of(service, app_id) a where a.deleted_at is null) "
        "order by created_at desc, id offset $3 limit $4",
        account_id,
        now,
        page.start,
        page.limit + 1,
    )
    return found


async def revoke_own_token(db: Rows, account_id: str, token_id: str, now: datetime) -> str | None:
    """Take back a token of an account; gives its app_id, None where there was none that was still good."""
    app_id: str | None = await db.fetchval(
        "update access_token set revoked_at = $3 where account_id = $1 and id = $2 and revoked_at is null "
        "returning app_id",
        account_id,
        token_id,
        now,
    )
    return app_id


async def app_of_token(db: Rows, account_id: str, token_id: str) -> str:
    """The app that an access token of an account was issued to."""
    found = "select app_id from access_token where account_id = $1 and id = $2"
    return str(await db.fetchval(found, account_id, token_id))


async def revoke_token(db: Rows, token_hash: bytes, now: datetime) -> Any:
    """Take a token back; gives its account_id, id and app_id, None where there was none that was still good."""
    return await db.fetchrow(
        "update access_token set revoked_at = $2 where hash = $1 and revoked_at is null "
        "returning account_id, id, app_id",
        token_hash,
        now,
    )


async def delete_windows(db: Rows, age: timedelta) -> int:
    """Delete the counters of windows that began so long ago; gives how many."""
    # Counters follow the machine's clock, see the function admit.
    deleted = await db.fetch(
        "delete from rate_window where started_at < clock_timestamp() - $1::interval returning true", age
    )
    return len(deleted)


# -- where tokens are used from; all times are the machine's


async def keep_uses(db: Rows, uses: Sequence[tuple[str, ...]]) -> list[tuple[str, str]]:
    """Note where tokens are used right now: account, token, network, program, address and agent, in that order.

    Gives account and token of those that are somewhere for the first time. This transaction's end does not wait for
    the disk.
    """
    found = await db.fetch(
        """
        with later as materialized (
            select set_config('synchronous_commit', 'off', true), clock_timestamp() as at
        ), kept as (
            insert into token_use as u (account_id, token_id, network, program, app_id, address, agent,
                                        first_used_at, last_used_at, last_used_on)
            select n.account_id, n.token_id, n.network, n.program, t.app_id, n.address, n.agent,
                   later.at, later.at, (later.at at time zone 'UTC')::date
              from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
                   as n (account_id, token_id, network, program, address, agent)
              join access_token t on t.account_id = n.account_id and t.id = n.token_id
             cross join later
             order by 1, 2, 3, 4 -- so that no two servers lock the same rows in another order
            on conflict (account_id, token_id, network, program) do update
               set address = excluded.address, agent = excluded.agent,
                   last_used_at = excluded.last_used_at, last_used_on = excluded.last_used_on
            returning u.account_id, u.token_id, u.is_new
        )
        select account_id, token_id from kept where is_new is null
        """,
        *zip(*uses, strict=True),
    )
    return [(row["account_id"], row["token_id"]) for row in found]


async def hold_places(db: Rows, account_id: str) -> None:
    """Keep others from judging the places of an account until the end of the transaction."""
    await db.execute("select pg_advisory_xact_lock(7405, hashtext($1))", account_id)


async def judge_places(db: Rows, tokens: Sequence[tuple[str, str]]) -> list[Any]:
    """Judge which places of tokens are new that nobody has judged; an app's first ones are not.

    Gives account_id, app_id, service, app (its name), token_id, network, program, address and is_new of each.
    """
    found: list[Any] = await db.fetch(
        """
        update token_use u set is_new =
               exists (select from token_use k
                        where k.account_id = u.account_id and k.app_id = u.app_id and k.is_new is not null)
               and not (
                   exists (select from token_use k where k.account_id = u.account_id and k.app_id = u.app_id
                              and k.network = u.network and k.is_new is not null)
                   and exists (select from token_use k where k.account_id = u.account_id and k.app_id = u.app_id
                                  and k.program = u.program and k.is_new is not null))
          from access_token t join app a on a.service = t.service and a.id = t.app_id
         where t.account_id = u.account_id and t.id = u.token_id and u.is_new is null
           and (u.account_id, u.token_id) in (select * from unnest($1::text[], $2::text[]))
        returning u.account_id, u.app_id, a.service, a.name as app, u.token_id, u.network, u.program, u.address,
                  u.is_new
        """,
        *_columns(tokens),
    )
    return found


async def drop_places(db: Rows, tokens: Sequence[tuple[str, str]], most: int) -> None:
    """Keep so many places of each of these tokens, the latest."""
    await db.execute(
        """
        delete from token_use u
         using (select account_id, token_id, network, program,
                       row_number() over (partition by account_id, token_id
                                          order by last_used_at desc, network, program) as number
                  from token_use
                 where (account_id, token_id) in (select * from unnest($1::text[], $2::text[]))) as d
         where d.number > $3 and u.account_id = d.account_id and u.token_id = d.token_id
           and u.network = d.network and u.program = d.program
        """,
        *_columns(tokens),
        most,
    )


def _columns(tokens: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    known = sorted(set(tokens))
    return [account_id for account_id, _ in known], [token_id for _, token_id in known]


async def count_new_places(db: Rows, account_id: str, app_id: str) -> int:
    """How many new places an app has been used from within a day."""
    found = await db.fetchval(
        "select count(*) from token_use where account_id = $1 and app_id = $2 and is_new "
        "and first_used_at > clock_timestamp() - interval '1 day'",
        account_id,
        app_id,
    )
    return int(found)


async def list_places(db: Rows, account_id: str, token_ids: Sequence[str]) -> list[Any]:
    """Where tokens of an account are used from, the latest place first."""
    found: list[Any] = await db.fetch(
        "select token_id, address, agent, coalesce(is_new, false) as is_new, first_used_at, last_used_at "
        "from token_use where account_id = $1 and token_id = any ($2) order by last_used_at desc, network, program",
        account_id,
        token_ids,
    )
    return found


async def delete_places(db: Rows, days: int) -> int:
    """Delete places that were not used for so many days; gives how many there were.

    Of tokens that are good no more, also those where the app was used later by another token.
    """
    deleted = await db.fetch(
        """
        delete from token_use u
         where u.last_used_on < (clock_timestamp() at time zone 'UTC')::date - $1::int
            or u.last_used_on < (clock_timestamp() at time zone 'UTC')::date - 7
               and not exists (select from access_token t
                                where t.account_id = u.account_id and t.id = u.token_id
                                  and t.revoked_at is null and t.expires_at > world_now())
               and exists (select from token_use k
                            where k.account_id = u.account_id and k.app_id = u.app_id and k.network = u.network
                              and k.program = u.program and k.last_used_at > u.last_used_at)
        returning true
        """,
        days,
    )
    return len(deleted)
