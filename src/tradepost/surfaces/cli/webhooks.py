"""`tradepost webhook`: what apps are told about a shop, how that went, and what can be done about it."""

from __future__ import annotations

from typing import Annotated

import typer

from tradepost.domain import webhooks
from tradepost.surfaces.cli.accounts import MerchantId, run_for
from tradepost.values import Page

group = typer.Typer(help="Webhooks of shops.", no_args_is_help=True)

SubscriptionId = Annotated[str, typer.Argument(help="Id of the subscription.")]
DeliveryId = Annotated[str, typer.Argument(help="Id of the delivery, which its message has as webhook-id.")]


@group.command("list")
def list_subscriptions(merchant_id: MerchantId) -> None:
    """Show what apps are told about a shop."""
    for found in run_for(merchant_id, webhooks.list_all):
        health = found.health
        state = "active" if found.is_active else f"stopped ({health.stopped_because or 'by hand'})"
        failing = f"  {health.failures} failures since {health.failing_since}" if health.failures else ""
        print(f"{found.id}  app {found.app_id}  {found.topic:<28}  {state:<16}  {found.endpoint}{failing}")


@group.command("deliveries")
def list_deliveries(
    merchant_id: MerchantId,
    subscription_id: SubscriptionId,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the latest first.")] = 50,
) -> None:
    """Show what a subscription was told in the last 30 days."""
    page = Page(0, limit)
    found, _ = run_for(merchant_id, lambda ctx: webhooks.list_any_deliveries(ctx, subscription_id, page))
    for told in found:
        due = f"  next at {told.due_at:%Y-%m-%dT%H:%M:%SZ}" if told.due_at else ""
        print(f"{told.id}  {told.created_at:%Y-%m-%dT%H:%M:%SZ}  {told.state:<9}  {told.attempts} attempts{due}")


@group.command("show")
def show_delivery(merchant_id: MerchantId, delivery_id: DeliveryId) -> None:
    """Show a delivery with its attempts."""
    told = run_for(merchant_id, lambda ctx: webhooks.find_any_delivery(ctx, delivery_id))
    print(f"{told.topic}  {told.delivery.state}\n{told.delivery.body}")
    for tried in told.attempts:
        came = tried.error if tried.status is None else str(tried.status)
        print(f"{tried.number:>3}  {tried.started_at:%Y-%m-%dT%H:%M:%SZ}  {came:<12}  {tried.milliseconds} ms")


@group.command("redeliver")
def redeliver(merchant_id: MerchantId, delivery_id: DeliveryId) -> None:
    """Send something once more, from the beginning of the schedule."""
    run_for(
        merchant_id, lambda ctx: webhooks.redeliver_any(ctx, delivery_id), "redeliver", delivery_id=delivery_id[:64]
    )
    print("on its way")


@group.command("stop")
def stop(merchant_id: MerchantId, subscription_id: SubscriptionId) -> None:
    """Stop a subscription; what waits is kept."""
    run_for(merchant_id, lambda ctx: webhooks.set_active(ctx, subscription_id, False))
    print("stopped")


@group.command("start")
def start(merchant_id: MerchantId, subscription_id: SubscriptionId) -> None:
    """Let a stopped subscription go on."""
    run_for(merchant_id, lambda ctx: webhooks.set_active(ctx, subscription_id, True))
    print("active")
