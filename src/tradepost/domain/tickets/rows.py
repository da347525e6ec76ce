"""The SQL of tickets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tradepost.domain.context import Rows
from tradepost.domain.tickets.machine import Sender, TicketState
from tradepost.domain.tickets.ticket import Buyer, NewReply, NewTicket, Reply, Ticket, TicketKind
from tradepost.values import Bookmark, Page

_COLUMNS = """
    t.id, t.kind, t.state, t.subject, t.label, t.sublabel, t.transaction_id, t.order_ids, t.product_ids,
    t.refund_reason, t.opened_at, t.updated_at, t.closed_at, t.closed_by,
    row(t.buyer_id, t.buyer_name, t.buyer_joined_at, t.buyer_locale),
    array(
        select row(r.sender, r.message, r.message_en, r.message_zh, r.pictures, r.sent_at) from ticket_reply r
         where r.merchant_id = t.merchant_id and r.ticket_id = t.id order by r.position
    )
"""

# Pages are cut out of an index before the replies are looked up.
_AWAITING = f"""
    select {_COLUMNS}
      from (
           select id from ticket
            where merchant_id = $1 and kind = $2 and state = 'awaiting_merchant'
            order by updated_at desc, id desc limit $3 offset $4
      ) cut
      join ticket t on t.merchant_id = $1 and t.id = cut.id
     order by t.updated_at desc, t.id desc
"""
_PAGE = f"""
    select {_COLUMNS}
      from (
           select id from ticket where merchant_id = $1 order by updated_at desc, id desc limit $2 offset $3
      ) cut
      join ticket t on t.merchant_id = $1 and t.id = cut.id
     order by t.updated_at desc, t.id desc
"""


def _ticket(row: Any) -> Ticket:
    *columns, buyer, replies = row
    columns += [Buyer(*buyer), [Reply(*reply) for reply in replies]]
    return Ticket(*columns)


async def find(db: Rows, merchant_id: str, ticket_id: str) -> Ticket | None:
    """A ticket by its id."""
    row = await db.fetchrow(
        f"select {_COLUMNS} from ticket t where t.merchant_id = $1 and t.id = $2", merchant_id, ticket_id
    )
    return _ticket(row) if row else None


async def awaiting(db: Rows, merchant_id: str, kind: TicketKind, cut: Page) -> tuple[list[Ticket], bool]:
    """Tickets of a kind that await a merchant, the last changed first, and whether there are more."""
    found = await db.fetch(_AWAITING, merchant_id, kind, cut.limit + 1, cut.start)
    return [_ticket(row) for row in found[: cut.limit]], len(found) > cut.limit


async def count_awaiting(db: Rows, merchant_id: str) -> int:
    """How many tickets of any kind await a merchant."""
    return int(
        await db.fetchval(
            "select count(*) from ticket where merchant_id = $1 and state = 'awaiting_merchant'", merchant_id
        )
    )


async def page(db: Rows, merchant_id: str, cut: Page) -> tuple[list[Ticket], bool]:
    """All tickets of a merchant, the last changed first, and whether there are more."""
    found = await db.fetch(_PAGE, merchant_id, cut.limit + 1, cut.start)
    return [_ticket(row) for row in found[: cut.limit]], len(found) > cut.limit


async def subject_of(db: Rows, merchant_id: str, ticket_id: str) -> str:
    """What a ticket is called."""
    subject: str = await db.fetchval(
        "select subject from ticket where merchant_id = $1 and id = $2", merchant_id, ticket_id
    )
    return subject


async def insert(
    db: Rows, merchant_id: str, ticket_id: str, state: TicketState, new: NewTicket, now: datetime
) -> None:
    """Add a ticket without replies."""
    await db.execute(
        """
        insert into ticket (merchant_id, id, kind, state, subject, label, sublabel, transaction_id, order_ids,
                            product_ids, refund_reason, buyer_id, buyer_name, buyer_joined_at, buyer_locale,
                            opened_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)
        """,
        merchant_id,
        ticket_id,
        new.kind,
        state,
        new.subject,
        new.label,
        new.sublabel,
        new.transaction_id,
        list(new.order_ids),
        list(new.product_ids),
        new.refund_reason,
        new.buyer.id,
        new.buyer.name,
        new.buyer.joined_at,
        new.buyer.locale,
        now,
    )


async def insert_reply(
    db: Rows, merchant_id: str, ticket_id: str, sender: Sender, reply: NewReply, now: datetime
) -> None:
    """Add what somebody wrote; the ticket's row is held by this transaction."""
    await db.execute(
        """
        insert into ticket_reply (merchant_id, ticket_id, position, sender, message, message_en, message_zh,
                                  pictures, sent_at)
        select $1, $2, coalesce(max(position), 0) + 1, $3, $4, $5, $6, $7, $8
          from ticket_reply where merchant_id = $1 and ticket_id = $2
        """,
        merchant_id,
        ticket_id,
        sender,
        reply.message,
        reply.message_en,
        reply.message_zh,
        list(reply.pictures),
        now,
    )


