"""Chapter *Infractions*: which rules merchants are said to have broken, and what becomes of that."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, cast

from msgspec import Struct

from tradepost.domain import infractions, merchants, operators
from tradepost.domain.context import OperatorCtx
from tradepost.domain.inbox.failures import TextUnusable
from tradepost.domain.infractions import (
    PROOF_KINDS,
    FineUnusable,
    InfractionClosed,
    InfractionNotFound,
    NewInfraction,
    ProofKind,
    ProofNotFound,
)
from tradepost.domain.merchants import MerchantUnknown
from tradepost.surfaces.operator_v1 import vocabulary as v
from tradepost.surfaces.operator_v1.surface import api
from tradepost.values import FIRST, LAST
from tradepost.wire.bodies import Many, StrictObject
from tradepost.wire.params import Boolean, Choice, Doc, Number

_FOUND = (MerchantUnknown, InfractionNotFound)


class Proof(Struct, gc=False):
    """Something that shows it."""

    kind: str
    object_id: str
    message: str | None


class Infraction(Struct, gc=False):
    """What a merchant is said to have done.

    `state` is one of `new`, `awaiting_merchant`, `awaiting_admin`, `closed`. `cause` is a word for what the
    platform found by itself, `reason` what an operator wrote; one of the two is null. `fine` is a number as text,
    in `fine_currency`.
    """

    id: str
    merchant_id: str
    state: str
    cause: str | None
    reason: str | None
    extra_reason: str | None
    fine: str
    fine_currency: str
    created_at: str
    updated_at: str
    proofs: list[Proof]


class Infractions(Struct, gc=False):
    """A page of infractions. `next` is what `after` is for the next page, null where there is none."""

    infractions: list[Infraction]
    next: str | None


class Message(Struct, gc=False):
    """What one side wrote. `author` is `merchant` or `marketplace`."""

    author: str
    message: str
    sent_at: str


class InfractionWithMessages(Struct, gc=False):
    """An infraction, and what was written about it, the oldest first."""

    infraction: Infraction
    messages: list[Message]


class InfractionState(Struct, gc=False):
    """How an infraction stands now."""

    infraction_id: str
    state: str


@dataclass(frozen=True, kw_only=True)
class ProofToShow:
    """Something that shows it."""

    kind: Annotated[str, Choice(PROOF_KINDS), Doc("What it is.")]
    object_id: Annotated[str, v.Id(), Doc("The id of it.")]
    message: Annotated[v.Words, Doc("What it shows; what the infraction says if left out.")] | None = None


@dataclass(frozen=True, kw_only=True)
class InfractionToIssue:
    """What a merchant is said to have done."""

    merchant_id: v.MerchantId
    reason: Annotated[v.Words, Doc("What he did, in words that he reads.")]
    extra_reason: Annotated[v.Words, Doc("More about the reason, such as `Weapon`.")] | None = None
    fine: Annotated[
        Decimal, Number("0", "9999999999", 3), Doc("What it costs him, in the currency that he is paid in.")
    ] = Decimal(0)
    proofs: Annotated[tuple[ProofToShow, ...], Many(0, 100), Doc("What shows it.")] = ()


@dataclass(frozen=True, kw_only=True)
class InfractionToAnswer:
    """What the marketplace writes about which infraction."""

    merchant_id: v.MerchantId
    infraction_id: v.InfractionId
    message: v.Message


@dataclass(frozen=True, kw_only=True)
class InfractionToClose:
    """Which infraction is over."""

    merchant_id: v.MerchantId
    infraction_id: v.InfractionId
    waive: Annotated[bool, Boolean(), Doc("Whether its fine is taken back.")] = False


@api.read("/infractions", scope="infractions:read", fails=[MerchantUnknown])
async def list_infractions(
    ctx: OperatorCtx,
    *,
    merchant_id: v.MerchantId,
    stage: Annotated[
        str, Choice(("1", "2", "3")), Doc("1 awaits the merchant, 2 the marketplace, 3 is closed.")
    ] = "1",
    after: v.After = LAST,
    limit: v.Limit = v.DEFAULT_LIMIT,
) -> Infractions:
    """List infractions of a merchant.

    Those in one stage, the last changed first.
    """
    acting = await merchants.act_for(ctx, merchant_id)
    found, more = await infractions.page_infractions(acting, int(stage), after, limit)
    places = [(one.updated_at, one.id) for one in found]
    return Infractions([_told(merchant_id, one) for one in found], v.next_page(more, places))


@api.read("/infractions/awaiting-marketplace", scope="infractions:read")
async def list_answered_infractions(
    ctx: OperatorCtx, *, after: v.After = FIRST, limit: v.Limit = v.DEFAULT_LIMIT
) -> Infractions:
    """List infractions that await the marketplace.

    Of all merchants, the longest waiting first.
    """
    found, more = await infractions.answered_infractions(ctx, after, limit)
    places = [(one.updated_at, one.id) for _, one in found]
    return Infractions([_told(merchant_id, one) for merchant_id, one in found], v.next_page(more, places))


@api.read("/infractions/get", scope="infractions:read", fails=_FOUND)
async def get_infraction(
    ctx: OperatorCtx, *, merchant_id: v.MerchantId, infraction_id: v.InfractionId
) -> InfractionWithMessages:
    """Get an infraction."""
    acting = await merchants.act_for(ctx, merchant_id)
    found, messages = await infractions.find_infraction(acting, infraction_id)
    written = [Message(one.author, one.message, v.moment(one.sent_at)) for one in messages]
    return InfractionWithMessages(_told(merchant_id, found), written)


@api.write(
    "/infractions/issue",
    scope="infractions:write",
    fails=[MerchantUnknown, FineUnusable, ProofNotFound, TextUnusable],
)
async def issue_infraction(
    ctx: OperatorCtx, *, new: Annotated[InfractionToIssue, StrictObject(InfractionToIssue), Doc("What he did.")]
) -> InfractionState:
    """Issue an infraction.

    Its merchant is told, and may answer. What shows it has to be his, ratings apart: they are kept elsewhere.
    """
    acting = await merchants.act_for(ctx, new.merchant_id)
    proofs = [infractions.Proof(cast(ProofKind, one.kind), one.object_id, one.message) for one in new.proofs]
    await infractions.require_proofs(acting, proofs)
    told = NewInfraction(reason=new.reason, extra_reason=new.extra_reason, fine=new.fine, proofs=proofs)
    infraction_id = await infractions.issue_infraction(acting, told)
    about = {"infraction_id": infraction_id, "fine": f"{new.fine:f}"}
    await operators.record_act(ctx, "issue_infraction", new.merchant_id, about)
    return InfractionState(infraction_id, infractions.NEW)


@api.write("/infractions/answer", scope="infractions:write", fails=[*_FOUND, InfractionClosed, TextUnusable])
async def answer_infraction(
    ctx: OperatorCtx,
    *,
    wish: Annotated[InfractionToAnswer, StrictObject(InfractionToAnswer), Doc("What is written.")],
) -> InfractionState:
    """Answer about an infraction.

    As the marketplace: it is the merchant's turn then, and he is told.
    """
    acting = await merchants.act_for(ctx, wish.merchant_id)
    state = await infractions.answer_infraction(acting, wish.infraction_id, "marketplace", wish.message)
    await operators.record_act(ctx, "answer_infraction", wish.merchant_id, {"infraction_id": wish.infraction_id})
    return InfractionState(wish.infraction_id, state)


@api.write("/infractions/close", scope="infractions:write", fails=[*_FOUND, InfractionClosed])
async def close_infraction(
    ctx: OperatorCtx, *, wish: Annotated[InfractionToClose, StrictObject(InfractionToClose), Doc("Which one.")]
) -> InfractionState:
    """Close an infraction.

    For good; its merchant is told.
    """
    acting = await merchants.act_for(ctx, wish.merchant_id)
    await infractions.close_infraction(acting, wish.infraction_id, waive=wish.waive)
    about = {"infraction_id": wish.infraction_id, "waived": wish.waive}
    await operators.record_act(ctx, "close_infraction", wish.merchant_id, about)
    return InfractionState(wish.infraction_id, infractions.CLOSED)


def _told(merchant_id: str, found: infractions.Infraction) -> Infraction:
    return Infraction(
        id=found.id,
        merchant_id=merchant_id,
        state=found.state,
        cause=found.cause,
        reason=found.reason,
        extra_reason=found.extra_reason,
        fine=found.fine_amount,
        fine_currency=found.fine_currency,
        created_at=v.moment(found.created_at),
        updated_at=v.moment(found.updated_at),
        proofs=[Proof(proof.kind, proof.object_id, proof.message) for proof in found.proofs],
    )
