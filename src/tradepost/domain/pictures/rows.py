"""The SQL of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tradepost.domain.context import Rows
from tradepost.domain.pictures.picture import Kept, Kind, Picture

_COLUMNS = "id, kind, source, state, name"


async def known_names(db: Rows, merchant_id: str, names: Sequence[str]) -> dict[str, str]:
    """Which of these names are files of this merchant, and of which kind."""
    found = await db.fetch(
        "select name, kind from picture where merchant_id = $1 and name = any ($2) for key share",
        merchant_id,
        list(names),
    )
    return {row["name"]: row["kind"] for row in found}


async def insert_missing(
    db: Rows, merchant_id: str, kind: Kind, new: Sequence[tuple[str, str]], now: datetime
) -> list[str]:
    """Add pictures (id and source, in the order of sources) that are not known yet; gives the ids of those."""
    found = await db.fetch(
        """
        insert into picture (merchant_id, id, kind, source, created_at)
        select $1, id, $2, source, $5 from unnest($3::text[], $4::text[]) as t (id, source)
        on conflict (merchant_id, kind, source) do nothing returning id
        """,
        merchant_id,
        kind,
        [picture_id for picture_id, _ in new],
        [source for _, source in new],
        now,
    )
    return [row["id"] for row in found]


async def revive_failed(db: Rows, merchant_id: str, kind: Kind, sources: Sequence[str]) -> list[str]:
    """Let pictures that failed wait again; gives their ids."""
    found = await db.fetch(
        """
        update picture set state = 'waiting', reason = null, settled_at = null
         where merchant_id = $1 and id in (
               select id from picture
                where merchant_id = $1 and kind = $2 and source = any ($3) and state = 'failed'
                order by source for no key update)
        returning id
        """,
        merchant_id,
        kind,
        list(sources),
    )
    return [row["id"] for row in found]


async def count_waiting(db: Rows, merchant_id: str, most: int) -> int:
    """How many pictures of a merchant wait, counted as far as `most`."""
    return int(
        await db.fetchval(
            "select count(*) from (select from picture where merchant_id = $1 and state = 'waiting' limit $2) w",
            merchant_id,
            most,
        )
    )


async def hold(db: Rows, merchant_id: str, kind: Kind, sources: Sequence[str]) -> dict[str, Picture]:
    """The pictures of these sources, by source; none of them is settled before this transaction ends."""
    found = await db.fetch(
        f"""
        select {_COLUMNS} from picture
         where merchant_id = $1 and kind = $2 and source = any ($3) order by source for share
        """,
        merchant_id,
        kind,
        list(sources),
    )
    return {row["source"]: Picture(*row) for row in found}


async def insert_uses(db: Rows, merchant_id: str, product_id: str, picture_ids: Sequence[str]) -> None:
    """Note that a product waits for these pictures."""
    await db.execute(
        """
        insert into picture_use (merchant_id, picture_id, product_id)
        select $1, unnest($3::text[]), $2 on conflict do nothing
        """,
        merchant_id,
        product_id,
        list(picture_ids),
    )


async def find(db: Rows, merchant_id: str, picture_id: str) -> Picture | None:
    """A picture by its id."""
    row = await db.fetchrow(
        f"select {_COLUMNS} from picture where merchant_id = $1 and id = $2", merchant_id, picture_id
    )
    return Picture(*row) if row else None


async def mark_stored(
    db: Rows, merchant_id: str, picture_id: str, name: str, kept: Kept, now: datetime
) -> str | None:
    """Note that a picture is here; gives its source, None where it did not wait."""
    source: str | None = await db.fetchval(
        """
        update picture
           set state = 'stored', name = $3, width = $4, height = $5, size = $6,
               settled_at = greatest(created_at, $7)
         where merchant_id = $1 and id = $2 and state = 'waiting' returning source
        """,
        merchant_id,
        picture_id,
        name,
        kept.width,
        kept.height,
        kept.size,
        now,
    )
    return source


async def mark_failed(
    db: Rows, merchant_id: str, picture_id: str, reason: str, now: datetime
) -> tuple[str, str] | None:
    """Note that a picture will not come; gives its kind and source, None where it did not wait."""
    row = await db.fetchrow(
        """
        update picture set state = 'failed', reason = $3, settled_at = greatest(created_at, $4)
         where merchant_id = $1 and id = $2 and state = 'waiting' returning kind, source
        """,
        merchant_id,
        picture_id,
        reason,
        now,
    )
    return (row["kind"], row["source"]) if row else None


async def take_uses(db: Rows, merchant_id: str, picture_id: str) -> list[str]:
    """The products that wait for a picture, in their order; they do not wait any more."""
    found = await db.fetch(
        "delete from picture_use where merchant_id = $1 and picture_id = $2 returning product_id",
        merchant_id,
        picture_id,
    )
    return sorted(row["product_id"] for row in found)


async def insert_upload(
    db: Rows,
    merchant_id: str,
    picture_id: str,
    path: str,
    name: str,
    kept: Kept,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Write down an upload that is kept."""
    await db.execute(
        """
        insert into picture (merchant_id, id, kind, source, state, name, width, height, size,
                             created_at, settled_at, expires_at)
        values ($1, $2, 'upload', $3, 'stored', $4, $5, $6, $7, $8, $8, $9)
        """,
        merchant_id,
        picture_id,
        path,
        name,
        kept.width,
        kept.height,
        kept.size,
        now,
        expires_at,
    )


async def expired_uploads(db: Rows, now: datetime, limit: int) -> list[tuple[str, str, datetime]]:
    """Merchant, id and end of uploads whose time is over, unless a picture still waits to be made of them."""
    found = await db.fetch(
        """
        select merchant_id, id, expires_at from picture u
         where expires_at <= $1 and not exists (
               select from picture p
                where p.merchant_id = u.merchant_id and p.kind = 'picture' and p.source = u.source
                  and p.state = 'waiting')
         order by expires_at limit $2
        """,
        now,
        limit,
    )
    return [(row["merchant_id"], row["id"], row["expires_at"]) for row in found]


async def delete(db: Rows, merchant_id: str, picture_id: str) -> None:
    """Delete a picture's row."""
    await db.execute("delete from picture where merchant_id = $1 and id = $2", merchant_id, picture_id)