async def known(db: Rows, merchant_id: str, ids: Sequence[str]) -> set[str]:
    """Which of these tickets a merchant has."""
    found = await db.fetch("select id from ticket where merchant_id = $1 and id = any($2)", merchant_id, ids)
    return {row["id"] for row in found}


async def lock(db: Rows, merchant_id: str, ticket_id: str) -> TicketState | None:
    """Take a ticket's row for this transaction; gives how it stands."""
    state: TicketState | None = await db.fetchval(
        "select state from ticket where merchant_id = $1 and id = $2 for update", merchant_id, ticket_id
    )
    return state


async def update(
    db: Rows,
    merchant_id: str,
    ticket_id: str,
    state: TicketState,
    now: datetime,
    *,
    closed_by: Sender | None = None,
) -> None:
    """Let a ticket stand otherwise; `closed_by` says who closed it now."""
    await db.execute(
        """
        update ticket
           set state = $3, updated_at = greatest(updated_at, $4), closed_by = coalesce($5, closed_by),
               closed_at = case when $5::text is null then closed_at else $4 end
         where merchant_id = $1 and id = $2
        """,
        merchant_id,
        ticket_id,
        state,
        now,
        closed_by,
    )


async def has_picture(db: Rows, merchant_id: str, ticket_id: str, name: str) -> bool:
    """Whether a ticket of a merchant who may act has this picture."""
    return bool(
        await db.fetchval(
            """
            select exists (select from ticket_reply
                            where merchant_id = $1 and ticket_id = $2 and $3 = any (pictures))
               and exists (select from merchant where id = $1 and suspended_at is null)
            """,
            merchant_id,
            ticket_id,
            name,
        )
    )


# -- lists for operators


async def page_back(db: Rows, merchant_id: str, after: Bookmark, limit: int) -> tuple[list[Ticket], bool]:
    """Some tickets of a merchant, the last changed first, and whether there are more."""
    found = await db.fetch(
        f"select {_COLUMNS} from ticket t where t.merchant_id = $1 and (t.updated_at, t.id) < ($2, $3) "
        "order by t.updated_at desc, t.id desc limit $4",
        merchant_id,
        after.at,
        after.id,
        limit + 1,
    )
    return [_ticket(row) for row in found[:limit]], len(found) > limit


async def escalated(db: Rows, after: Bookmark, limit: int) -> tuple[list[tuple[str, Ticket]], bool]:
    """Some tickets of all merchants that await support, the longest waiting first, and whether there are more."""
    found = await db.fetch(
        f"select t.merchant_id, {_COLUMNS} from ticket t "
        "where t.state = 'awaiting_support' and (t.updated_at, t.id) > ($1, $2) "
        "order by t.updated_at, t.id limit $3",
        after.at,
        after.id,
        limit + 1,
    )
    return [(merchant_id, _ticket(row)) for merchant_id, *row in found[:limit]], len(found) > limit
