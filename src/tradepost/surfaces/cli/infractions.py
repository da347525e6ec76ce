"""`tradepost infraction`: which rules merchants are said to have broken, and what becomes of that."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, cast

import typer

from tradepost.domain import infractions
from tradepost.domain.context import MerchantCtx
from tradepost.domain.infractions import (
    PROOF_KINDS,
    STAGES,
    Author,
    InfractionFilter,
    NewInfraction,
    Proof,
    ProofKind,
)
from tradepost.surfaces.cli.accounts import MerchantId, run_for
from tradepost.values import Page

SHOWN = 500
KINDS = ", ".join(kind.upper() for kind in PROOF_KINDS)

group = typer.Typer(help="Infractions of shops.", no_args_is_help=True)

InfractionId = Annotated[str, typer.Argument(help="Id of the infraction.")]


@group.command("issue")
def issue_infraction(
    merchant_id: MerchantId,
    reason: Annotated[str, typer.Argument(help="What the shop did, as its merchant will read it.")],
    fine: Annotated[str, typer.Option(help="In the currency that the shop is paid in.")] = "0",
    extra_reason: Annotated[str | None, typer.Option(help="More about the reason, such as Weapon.")] = None,
    # Two colons in one help text would be shown as a picture of what stands between them.
    proof: Annotated[
        list[str] | None, typer.Option(help=f"TYPE:ID, and :MESSAGE behind it; TYPE is one of {KINDS}; repeat it.")
    ] = None,
) -> None:
    """Say that a shop broke a rule, and tell its merchant."""
    try:
        amount = Decimal(fine)
    except InvalidOperation:
        raise SystemExit(f"{fine} is no amount.") from None
    new = NewInfraction(
        reason=reason, extra_reason=extra_reason, fine=amount, proofs=[_proof(text) for text in proof or ()]
    )

    async def issue(ctx: MerchantCtx) -> str:
        await infractions.require_proofs(ctx, new.proofs)
        return await infractions.issue_infraction(ctx, new)

    print(run_for(merchant_id, issue, "issue_infraction"))


def _proof(text: str) -> Proof:
    kind, _, rest = text.partition(":")
    object_id, _, message = rest.partition(":")
    return Proof(cast(ProofKind, kind.lower()), object_id, message or None)


@group.command("answer")
def answer_infraction(
    merchant_id: MerchantId,
    infraction_id: InfractionId,
    message: str,
    as_merchant: Annotated[bool, typer.Option("--as-merchant", help="What the merchant says.")] = False,
) -> None:
    """Answer as the marketplace, which makes it the merchant's turn; or for the merchant."""
    author: Author = "merchant" if as_merchant else "marketplace"
    state = run_for(
        merchant_id,
        lambda ctx: infractions.answer_infraction(ctx, infraction_id, author, message),
        "answer_infraction",
        infraction_id=infraction_id[:64],
    )
    print(state.upper())


@group.command("close")
def close_infraction(
    merchant_id: MerchantId,
    infraction_id: InfractionId,
    waive: Annotated[bool, typer.Option("--waive", help="Take the fine back.")] = False,
) -> None:
    """Close an infraction for good."""
    run_for(
        merchant_id,
        lambda ctx: infractions.close_infraction(ctx, infraction_id, waive=waive),
        "close_infraction",
        infraction_id=infraction_id[:64],
    )
    print("CLOSED")


@group.command("list")
def list_infractions(
    merchant_id: MerchantId,
    stage: Annotated[
        int | None, typer.Option(min=1, max=3, help="1 the merchant's turn, 2 ours, 3 closed; all if left out.")
    ] = None,
) -> None:
    """Show the latest infractions of a shop."""

    async def look(ctx: MerchantCtx) -> list[Any]:
        found = []
        for wanted in STAGES if stage is None else (stage,):
            found += (await infractions.list_infractions(ctx, InfractionFilter(wanted), Page(0, SHOWN)))[0]
        return found

    for one in run_for(merchant_id, look):
        fine = f"{one.fine_amount} {one.fine_currency}"
        print(
            f"{one.id}  {one.updated_at:%Y-%m-%d}  {one.state.upper():<17}  {fine:>12}  {one.reason or one.cause}"
        )
