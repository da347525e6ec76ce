"""Chapter *Labels*: what is stuck on parcels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Struct

from tradepost.domain import parcels
from tradepost.domain.context import ShipperCtx
from tradepost.domain.parcels import MOST_LABELS, SIZES, Sheet
from tradepost.domain.parcels import failures as f
from tradepost.surfaces.wishpost_v2.surface import api
from tradepost.surfaces.wishpost_v2.vocabulary import Token
from tradepost.surfaces.wishpost_v3 import vocabulary as v
from tradepost.wire.bodies import BodyMarkup, Many
from tradepost.wire.http_types import BaseUrl, Document
from tradepost.wire.params import Boolean, Choice, Doc, LookedUp

PDF: Final = "application/pdf"
PRINT_CODES: Final = {"1": "A4", "2": "10"}
LOCAL: Final = "2"


@dataclass(frozen=True, kw_only=True)
class Barcodes:
    """The numbers of some parcels."""

    barcode: Annotated[
        tuple[str, ...], Many(1, MOST_LABELS), LookedUp(64), Doc("The numbers, the carriers' or ours.")
    ]


@dataclass(frozen=True, kw_only=True)
class LabelQuestion:
    """Which labels are wanted, and how."""

    barcodes: Annotated[Barcodes, Doc("The parcels, each of which gets one label.")]
    printlang: Annotated[
        str,
        Choice(("1", LOCAL)),
        Doc("The address that comes first: 1 in English, 2 in the language of the destination."),
    ] = "1"
    printcode: Annotated[
        str, Choice(tuple(PRINT_CODES)), Doc("The pages: 1 A4 with four labels, 2 of 10 x 10 cm with one.")
    ] = "2"
    access_token: Token | None = None


class LabelUrl(Struct):
    """Where the labels are.

    `timestamp` is the time in China. `PDF_URL` is a link to one PDF file, good for 24 hours without a token.
    """

    timestamp: str
    PDF_URL: str


@api.read(
    "/generate_label",
    method="POST",
    scope="user.label.read",
    fails=[f.ParcelNotFound, f.NoLabelYet, f.NoLabel],
)
async def generate_label(
    ctx: ShipperCtx,
    *,
    question: Annotated[LabelQuestion, BodyMarkup(LabelQuestion), Doc("The labels.")],
    base_url: BaseUrl,
) -> LabelUrl:
    """Generate labels.

    An order has a label as soon as it has its carrier's number, and until it is cancelled. If one of them has none
    there is no file; the error names it.
    """
    found = await parcels.label_parcels(ctx, question.barcodes.barcode)
    sheet = Sheet(PRINT_CODES[question.printcode], question.printlang == LOCAL)
    url = base_url + parcels.link_to_labels(ctx, ctx.link_keys, found, sheet)
    return LabelUrl(v.china_time(ctx.now), url)


@api.read(
    "/download_label",
    scope="user.label.read",
    heavy=True,
    fails=[f.MarkNotFound, f.MarkFull, f.NoLabelYet, f.NoLabel],
)
async def download_label(
    ctx: ShipperCtx,
    *,
    mark: Annotated[str, LookedUp(50), Doc("The mark that the orders were created under.")],
    format: Annotated[
        str, Choice(SIZES), Doc("The pages: `10` of 10 x 10 cm with a label each, `A4` with four labels.")
    ] = "10",
    use_local: Annotated[
        bool, Boolean(), Doc("Whether the address in the language of the destination comes first.")
    ] = False,
) -> Document:
    """Download labels.

    The PDF file itself, with the labels of all orders that were created under one mark.
    """
    found = await parcels.parcels_to_print(ctx, mark)
    made = await ctx.press.print_labels(found, await parcels.channels_by_otype(ctx), Sheet(format, use_local))
    return Document(f"labels-{len(found)}.pdf", PDF, made)
