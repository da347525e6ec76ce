"""Takes down where access tokens are used from, beside the calls: one statement a second, however many calls come.

Whom the gate let in is put into a dictionary, once for each address and program of a token. A task beside the calls
empties it. It is bounded: of one token and second a few places, of one second so many tokens; who does not fit is
there again with his next call. It is no part of the request log, and goes on where that is switched off.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from tradepost.domain import access
from tradepost.domain.access import Admission, Asked, Use
from tradepost.domain.access.uses import MOST_ADDRESS, MOST_AGENT
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.surfaces.beside import Beside
from tradepost.surfaces.request_log.redaction import asked_path

MOST_TOKENS: Final = 2_000
MOST_OF_ONE: Final = 8
LOOK_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 2.0
STOP_SECONDS: Final = 2.0

log = structlog.get_logger("tradepost.access")


class TokenUses(Beside):
    """Uses of tokens on their way into the database."""

    log, lost, stop_seconds = log, "uses of tokens not kept", STOP_SECONDS

    def __init__(self, database: Database) -> None:
        """`database` is the platform's, which somebody else opens and closes."""
        super().__init__()
        self._database = database
        self._waiting: dict[str, dict[tuple[str, str], str]] = {}
        self.written = 0
        """Uses that were written so far."""

    @property
    def waiting(self) -> int:
        """Uses that are not written yet."""
        return sum(map(len, self._waiting.values()))

    def take(self, admission: Admission, asked: Asked) -> None:
        """Put down whose token opened from where; at once, because somebody waits for his answer."""
        token_id, actor = admission.token_id, admission.actor
        if token_id is None or actor is None:
            return
        places = self._waiting.get(token_id)
        if places is None:
            if len(self._waiting) >= MOST_TOKENS:
                return
            places = self._waiting[token_id] = {}
        place = (asked.client, asked.agent)
        if place not in places and len(places) < MOST_OF_ONE:
            places[place] = actor.id

    async def flush(self) -> None:
        """Write what is there; raises StorageUnavailable, and what is there stays."""
        if not self._waiting:
            return
        uses = [
            Use(account_id, token_id, address[:MOST_ADDRESS], _shown(agent))
            for token_id, places in self._waiting.items()
            for (address, agent), account_id in places.items()
        ]
        before, self._waiting = self._waiting, {}
        try:
            async with self._database.acting_for("") as connection:
                await access.note_uses(connection, uses)
        except (StorageUnavailable, asyncio.CancelledError):
            self._waiting = before | self._waiting
            raise
        self.written += len(uses)

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.flush()
            except StorageUnavailable:
                await asyncio.sleep(AWAY_SECONDS)
            except Exception as error:  # what cannot be written must not end the task
                log.error("uses of tokens not kept", error=type(error).__name__)


def _shown(agent: str) -> str:
    """What a client calls itself, without secrets, as far as it is kept."""
    return asked_path(agent.replace("\0", ""))[:MOST_AGENT].strip()
