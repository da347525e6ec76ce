"""What a merchant sees of his infractions, and what the marketplace does about them.

The platform issues infractions by itself by calling `issue_infraction` in the transaction of what it found.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final

from babel.numbers import get_currency_precision

from tradepost.domain import inbox, merchants, orders, products, tickets
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.infractions import failures, rows
from tradepost.domain.infractions import infraction as machine
from tradepost.domain.infractions.infraction import (
    ANSWERED_TOPIC,
    CLOSED_TOPIC,
    FINED_TOPIC,
    ISSUED_TOPIC,
    MOST_FINE,
    MOST_PROOFS,
    PROOF_KINDS,
    Author,
    Infraction,
    InfractionFilter,
    InfractionState,
    Message,
    NewInfraction,
    Proof,
)
from tradepost.values import Bookmark, Page

MOST_REASON: Final = 2_000
_ID = re.compile("[0-9a-f]{24}", re.ASCII)


async def count_infractions(ctx: MerchantCtx, stage: int) -> int:
    """How many infractions of a stage the acting merchant has."""
    return await rows.count(ctx.db, ctx.actor.id, stage)


async def list_infractions(ctx: MerchantCtx, wanted: InfractionFilter, page: Page) -> tuple[list[Infraction], bool]:
    """One page of infractions, the last changed first, and whether there is more."""
    return await rows.page(ctx.db, ctx.actor.id, wanted, page)


async def find_infraction(ctx: MerchantCtx, infraction_id: str) -> tuple[Infraction, list[Message]]:
    """An infraction and what was written about it, the oldest first; raises InfractionNotFound."""
    found = await rows.find(ctx.db, ctx.actor.id, infraction_id)
    if found is None:
        raise failures.InfractionNotFound(id=infraction_id)
    return found, await rows.messages(ctx.db, ctx.actor.id, infraction_id)


async def page_infractions(
    ctx: MerchantCtx, stage: int, after: Bookmark, limit: int
) -> tuple[list[Infraction], bool]:
    """Some infractions of a shop in a stage, the last changed first, and whether there are more."""
    return await rows.page_back(ctx.db, ctx.actor.id, stage, after, limit)


async def answered_infractions(ctx: Ctx, after: Bookmark, limit: int) -> tuple[list[tuple[str, Infraction]], bool]:
    """Some infractions of any shop that await the marketplace, the longest waiting first, with their shops' ids."""
    return await rows.answered(ctx.db, after, limit)


async def fines_of(ctx: MerchantCtx, object_ids: Collection[str]) -> Mapping[str, list[str]]:
    """The ids of the infractions with a fine that things of the merchant are proofs of, by the thing's id."""
    return await rows.fines_of(ctx.db, ctx.actor.id, list(object_ids))


async def issue_infraction(ctx: MerchantCtx, new: NewInfraction) -> str:
    """Say that the acting merchant broke a rule, and tell him; gives the infraction's id.

    Orders among the proofs name the fine from now on. Raises TextUnusable, FineUnusable, ProofUnusable.
    """
    currency = ctx.actor.payment_currency
    _check(new, currency)
    infraction_id = ctx.new_id()
    await rows.insert(ctx.db, ctx.actor.id, infraction_id, new, currency, ctx.now)
    if new.fine and (about_orders := _orders_of(new.proofs)):
        await orders.note_fine(ctx, about_orders, infraction_id)
    about = {
        "infraction_id": infraction_id,
        "cause": new.cause,
        "reason": new.reason,
        "fine_amount": f"{new.fine:f}",
        "fine_currency": currency,
    }
    await inbox.notify(ctx, ctx.actor.id, FINED_TOPIC if new.fine else ISSUED_TOPIC, about)
    return infraction_id


