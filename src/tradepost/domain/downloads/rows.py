"""The SQL of downloads, beyond that of their jobs."""

from __future__ import annotations

from datetime import datetime

from tradepost.domain.context import Rows


async def may_fetch(db: Rows, account_id: str, token_id: str | None) -> bool:
    """Whether the account may act and the token that asked was not taken back, if a token did."""
    return bool(
        await db.fetchval(
            """
            select exists (select from merchant where id = $1 and suspended_at is null)
               and ($2::text is null or exists (
                    select from access_token where account_id = $1 and id = $2 and revoked_at is null))
            """,
            account_id,
            token_id,
        )
    )


async def ended_before(db: Rows, kinds: list[str], before: datetime, limit: int) -> list[tuple[str, str]]:
    """Account and id of downloads that ended before then, however they ended, and may still have files."""
    found = await db.fetch(
        """
        select account_id, id from job
         where kind = any($1) and ended_at < $2 and not coalesce(result, '{}') ? 'gone'
         order by ended_at limit $3
        """,
        kinds,
        before,
        limit,
    )
    return [(row["account_id"], row["id"]) for row in found]


async def forget_file(db: Rows, account_id: str, job_id: str) -> None:
    """Note that a download has no file any more."""
    await db.execute(
        "update job set result = '{\"gone\": true}' where account_id = $1 and id = $2", account_id, job_id
    )
