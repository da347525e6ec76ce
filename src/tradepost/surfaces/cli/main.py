"""The command line's table of contents."""

from __future__ import annotations

import typer

from tradepost.surfaces.cli import (
    accounts,
    apps,
    audit,
    certificates,
    inbox,
    infractions,
    jobs,
    operators,
    orders,
    processes,
    products,
    request_log,
    sandbox,
    sending,
    shipping,
    tickets,
    webhooks,
)

cli = typer.Typer(
    help="A marketplace merchant platform with its logistics service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.add_typer(processes.processes)
cli.add_typer(sandbox.group, name="sandbox")
cli.add_typer(accounts.merchant_group, name="merchant")
cli.add_typer(apps.group, name="app")
cli.add_typer(accounts.token_group, name="token")
cli.add_typer(shipping.warehouse_group, name="warehouse")
cli.add_typer(shipping.shipping_group, name="shipping")
cli.add_typer(operators.group, name="operator")
cli.add_typer(products.group, name="product")
cli.add_typer(orders.group, name="order")
cli.add_typer(inbox.group, name="announce")
cli.add_typer(infractions.group, name="infraction")
cli.add_typer(tickets.group, name="ticket")
cli.add_typer(webhooks.group, name="webhook")
cli.add_typer(jobs.group, name="jobs")
cli.add_typer(audit.group, name="audit")
cli.command()(certificates.ca)
cli.add_typer(request_log.group, name="request-log")
cli.command("notify")(inbox.notify)
cli.add_typer(sending.sender_group, name="sender")
cli.add_typer(sending.channel_group, name="channel")
cli.add_typer(sending.parcel_group, name="parcel")
inbox.group.command("senders")(sending.announce)