async def require_proofs(ctx: MerchantCtx, proofs: Sequence[Proof]) -> None:
    """Nothing where the acting merchant has everything that is shown; raises ProofNotFound.

    For what people type in: the platform has what it found in its hands. Ratings are kept elsewhere, so an id of
    one is believed.
    """
    shown = {kind: [proof.object_id for proof in proofs if proof.kind == kind] for kind in PROOF_KINDS}
    known = {
        "order": await orders.find_orders(ctx, shown["order"]) if shown["order"] else {},
        "product": await products.known_products(ctx, shown["product"]),
        "variation": await products.known_variations(ctx, shown["variation"]),
        "ticket": await tickets.known_tickets(ctx, shown["ticket"]),
        "merchant": {ctx.actor.id},
    }
    for proof in proofs:
        if proof.kind in known and proof.object_id not in known[proof.kind]:
            raise failures.ProofNotFound(kind=proof.kind, object_id=proof.object_id)


async def refund_late_orders(ctx: Ctx) -> int:
    """Refund orders of all merchants whose time to be shipped is over, some of them at once; gives how many.

    Each is an infraction of its merchant's. Whether it is fined, and how dearly, is an operator's to say.
    """
    late = await orders.refund_late(ctx)
    sellers = {merchant_id: await merchants.act_for(ctx, merchant_id) for merchant_id in {one for one, _ in late}}
    for merchant_id, order_id in late:
        found = NewInfraction(cause=orders.LATE_FULFILLMENT, proofs=(Proof("order", order_id),))
        await issue_infraction(sellers[merchant_id], found)
    return len(late)


async def answer_infraction(ctx: MerchantCtx, infraction_id: str, author: Author, message: str) -> InfractionState:
    """Write something about an infraction, whose turn is then the other's; gives how it stands.

    Raises TextUnusable, InfractionNotFound, InfractionClosed.
    """
    text = inbox.checked_text("message", message, MOST_REASON)
    state = machine.answered(await _lock(ctx, infraction_id), author)
    if state is None:
        raise failures.InfractionClosed(id=infraction_id)
    await rows.update(ctx.db, ctx.actor.id, infraction_id, state, ctx.now)
    await rows.insert_message(ctx.db, ctx.actor.id, infraction_id, author, text, ctx.now)
    if author == "marketplace":
        about = {"infraction_id": infraction_id, "message": text}
        await inbox.notify(ctx, ctx.actor.id, ANSWERED_TOPIC, about)
    return state


async def close_infraction(ctx: MerchantCtx, infraction_id: str, *, waive: bool = False) -> None:
    """Close an infraction for good; `waive` takes its fine back, which no order names any more then.

    Raises InfractionNotFound, InfractionClosed.
    """
    state = machine.closed(await _lock(ctx, infraction_id))
    if state is None:
        raise failures.InfractionClosed(id=infraction_id)
    await rows.update(ctx.db, ctx.actor.id, infraction_id, state, ctx.now, waive=waive)
    if waive and (about_orders := _orders_of((await find_infraction(ctx, infraction_id))[0].proofs)):
        await orders.withdraw_fine(ctx, about_orders, infraction_id)
    await inbox.notify(ctx, ctx.actor.id, CLOSED_TOPIC, {"infraction_id": infraction_id, "waived": waive})


def _orders_of(proofs: Sequence[Proof]) -> list[str]:
    return [proof.object_id for proof in proofs if proof.kind == "order"]


async def _lock(ctx: MerchantCtx, infraction_id: str) -> InfractionState:
    state = await rows.lock(ctx.db, ctx.actor.id, infraction_id)
    if state is None:
        raise failures.InfractionNotFound(id=infraction_id)
    return state


def _check(new: NewInfraction, currency: str) -> None:
    assert (new.cause is None) != (new.reason is None), "either the platform knows the cause, or somebody says why"
    proofs = [proof.message for proof in new.proofs]
    for name, text in (("reason", new.reason), ("extra_reason", new.extra_reason), *(("proof", p) for p in proofs)):
        if text is not None:
            inbox.checked_text(name, text, MOST_REASON)
    within = new.fine.is_finite() and Decimal(0) <= new.fine <= MOST_FINE
    if not within or new.fine != round(new.fine, get_currency_precision(currency)):
        raise failures.FineUnusable(amount=str(new.fine)[:32], currency=currency)
    for position, proof in enumerate(new.proofs):
        if proof.kind not in PROOF_KINDS or not _ID.fullmatch(proof.object_id) or position >= MOST_PROOFS:
            raise failures.ProofUnusable(kind=proof.kind, object_id=proof.object_id[:64])
