"""Takes calls down while they are answered and keeps them off their path, a pack at a time.

Taking a call down is putting it into a queue. A task beside the calls takes it out again, removes what is secret
and writes it, with other work in between. The queue is bounded in number and in bytes: what does not fit is counted
and not kept, and the count is told with the log. While the database is away calls wait in the queue. A process that
is stopped writes what it has; one that is killed loses what came in during the last second or so.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import math
import re
from collections import Counter, deque
from contextlib import suppress
from itertools import islice
from typing import Final

import structlog

from tradepost.domain import request_log
from tradepost.domain.request_log import Call, Owner, Pack, PackMaker, Said, Shown
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.surfaces.beside import Beside
from tradepost.surfaces.request_log.redaction import answered, asked_body, asked_path, asked_query
from tradepost.values import Fact
from tradepost.wire.reading import LOOKED_AT
from tradepost.wire.taken import Taken

MOST_WAITING: Final = 5_000
MOST_BYTES: Final = 16 << 20
BUSY: Final = 64
"""Calls in the queue from which successes are kept in brief: nobody reads each of so many."""
BRIEF: Final = 256
PACK: Final = 1_000
UNPROVEN_PACK: Final = 20
"""Calls of one pack that are not proven: a pack is kept as a whole, and their share is small."""
BETWEEN: Final = 10
"""Calls that are made ready before other work has its turn."""
LOOK_SECONDS: Final = 0.8
AWAY_SECONDS: Final = 2.0
STOP_SECONDS: Final = 5.0
MOST_PATH: Final = 500
MOST_QUERY: Final = 8_192
MOST_TYPE: Final = 200
MOST_KNOWN: Final = 2_000
TEXTS: Final = ("application/json", "application/xml", "text/")

_TOKEN = re.compile(rb"(?:^|&)access_token=([A-Za-z0-9_.~-]+)", re.ASCII)
_CLIENT_ID = re.compile(rb"""client_id["']?\s*[=:>]\s*["']?([0-9a-f]{24})""", re.ASCII)

log = structlog.get_logger("tradepost.request_log")


class RequestLog(Beside):
    """Calls on their way into the log."""

    log, lost, stop_seconds = log, "calls not kept", STOP_SECONDS

    def __init__(self, database: Database, most_per_day: int, most_waiting: int = MOST_WAITING) -> None:
        """`database` is the platform's and nobody else's.

        `most_per_day` is how many calls of one account are kept of each day.
        """
        super().__init__()
        self._database = database
        self._most_per_day = most_per_day
        self._most_waiting = most_waiting
        self._queue: deque[Taken] = deque()
        self._size = 0
        self._missed: Counter[Shown] = Counter()
        self._owners: dict[Shown, Owner] = {}
        self._packs: list[Pack] = []
        self.written = 0
        """Calls that were kept so far."""
        self.missed = 0
        """Calls that did not fit so far."""

    @property
    def waiting(self) -> int:
        """Calls that are not written yet."""
        return len(self._queue) + sum(pack.calls for pack in self._packs)

    def take(self, call: Taken) -> None:
        """Put a call into the queue, or count it where the queue is full."""
        if len(self._queue) >= self._most_waiting or self._size > MOST_BYTES:
            self.missed += 1
            # Whoever is known is told of what is missing in his log; others could be anybody.
            shown = shown_by(call)
            self._missed[shown if shown in self._owners else _NOTHING] += 1
            return
        if len(self._queue) >= BUSY and not call.code:
            call.answered = call.answered[:BRIEF]
        self._queue.append(call)
        self._size += len(call.asked) + len(call.answered)

    async def start(self) -> None:
        """Open the database and begin to write."""
        await self._database.open()
        await super().start()

    async def stop(self) -> None:
        """Write what is there, for a few seconds at most, write no more, and close the database."""
        await super().stop()
        await self._database.close()

    async def flush(self) -> None:
        """Write what is there; raises StorageUnavailable, and what is there stays."""
        while self._queue or self._packs or self._missed:
            await self._keep()

    async def _keep(self) -> None:
        """Write the first PACK calls that wait, or those that could not be written before."""
        try:
            if not self._packs:
                await self._pack()
            await self._write()
        except StorageUnavailable:
            raise
        except Exception as error:  # what cannot be written must not keep the others
            # Told without what was at hand: there are secrets in it.
            log.error("calls not kept", count=sum(p.calls for p in self._packs), error=repr(error)[:500])
            self._packs.clear()
            self._missed.clear()

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                # What comes in meanwhile waits for the next look: written a few at a time, calls cost far more.
                for _ in range(math.ceil(self.waiting / PACK) or bool(self._missed)):
                    await self._keep()
            except StorageUnavailable:
                await asyncio.sleep(AWAY_SECONDS)

    async def _pack(self) -> None:
        """Take calls out of the queue and the secrets out of the calls."""
        # They stay in the queue until it is known whose they are.
        waiting = list(islice(self._queue, PACK))
        shown = [shown_by(call) for call in waiting]
        await self._learn({*shown, *self._missed})
        makers: dict[tuple[str, bool, int, int], PackMaker] = {}
        piles: Counter[tuple[str, bool, int]] = Counter()
        for index, (call, by) in enumerate(zip(waiting, shown, strict=True)):
            self._queue.popleft()
            self._size -= len(call.asked) + len(call.answered)
            owner = self._owners.get(by, _NOBODY)
            # Packs are short in time, too, so that a call is in one of a few, whenever they were written.
            window = int(call.id[:8] + call.id[9:13], 16) // (1000 * request_log.MOST_SECONDS)
            # Anybody can name an app; its owner's share is for those who show a token.
            is_proven = by.token_hash is not None or not owner.account_id
            pile = (owner.account_id, is_proven, window)
            key = (*pile, 0 if is_proven else piles[pile] // UNPROVEN_PACK)
            piles[pile] += 1
            try:
                line, said = _told(call, owner)
                makers.setdefault(key, PackMaker(owner.account_id, is_proven)).add(line, said)
            except Exception as error:
                log.error("a call cannot be kept", request_id=call.id, error=type(error).__name__)
            if index % BETWEEN == 0:
                await asyncio.sleep(0)
        self._packs = [await maker.finish() for maker in makers.values()]

    async def _write(self) -> None:
        missed = dict(self._missed)
        gone: Counter[str] = Counter()
        for shown, count in missed.items():
            gone[self._owners.get(shown, _NOBODY).account_id] += count
        if self._packs or gone:
            async with self._database.acting_for("") as connection:
                kept = await request_log.keep_packs(connection, self._packs, gone, self._most_per_day)
            self.written += kept
        self._packs = []
        self._missed -= Counter(missed)
        if missed:
            log.warning("calls not kept", count=sum(missed.values()))

    async def _learn(self, shown: set[Shown]) -> None:
        """Find out whose calls are; what is known once does not change."""
        if len(self._owners) > MOST_KNOWN:
            self._owners.clear()
        unknown = [one for one in shown if one not in self._owners and one != _NOTHING]
        if unknown:
            async with self._database.acting_for("") as connection:
                self._owners.update(await request_log.owners_of(connection, unknown))


_NOTHING: Final = Shown("", None)
_NOBODY: Final = Owner("", None, None)


def shown_by(call: Taken) -> Shown:
    """What a call shows of itself: a token, or the id of an app.

    Also a token that the call never got to show, because its path leads nowhere or its body cannot be read: whoever
    has it looks for that call most of all.
    """
    service = call.surface.service
    scheme, _, told = call.headers.get("authorization", "").partition(" ")
    token = call.token or (told if scheme.lower() == "bearer" else "")
    if not token and (in_query := _TOKEN.search(call.query)):
        token = in_query[1].decode()
    if token:
        return Shown(service, hashlib.sha256(token.encode()).digest())
    if scheme.lower() == "basic":
        with suppress(UnicodeError, binascii.Error):
            name = base64.b64decode(told.encode("ascii")).decode().partition(":")[0]
            return Shown(service, None, name[:64].replace("\0", ""))
    found = _CLIENT_ID.search(call.query) or _CLIENT_ID.search(call.asked)
    return Shown(service, None, found[1].decode()) if found else _NOTHING


def _told_size(call: Taken) -> int:
    """How many bytes a body has by its headers: nothing else tells of one that was refused unread."""
    told = call.headers.get("content-length", "")
    if told.isascii() and told.isdigit():
        return int(told[:18])
    return 1 if "transfer-encoding" in call.headers and not call.asked_size else 0


def _told(call: Taken, owner: Owner) -> tuple[Call, Said]:
    """What is kept of a call."""
    headers = call.headers
    whole_kind = headers.get("content-type", "")
    kind = asked_path(whole_kind[:MOST_TYPE])
    is_text = call.answered_type.startswith(TEXTS)
    said = Said(
        asked_query(call.query[:MOST_QUERY]),
        kind,
        asked_body(call.asked, kind, call.asked_size <= LOOKED_AT) if call.asked else "",
        call.asked_size,
        call.answered_type,
        answered(call.answered) if is_text else b"",
        call.answered_size,
        asked_path(headers.get("user-agent", "")[:200]),
        asked_path(headers.get("accept-language", "")[:100]),
        len(call.asked) < max(call.asked_size, _told_size(call)),
        not is_text or len(call.answered) < call.answered_size,
        len(call.query) > MOST_QUERY or len(call.path) > MOST_PATH or len(whole_kind) > MOST_TYPE,
    )
    try:
        endpoint = call.surface.find(call.method, call.path).name
    except Fact:
        endpoint = None
    line = Call(
        call.id,
        call.surface.service,
        owner.app_id,
        owner.token_id,
        call.method[:16],
        asked_path(call.path[:MOST_PATH]),
        endpoint,
        call.status,
        call.code,
        call.microseconds,
        None if call.client is None else call.client[:64],
    )
    return line, said
