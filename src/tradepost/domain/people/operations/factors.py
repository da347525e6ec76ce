"""The second factor: set up with an app, asked for after the password, lost and taken off again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tradepost.domain import access, audit
from tradepost.domain.context import By, Ctx
from tradepost.domain.people import failures, rows
from tradepost.domain.people.factor import RECOVERY_CODES, recovery_hash, step_of
from tradepost.domain.people.operations.signing import begin_session, find_person
from tradepost.domain.people.person import Device, Signed
from tradepost.domain.sealing import SealingKeys


async def has_factor(ctx: Ctx, account_id: str, user_id: str) -> bool:
    """Whether somebody is asked for a code after his password."""
    found = await rows.find_factor(ctx.db, account_id, user_id)
    return found is not None and found["confirmed_at"] is not None


async def factor_state(ctx: Ctx, signed: Signed) -> str:
    """How somebody's second factor stands: `off`, `begun` where it was not confirmed yet, or `on`."""
    found = await rows.find_factor(ctx.db, signed.account_id, signed.user_id)
    if found is None:
        return "off"
    return "begun" if found["confirmed_at"] is None else "on"


async def begin_factor(ctx: Ctx, signed: Signed, seals: SealingKeys) -> bytes:
    """The key of a second factor that is being set up: the same one until it is confirmed. Raises FactorThere."""
    whose = signed.account_id, signed.user_id
    found = await rows.find_factor(ctx.db, *whose)
    if found is not None and found["confirmed_at"] is not None:
        raise failures.FactorThere
    if found is not None:
        return seals.open(found["sealed"], _owner(*whose))
    key = access.new_factor_key()
    await rows.insert_factor(ctx.db, *whose, seals.seal(key, _owner(*whose)), ctx.now)
    return key


async def confirm_factor(ctx: Ctx, signed: Signed, code: str, seals: SealingKeys) -> list[str]:
    """Have the second factor asked for from now on; gives the recovery codes, told this once.

    Raises FactorMissing, FactorThere, OneTimeCodeWrong.
    """
    whose = signed.account_id, signed.user_id
    found = await rows.hold_factor(ctx.db, *whose)
    if found is None:
        raise failures.FactorMissing
    if found["confirmed_at"] is not None:
        raise failures.FactorThere
    if not await _use_step(ctx, whose, found, code, seals):
        raise failures.OneTimeCodeWrong
    await rows.confirm_factor(ctx.db, *whose, ctx.now)
    codes = await _make_codes(ctx, whose)
    await audit.record(ctx, "person.factor_added", signed.account_id, user_id=signed.user_id)
    return codes


async def renew_recovery(ctx: Ctx, signed: Signed) -> list[str]:
    """Other recovery codes in place of those there are, told this once; raises FactorMissing."""
    whose = signed.account_id, signed.user_id
    found = await rows.hold_factor(ctx.db, *whose)
    if found is None or found["confirmed_at"] is None:
        raise failures.FactorMissing
    await rows.delete_recovery(ctx.db, *whose)
    codes = await _make_codes(ctx, whose)
    await audit.record(ctx, "person.recovery_codes_renewed", signed.account_id, user_id=signed.user_id)
    return codes


async def use_code(ctx: Ctx, account_id: str, user_id: str, code: str, seals: SealingKeys) -> bool:
    """Whether this is the code of the moment or a recovery code; either is good once."""
    found = await rows.hold_factor(ctx.db, account_id, user_id)
    if found is None or found["confirmed_at"] is None:
        return False
    if await _use_step(ctx, (account_id, user_id), found, code, seals):
        return True
    if await rows.use_recovery(ctx.db, account_id, user_id, recovery_hash(user_id, code), ctx.now):
        await audit.record(ctx, "person.recovery_code_used", account_id, user_id=user_id)
        return True
    return False


async def enter_code(
    ctx: Ctx, service: str, half: Signed, code: str, seals: SealingKeys, device: Device
) -> str | None:
    """Sign in whoever has shown his password and now a code; gives his session, None where the code is wrong."""
    by = replace(ctx, by=By("person", half.user_id, device.client))
    if not await use_code(by, half.account_id, half.user_id, code, seals):
        return None
    await rows.end_session(ctx.db, half.account_id, half.user_id, half.session_id, ctx.now)
    return await begin_session(ctx, service, (half.account_id, half.user_id), device, False)


async def remove_factor(ctx: Ctx, account_id: str, user_id: str) -> bool:
    """Have somebody asked for no code any more; whether he was."""
    removed = await rows.delete_factor(ctx.db, account_id, user_id)
    if removed:
        await audit.record(ctx, "person.factor_removed", account_id, user_id=user_id)
    return removed


async def remove_factor_of(ctx: Ctx, service: str, email: str) -> bool:
    """The same for whoever signs in to a service with an address; an operator's verb, who knows him otherwise."""
    person = await find_person(ctx, service, email)
    return person is not None and await remove_factor(ctx, person.account_id, person.user_id)


async def count_recovery(ctx: Ctx, signed: Signed) -> int:
    """How many recovery codes somebody has left."""
    return await rows.count_recovery(ctx.db, signed.account_id, signed.user_id)


async def _make_codes(ctx: Ctx, whose: tuple[str, str]) -> list[str]:
    codes = [access.new_recovery_code() for _ in range(RECOVERY_CODES)]
    await rows.insert_recovery(ctx.db, *whose, [recovery_hash(whose[1], one) for one in codes])
    return codes


async def _use_step(ctx: Ctx, whose: tuple[str, str], found: Any, code: str, seals: SealingKeys) -> bool:
    key = seals.open(found["sealed"], _owner(*whose))
    step = step_of(key, code, found["seconds"], found["last_step"])
    if step is None:
        return False
    await rows.set_step(ctx.db, *whose, step)
    return True


def _owner(account_id: str, user_id: str) -> str:
    return f"factor {account_id} {user_id}"
