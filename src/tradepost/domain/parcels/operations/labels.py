"""What is done about labels: which parcels can have one, and links to them."""

from __future__ import annotations

from collections.abc import Sequence

from tradepost.domain.context import Ctx, ShipperCtx
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.parcels.channel import Channel
from tradepost.domain.parcels.failures import LabelsExpired, LabelsNotFound, MarkFull, MarkNotFound, ParcelNotFound
from tradepost.domain.parcels.label import MOST_LABELS, LabelLink, Sheet, link_path
from tradepost.domain.parcels.operations.parcels import numbered_parcels
from tradepost.domain.parcels.parcel import Parcel, why_no_label
from tradepost.domain.parcels.rows import channels as channel_rows
from tradepost.domain.parcels.rows import parcels as rows


async def label_parcels(ctx: ShipperCtx, numbers: Sequence[str]) -> list[Parcel]:
    """The parcels of some numbers, the carriers' or ours, in the order they were asked for; each can have a label.

    A parcel that is named twice is there once. Raises ParcelNotFound, NoLabelYet and NoLabel for the first that
    cannot.
    """
    told: dict[str, Parcel] = {}
    for number, parcel in zip(numbers, await numbered_parcels(ctx, numbers), strict=True):
        if parcel is None:
            raise ParcelNotFound(id=number)
        told[parcel.id] = _with_label(parcel)
    return list(told.values())


async def marked_parcels(ctx: ShipperCtx, mark: str) -> list[Parcel]:
    """The parcels that were booked under a mark; raises MarkNotFound, MarkFull."""
    found = await rows.list_marked(ctx.db, ctx.actor.id, mark, MOST_LABELS + 1)
    if not found:
        raise MarkNotFound(mark=mark)
    if len(found) > MOST_LABELS:
        raise MarkFull(mark=mark, limit=MOST_LABELS)
    return found


async def parcels_to_print(ctx: ShipperCtx, mark: str) -> list[Parcel]:
    """The parcels of a mark, which all can have a label; raises NoLabelYet, NoLabel besides."""
    return [_with_label(parcel) for parcel in await marked_parcels(ctx, mark)]


def link_to_labels(ctx: ShipperCtx, keys: LinkKeys, parcels: Sequence[Parcel], sheet: Sheet) -> str:
    """The path of a link to the labels of some parcels."""
    return link_path(keys, ctx.actor.id, sheet, [parcel.id for parcel in parcels], ctx.now)


async def channels_by_otype(ctx: Ctx) -> dict[str, Channel]:
    """The open channels by what orders name them by, for whoever prints labels."""
    return {channel.otype: channel for channel in await channel_rows.list_channels(ctx.db)}


async def follow_label_link(ctx: Ctx, link: LabelLink) -> list[Parcel]:
    """The parcels of a link whose signature was found good.

    Raises LabelsExpired, LabelsNotFound, and NoLabel where one was cancelled meanwhile.
    """
    if ctx.now >= link.expires_at:
        raise LabelsExpired
    found = {parcel.id: parcel for parcel in await rows.list_detailed_ids(ctx.db, link.account_id, link.parcel_ids)}
    if len(found) < len(set(link.parcel_ids)):
        raise LabelsNotFound
    return [_with_label(found[parcel_id]) for parcel_id in link.parcel_ids]


def _with_label(parcel: Parcel) -> Parcel:
    failure = why_no_label(parcel)
    if failure is not None:
        raise failure
    return parcel
