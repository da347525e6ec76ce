"""Webhooks of a shop: where apps want to be told, what they were told and how that went, and sending it again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from tradepost.domain import webhooks
from tradepost.domain.context import MerchantCtx
from tradepost.domain.webhooks.failures import DeliveryNotFound, SubscriptionInactive, SubscriptionNotFound
from tradepost.surfaces.pages import lists
from tradepost.surfaces.pages.developer.app_names import names_of_apps
from tradepost.surfaces.pages.site import Page, Visit
from tradepost.wire.http_types import Response

HOOKS: Final = "/developer/webhooks"
ONE: Final = f"{HOOKS}/{{id}}"
DELIVERY: Final = f"{ONE}/{{delivery}}"


async def show_hooks(visit: Visit) -> Response:
    """All subscriptions to the shop, whichever app they are of, the oldest first."""
    async with visit.shop() as ctx:
        found = await webhooks.list_all(ctx)
        names = await names_of_apps(ctx, visit.site.service, ctx.actor.id)
    return visit.render("developer/hooks.html", found=found, names=names)


async def show_hook(visit: Visit) -> Response:
    """One subscription, how it fares, and what it was told in 30 days, the latest first."""
    page = lists.stretch(visit)
    try:
        async with visit.shop() as ctx:
            hook = await webhooks.find_any_subscription(ctx, visit.blanks["id"])
            found, more = await webhooks.list_any_deliveries(ctx, hook.id, page)
            names = await names_of_apps(ctx, visit.site.service, ctx.actor.id)
            overlap = hook.overlap_end(ctx.now)
    except SubscriptionNotFound:
        return visit.trouble("not_there", 404)
    return visit.render(
        "developer/hook.html",
        hook=hook,
        overlap=overlap,
        found=found,
        names=names,
        pages=lists.around(visit, page, more),
    )


async def change(visit: Visit) -> Response:
    """What the buttons of the page ask for."""
    do = {"secret": replace_secret, "overlap": end_overlap}.get(visit.form.get("do") or "", activate)
    try:
        return await do(visit)
    except SubscriptionNotFound:
        return visit.trouble("not_there", 404)


async def replace_secret(visit: Visit) -> Response:
    """Let a subscription have another secret, and show it this once; raises SubscriptionNotFound."""
    overlap = timedelta() if visit.form.get("former") == "ends" else webhooks.OVERLAP
    async with visit.shop(proved=True) as ctx:
        hook, secret = await webhooks.replace_any_secret(ctx, visit.blanks["id"], overlap)
        until = hook.overlap_end(ctx.now)
    return visit.render("developer/hook_secret.html", hook=hook, secret=secret, overlap=until)


async def end_overlap(visit: Visit) -> Response:
    """Let former secrets sign nothing any more; raises SubscriptionNotFound."""
    async with visit.shop(proved=True) as ctx:
        await webhooks.end_any_overlap(ctx, visit.blanks["id"])
    return visit.done("overlap_ended", f"{HOOKS}/{visit.blanks['id']}")


async def activate(visit: Visit) -> Response:
    """Let a subscription that was stopped be told again; one that is active stays as it is.

    Raises SubscriptionNotFound.
    """
    async with visit.shop() as ctx:
        hook = await webhooks.find_any_subscription(ctx, visit.blanks["id"])
        if not hook.is_active:
            await webhooks.set_active(ctx, hook.id, True)
    return visit.done("hook_active", f"{HOOKS}/{hook.id}")


async def show_delivery(visit: Visit) -> Response:
    """One delivery: what was sent, letter by letter, and what came of each attempt."""
    try:
        async with visit.shop() as ctx:
            hook, told = await _find(visit, ctx)
    except (SubscriptionNotFound, DeliveryNotFound):
        return visit.trouble("not_there", 404)
    return visit.render("developer/delivery.html", hook=hook, told=told)


async def redeliver(visit: Visit) -> Response:
    """Send a delivery once more, from the beginning of the schedule."""
    try:
        async with visit.shop() as ctx:
            hook, told = await _find(visit, ctx)
            await webhooks.redeliver_any(ctx, told.delivery.id)
    except (SubscriptionNotFound, DeliveryNotFound):
        return visit.trouble("not_there", 404)
    except SubscriptionInactive as fact:
        problem = visit.problem(fact)
        return visit.trouble_told(problem.text, problem.status)
    return visit.done("redelivered", f"{HOOKS}/{hook.id}/{told.delivery.id}")


async def _find(visit: Visit, ctx: MerchantCtx) -> tuple[webhooks.Subscription, webhooks.DeliveryTold]:
    """What a path leads to; raises SubscriptionNotFound, DeliveryNotFound."""
    hook = await webhooks.find_any_subscription(ctx, visit.blanks["id"])
    told = await webhooks.find_any_delivery(ctx, visit.blanks["delivery"])
    if told.delivery.subscription_id != hook.id:
        raise DeliveryNotFound(id=told.delivery.id)
    return hook, told


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HOOKS: {"GET": show_hooks},
    ONE: {"GET": show_hook, "POST": change},
    DELIVERY: {"GET": show_delivery, "POST": redeliver},
}
