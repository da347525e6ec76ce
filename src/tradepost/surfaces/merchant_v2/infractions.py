"""Chapter *Infractions*: which rules a merchant is said to have broken, and what it costs."""

from __future__ import annotations

from typing import Annotated

from tradepost.domain import infractions
from tradepost.domain.context import MerchantCtx
from tradepost.domain.infractions import STAGES, InfractionFilter
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.failures import SpanReversed
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.merchant_v2.views.infractions import (
    CountInfractionsResponse,
    InfractionCount,
    InfractionItem,
    infraction_item,
)
from tradepost.values import Page
from tradepost.wire.http_types import BaseUrl, Locale
from tradepost.wire.paging import Listing, Under
from tradepost.wire.params import Doc, Whole

LIST = "InfractionsResponse/infractions"
Stage = Annotated[
    int,
    Whole(min(STAGES), max(STAGES)),
    Doc("Whose turn it is: 1 yours (NEW and AWAITING_MERCHANT), 2 the marketplace's (AWAITING_ADMIN), 3 CLOSED."),
]


@api.read("/count/infractions", scope="infractions:read")
async def count_infractions(ctx: MerchantCtx, *, stage: Stage = 1) -> InfractionCount:
    """Count infractions."""
    count = await infractions.count_infractions(ctx, stage)
    return InfractionCount(CountInfractionsResponse(str(count)))


@api.read("/get/infractions", scope="infractions:read", fails=[SpanReversed])
async def list_infractions(
    ctx: MerchantCtx,
    *,
    start: v.Start = 0,
    limit: Annotated[int, Whole(1, 500), Doc("How many infractions a page has, 1 to 500.")] = 50,
    stage: Stage = 1,
    since: Annotated[v.Since, Doc(v.changed("infractions", "at or after"))] | None = None,
    upto: Annotated[v.Upto, Doc(v.changed("infractions", "before"))] | None = None,
    base_url: BaseUrl,
    locale: Locale,
) -> Annotated[Listing[InfractionItem], Under(LIST)]:
    """Fetch infractions.

    Those of one stage, the last changed first.
    """
    if since and upto and upto <= since:
        raise SpanReversed(name="upto")
    page = Page(start, limit)
    found, more = await infractions.list_infractions(ctx, InfractionFilter(stage, since, upto), page)
    return Listing([infraction_item(one, base_url, locale) for one in found], page, more, LIST)
