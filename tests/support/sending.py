"""What the senders of the world have: a parcel in every state it can be in, money, and news."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.support.calls import PARCELS, SENDERS
from tradepost.domain import parcels
from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.domain.parcels import Cancellation, Scan
from tradepost.sandbox import parcels as sending
from tradepost.sandbox.scenes import Grant

PARCELS_BOOKED: Final = datetime(2021, 5, 18, 8, 0, tzinfo=UTC)
# Whose recipient no carrier of the sandbox delivers to.
NOWHERE: Final = "9999"


async def send_some(ctx: Ctx, senders: Mapping[str, Grant]) -> None:
    """Book them all; the one that stays `booked` is booked after the others have their numbers."""
    ctx = replace(ctx, now=PARCELS_BOOKED)
    for who in SENDERS:
        await sending.fill_account(ctx, senders[who].account_id)
        acting = await parcels.act_for(ctx, senders[who].account_id)
        for number, state in enumerate(PARCELS[who]):
            if state != "booked":
                await _book(acting, who, state, number)
    await sending.tell_news(replace(ctx, now=datetime(2021, 5, 19, tzinfo=UTC)))


async def _book(ctx: ShipperCtx, who: str, state: str, number: int) -> None:
    at = PARCELS_BOOKED + timedelta(minutes=number)
    recipient = replace_zipcode(NOWHERE) if state == "refused" else sending.BUYER
    await parcels.book_parcel(
        replace(ctx, now=at, new_id=_first(PARCELS[who][state], ctx)),
        sending.new_parcel(number, guid=f"{who}-{state}", recipient=recipient),
    )


def replace_zipcode(zipcode: str) -> parcels.Address:
    """The buyer's address with another postal code."""
    told = {name: getattr(sending.BUYER, name) for name in sending.BUYER.__struct_fields__}
    return parcels.Address(**told | {"zipcode": zipcode})


def _first(parcel_id: str, ctx: ShipperCtx):  # type: ignore[no-untyped-def]
    given = iter((parcel_id,))
    return lambda: next(given, None) or ctx.new_id()


async def carry_some(ctx: Ctx, senders: Mapping[str, Grant]) -> None:
    """Bring each of them where its name says that it is."""
    for who in SENDERS:
        acting = await parcels.act_for(replace(ctx, now=PARCELS_BOOKED), senders[who].account_id)
        ids = PARCELS[who]
        numbers = {
            state: (await parcels.find_parcel(acting, ids[state])).number for state in ids if state != "booked"
        }
        next_day = PARCELS_BOOKED + timedelta(days=1)
        carried = replace(acting, now=next_day)
        await parcels.hand_over(carried, numbers["handed_over"])
        picked_up = Scan(next_day - timedelta(hours=3), 2, "CN", "Guangdong", "Shenzhen")
        for state in ("in_transit", "delivered"):
            await parcels.note_scan(carried, numbers[state], picked_up)
        await parcels.note_scan(
            carried, numbers["delivered"], Scan(next_day, 23, "US", "CA", "Fresno", "Front porch")
        )
        await parcels.cancel_parcels(carried, [Cancellation(numbers["cancelled"], "USER_BIZ_BUYER_REFUND")])
        await _book(replace(acting, new_id=ctx.new_id), who, "booked", list(ids).index("booked"))
    # Tests that do so many steps of their own jobs are not to do these; and this parcel stays as it is.
    await ctx.db.execute("delete from job where kind = $1 and state = 'pending'", parcels.NUMBER_KIND)
