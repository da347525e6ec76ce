"""Giving buyers their money back: by the merchant, by the marketplace, and where nobody shipped in time."""

from __future__ import annotations

from typing import Any, Final

from tradepost.domain import inbox, outbox
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.orders import machine
from tradepost.domain.orders.operations.fulfilment import hold_order
from tradepost.domain.orders.order import BY_MERCHANT, Order, OrderRules, RefundWish
from tradepost.domain.orders.rows import reading, writing

REFUNDED_TOPIC: Final = "order_refunded"
MISSED_TOPIC: Final = "order_fulfilment_missed"
LATE_AT_ONCE: Final = 1000
MOST_REASON: Final = 2_000


async def refund_order(
    ctx: MerchantCtx, order_id: str, reason_code: int, note: str | None, rules: OrderRules
) -> None:
    """Refund an order in the name of its merchant, who bears all of it.

    Raises OrderNotFound, OrderRefunded, ReasonNotAccepted, ReasonForUnfulfilled, ReasonNoteMissing.
    """
    order = await hold_order(ctx, order_id)
    wish = RefundWish(BY_MERCHANT, "", reason_code, note)
    columns = machine.refund(order, wish, ctx.now)
    reason = machine.check_reason(order, reason_code, note, rules)
    await _refund(ctx, ctx.actor.id, order, columns, RefundWish(BY_MERCHANT, reason, reason_code, note))


async def refund_for(ctx: MerchantCtx, order_id: str, wish: RefundWish) -> None:
    """Refund an order in the name of whoever wants it; raises TextUnusable, OrderNotFound, OrderRefunded."""
    inbox.checked_text("reason", wish.reason, MOST_REASON)
    order = await hold_order(ctx, order_id)
    await _refund(ctx, ctx.actor.id, order, machine.refund(order, wish, ctx.now), wish)


async def refund_late(ctx: Ctx) -> list[tuple[str, str]]:
    """Refund orders of all merchants whose time to be shipped is over, some of them at once.

    Gives each with its merchant, whom somebody has to tell what he did: `infractions.refund_late_orders`.
    """
    late = await reading.lock_late(ctx.db, ctx.now, LATE_AT_ONCE)
    for merchant_id, order in late:
        await _refund(ctx, merchant_id, order, machine.refund(order, machine.LATE, ctx.now), machine.LATE)
        missed = {"order_id": order.id, "deadline": order.fulfil_by}
        await outbox.record_event(ctx, merchant_id, MISSED_TOPIC, missed)
    return [(merchant_id, order.id) for merchant_id, order in late]


async def _refund(ctx: Ctx, merchant_id: str, order: Order, columns: Any, wish: RefundWish) -> None:
    await writing.update(ctx.db, merchant_id, order.id, columns, ctx.now)
    await writing.insert_refund(ctx.db, merchant_id, order, wish, ctx.now)
    about = {"order_id": order.id, "by": wish.by, "reason_code": wish.reason_code}
    if wish.by == BY_MERCHANT:
        await outbox.record_event(ctx, merchant_id, REFUNDED_TOPIC, about)
    else:  # nobody has to be told what he did himself
        why = {"reason": wish.reason, "cause": wish.cause}
        await inbox.notify(ctx, merchant_id, REFUNDED_TOPIC, {**about, **why})
