"""Chapter *Labels*: what is stuck on parcels."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from tradepost.domain import parcels
from tradepost.domain.context import ShipperCtx
from tradepost.domain.parcels import failures as f
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.surfaces.wishpost_v3.surface import api
from tradepost.wire.http_types import BaseUrl
from tradepost.wire.params import Boolean, Choice, Doc, Listed


class LabelFile(Struct, gc=False):
    """A PDF file with labels.

    `url` is where it is; whoever has this link gets the file, without a token. `expires_at` is how long.
    `tracking_ids` are the carriers' numbers on the labels, in the order of their pages.
    """

    url: str
    expires_at: str
    tracking_ids: list[str]


@api.read("/labels", scope="user.label.read", fails=[f.ParcelNotFound, f.NoLabelYet, f.NoLabel])
async def get_labels(
    ctx: ShipperCtx,
    *,
    tracking_ids: Annotated[
        tuple[str, ...],
        Listed(",", parcels.MOST_LABELS, 64),
        Doc("The numbers of parcels, the carriers' or ours, with commas between them; each gets one label."),
    ],
    format: Annotated[
        str,
        Choice(parcels.SIZES),
        Doc("The pages: `10` of 10 x 10 cm with a label each, `A4` with four labels on each."),
    ] = "10",
    use_local: Annotated[
        bool, Boolean(), Doc("Whether the recipient's address in the language of his country comes first.")
    ] = False,
    base_url: BaseUrl,
) -> LabelFile:
    """Get labels.

    A link to one PDF file with the labels of some orders, good for 24 hours. An order has a label as soon as it has
    its carrier's number, and until it is cancelled. If one of them has none there is no file; the error names it.
    """
    found = await parcels.label_parcels(ctx, tracking_ids)
    path = parcels.link_to_labels(ctx, ctx.link_keys, found, parcels.Sheet(format, use_local))
    return LabelFile(
        url=base_url + path,
        expires_at=v.moment(ctx.now + parcels.LABELS_LIFETIME),
        tracking_ids=[parcel.number for parcel in found],
    )
