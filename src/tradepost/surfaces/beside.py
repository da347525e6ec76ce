"""A task beside the calls that writes what they leave behind, so that no call waits for it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any, ClassVar

from tradepost.storage.database import StorageUnavailable


class Beside(ABC):
    """What is put down at once and written later; at its end what is there is written."""

    log: ClassVar[Any]
    lost: ClassVar[str]
    """What the log of the process says of what could not be written in time."""
    stop_seconds: ClassVar[float]
    """How long an end may take."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def waiting(self) -> int:
        """How much is not written yet."""

    @abstractmethod
    async def flush(self) -> None:
        """Write what is there; raises StorageUnavailable, and what is there stays."""

    @abstractmethod
    async def _write_on(self) -> None:
        """Write again and again, without an end."""

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write_on())

    async def stop(self) -> None:
        """Write what is there, for a few seconds at most, and write no more."""
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        try:
            async with asyncio.timeout(self.stop_seconds):
                await self.flush()
        except (TimeoutError, StorageUnavailable):
            self.log.warning(self.lost, count=self.waiting)
