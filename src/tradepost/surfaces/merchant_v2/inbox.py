"""Chapter *Announcements* and *Notifications*: what merchants are told."""

from __future__ import annotations

from typing import Annotated

from tradepost.domain import inbox
from tradepost.domain.context import MerchantCtx
from tradepost.domain.inbox import NotificationNotFound
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.surfaces.merchant_v2.views import inbox as views
from tradepost.surfaces.merchant_v2.views.common import SUCCESS, Success
from tradepost.values import Page
from tradepost.wire.endpoint import Also
from tradepost.wire.http_types import BaseUrl, Locale
from tradepost.wire.paging import Listing
from tradepost.wire.params import Doc, Whole


@api.read("/fetch-bd-announcement", scope="notifications:read")
async def get_announcement(ctx: MerchantCtx, *, base_url: BaseUrl) -> views.BDAnnouncement:
    """Fetch account manager announcements.

    The latest one. It is a notification as well, and counts as viewed when that is marked.
    """
    return views.announcement(await inbox.find_announcement(ctx), base_url)


@api.read("/fetch-sys-updates-noti", scope="notifications:read")
async def list_updates(ctx: MerchantCtx) -> list[views.SystemUpdatesItem]:
    """Fetch system updates.

    All of them, the latest first, in English and Chinese.
    """
    return [views.system_update(update) for update in await inbox.list_updates(ctx)]


@api.read("/noti/fetch-unviewed", scope="notifications:read")
async def list_notifications(
    ctx: MerchantCtx,
    *,
    start: v.Start = 0,
    limit: Annotated[int, Whole(1, 500), Doc("How many notifications a page has, 1 to 500.")] = 50,
    base_url: BaseUrl,
    locale: Locale,
) -> Listing[views.NotificationItem]:
    """Fetch notifications.

    Those that were not marked as viewed, the latest first, in the language of the call.
    """
    page = Page(start, limit)
    found, more = await inbox.list_notifications(ctx, page)
    return Listing([views.notification(told, base_url, locale) for told in found], page, more)


@api.write("/noti/mark-as-viewed", scope="notifications:write", fails=[NotificationNotFound], one_statement=True)
async def mark_viewed(
    ctx: MerchantCtx,
    *,
    noti_id: Annotated[
        str, v.AnyId(), Also("id"), Doc("The id of one of your notifications; `id` is taken for the same.")
    ],
) -> Success:
    """Mark a notification as viewed.

    It leaves the list of unviewed ones. Marking it once more is no error.
    """
    await inbox.mark_viewed(ctx, noti_id)
    return SUCCESS


@api.read("/noti/get-unviewed-count", scope="notifications:read")
async def count_unviewed(ctx: MerchantCtx) -> views.UnviewedCount:
    """Get the unviewed notification count."""
    return views.UnviewedCount(await inbox.count_unviewed(ctx))
