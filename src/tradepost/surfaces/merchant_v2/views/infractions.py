"""Infractions on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from msgspec import UNSET, Struct

from tradepost.domain import infractions
from tradepost.surfaces.merchant_v2.views.leaves import NumberText, OptionalText, maybe, number
from tradepost.surfaces.merchant_v2.wording import notice

State = Literal["NEW", "AWAITING_MERCHANT", "AWAITING_ADMIN", "CLOSED"]
ProofType = Literal["TICKET", "ORDER", "PRODUCT", "MERCHANT", "RATING", "VARIATION"]

_STATES: dict[infractions.InfractionState, State] = {
    "new": "NEW",
    "awaiting_merchant": "AWAITING_MERCHANT",
    "awaiting_admin": "AWAITING_ADMIN",
    "closed": "CLOSED",
}
_PROOF_TYPES: dict[infractions.ProofKind, ProofType] = {
    "ticket": "TICKET",
    "order": "ORDER",
    "product": "PRODUCT",
    "merchant": "MERCHANT",
    "rating": "RATING",
    "variation": "VARIATION",
}


class CountInfractionsResponse(Struct):
    """How many infractions there are; a whole number, as text."""

    count: str


class InfractionCount(Struct):
    """How many infractions there are."""

    CountInfractionsResponse: CountInfractionsResponse


class InfractionProof(Struct):
    """Something that shows it.

    `message` is what it shows. `proof_type` is what kind of thing it is. `object_id` is the thing's id, 24 hex
    digits.
    """

    message: str
    proof_type: ProofType
    object_id: str


class InfractionProofItem(Struct):
    """A proof in a list."""

    InfractionProof: InfractionProof


class Infraction(Struct):
    """An infraction.

    `fine_amount` is what it costs, 0.0 where there is no fine. `fine_currency` is the currency of the fine.
    `reason` is what was found. `last_updated` is when it last changed, UTC. `state` is how it stands.
    `created_time` is when it was issued, UTC. `link` is its page. `id` is 24 hex digits. `proof` is what shows
    it. `extra_reason` says more about the reason.
    """

    fine_amount: NumberText
    fine_currency: str
    reason: str
    last_updated: str
    state: State
    created_time: str
    link: str
    id: str
    proof: list[InfractionProofItem]
    extra_reason: OptionalText = UNSET


class InfractionItem(Struct):
    """An infraction in a list."""

    Infraction: Infraction


def infraction_item(found: infractions.Infraction, base_url: str, locale: str) -> InfractionItem:
    """An infraction in the language of the call; what an operator wrote stays as he wrote it."""
    reason = message = found.reason or ""
    if found.cause is not None:
        words = notice(found.cause, {}, locale)
        reason, message = words.title, words.text
    return InfractionItem(
        Infraction(
            fine_amount=number(found.fine_amount),
            fine_currency=found.fine_currency,
            reason=reason,
            last_updated=_time(found.updated_at),
            state=_STATES[found.state],
            created_time=_time(found.created_at),
            link=f"{base_url}/warning/view/{found.id}",
            id=found.id,
            proof=[
                InfractionProofItem(
                    InfractionProof(proof.message or message, _PROOF_TYPES[proof.kind], proof.object_id)
                )
                for proof in found.proofs
            ],
            extra_reason=maybe(found.extra_reason),
        )
    )


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
