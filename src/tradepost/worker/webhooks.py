"""Sends what webhooks are told: queue by queue, each subscription's apart from all others.

A turn is one queue in one worker's hands for a few seconds: what is due is sent, some at a time, each attempt is
written down, and the queue is put down, behind those that wait. Whoever answers slowly so holds up his own queue
and nobody else's; who is taken in hand next is for `hands` to say. A worker that dies loses its number, and its
queues are anybody's at once; what it sent and could not write down is sent again under the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from tradepost.domain import webhooks, world
from tradepost.domain.context import Ctx
from tradepost.domain.webhooks import API_VERSION, Attempt, Delivery, SealingKeys, SealUnknown, Turn
from tradepost.egress.client import Courier, FetchRefused, GuardAway, OtherSideAway
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.worker.hands import SLOW_SECONDS, Hands

ATTEMPT_SECONDS: Final = 15.0
TURN_SECONDS: Final = 3.0
IDLE_SECONDS: Final = 0.25
GRACE_SECONDS: Final = 15.0

log = structlog.get_logger("tradepost.worker")


class Sender:
    """One worker's share of sending."""

    def __init__(self, platform: Database, app: Database, courier: Courier, seals: SealingKeys) -> None:
        """`platform` sees every account, `app` the one it acts for."""
        self._platform = platform
        self._app = app
        self._courier = courier
        self._seals = seals
        self._worker: int | None = None
        self._turns: dict[asyncio.Task[None], Turn] = {}
        self._hands = Hands()
        self._look = asyncio.Event()
        self._stopping = asyncio.Event()

    def number(self, worker: int) -> None:
        """Say under which number queues are taken from now on."""
        self._worker = worker

    def stop(self) -> None:
        """Take no more queues."""
        self._stopping.set()
        self._look.set()

    async def run(self) -> None:
        """Send until told to stop, and then let what is under way come to its end."""
        try:
            while not self._stopping.is_set():
                self._look.clear()
                try:
                    await self._fill()
                except (StorageUnavailable, asyncpg.PostgresError) as error:
                    log.warning("webhooks without a database", error=repr(error))
                with suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await self._look.wait()
            if self._turns:
                await asyncio.wait(self._turns, timeout=GRACE_SECONDS)
        finally:
            for task in self._turns:
                task.cancel()
            await asyncio.gather(*self._turns, return_exceptions=True)

    async def _fill(self) -> None:
        """Take queues in hand until none is due, or no slot is free."""
        hands = self._hands
        while self._worker is not None and hands.has_room and not self._stopping.is_set():
            async with self._platform.acting_for("") as connection:
                turn = await webhooks.take_turn(
                    await world.enter(connection),
                    self._worker,
                    even_failing=hands.even_failing,
                    left_out=hands.left_out,
                )
            if turn is None:
                return
            hands.take(turn.id, turn.failures > 0)
            task = asyncio.create_task(self._take(turn))
            self._turns[task] = turn
            task.add_done_callback(self._put_down)

    def _put_down(self, task: asyncio.Task[None]) -> None:
        self._hands.put_down(self._turns.pop(task).id)
        self._look.set()

    def _note_slow(self, turn: Turn) -> None:
        """Its place is somebody else's from now on."""
        self._hands.note_slow(turn.id)
        self._look.set()

    async def _take(self, turn: Turn) -> None:
        """One turn, to its end."""
        try:
            await self._send_due(turn)
            async with self._app.acting_for(turn.merchant_id) as connection:
                await webhooks.end_turn(await world.enter(connection), turn)
        except (GuardAway, StorageUnavailable) as error:
            # Nothing is known of what was under way; the end of the lease brings it back.
            log.warning("webhook turn lost", subscription=turn.id, error=repr(error))
        except Exception:
            log.exception("webhook turn failed", subscription=turn.id)

    async def _send_due(self, turn: Turn) -> None:
        loop = asyncio.get_running_loop()
        over = loop.time() + TURN_SECONDS
        answered = 0
        while not self._stopping.is_set() and loop.time() < over:
            async with self._app.acting_for(turn.merchant_id) as connection:
                ctx = await world.enter(connection)
                most = self._hands.at_once(turn.id, turn.failures > 0, answered)
                due, sealed = await webhooks.due_deliveries(ctx, turn, most)
                clock: datetime = await connection.fetchval("select clock_timestamp()")
            if not due:
                return
            secrets = self._opened(turn, sealed)
            # Each is written down as soon as it is known, whatever becomes of the others.
            sent = (self._send(turn, delivery, headers_of(turn, delivery, secrets, clock), ctx) for delivery in due)
            for error in await asyncio.gather(*sent, return_exceptions=True):
                if isinstance(error, BaseException):
                    raise error
            answered += len(due)

    def _opened(self, turn: Turn, sealed: Sequence[bytes]) -> list[bytes]:
        """The secrets of a queue, looked up for each message: one that was taken back signs no more of them."""
        owner = webhooks.owner_of(turn.merchant_id, turn.id)
        try:
            return [self._seals.open(one, owner) for one in sealed]
        except SealUnknown:
            log.error("webhook secret not opened: is TRADEPOST_SEALING_KEYS complete?", subscription=turn.id)
            raise

    async def _send(self, turn: Turn, delivery: Delivery, headers: Mapping[str, str], begun: Ctx) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        status, error, retry_after = None, None, ""
        waits = loop.call_later(SLOW_SECONDS, self._note_slow, turn)
        try:
            answer = await self._courier.deliver(turn.endpoint, headers, delivery.body.encode(), ATTEMPT_SECONDS)
            status, retry_after = answer.status, answer.retry_after
        except FetchRefused as refused:
            error = _word(str(refused))
        except OtherSideAway as away:
            error = _word(away.why)
        finally:
            waits.cancel()
        if loop.time() - started < SLOW_SECONDS:
            self._hands.note_quick(turn.id)
        attempt = Attempt(begun.now, round((loop.time() - started) * 1000), status, error, retry_after)
        async with self._app.acting_for(turn.merchant_id) as connection:
            ctx = await world.enter(connection)
            world.begin(ctx, f"webhook {delivery.id} {delivery.attempts}")
            await webhooks.note_attempt(ctx, turn, delivery, attempt)


def headers_of(turn: Turn, delivery: Delivery, secrets: Sequence[bytes], clock: datetime) -> dict[str, str]:
    """The headers of a message that is sent now.

    Its timestamp is the machine's and not the world's: receivers hold it against their own clocks.
    """
    return {
        "Content-Type": "application/json",
        "Wish-Topic": turn.topic,
        "Wish-API-Version": API_VERSION,
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(clock.timestamp())),
        "webhook-signature": webhooks.signatures(secrets, delivery.id, clock, delivery.body),
    }


def _word(reason: str) -> str:
    """Why nothing was answered, in a word that tells an open port from a closed one to nobody."""
    if reason.startswith("TLS"):
        return "tls"
    if reason == "it takes too long":
        return "timeout"
    return "unreachable"
