"""Files that are complete or absent: what a store of them promises, and how their names look.

Two stores keep the promise, a local directory and S3-compatible object storage; nobody above sees which one it
is. A store knows nothing of jobs or merchants, and nothing of who may read what.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial
from typing import Protocol, TypeVar

from tradepost.values import TryLater

WRITE_BYTES = 1 << 20
READ_BYTES = 256 << 10
LONGEST_NAME = 512

# No segment begins with a dot: that leaves out `.` and `..`, and keeps such names free for unfinished files.
_SEGMENT = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)

_Result = TypeVar("_Result")


class FilesUnavailable(TryLater):
    """The file store cannot serve at the moment."""


class FileMissing(Exception):
    """There is no file of the name that is told."""


class Writer(Protocol):
    """Where the bytes of one new file go."""

    async def write(self, data: bytes) -> None:
        """Add to the end of the file; waits while the store is slower than the writer.

        Raises FilesUnavailable, after which this file cannot be finished.
        """


class FileStore(Protocol):
    """Files by their names, such as `downloads/6553…/6553…/3.csv`; a name that is none raises ValueError.

    Whatever time mends (a server that does not answer, a full disk) raises FilesUnavailable.
    """

    def writing(self, name: str) -> AbstractAsyncContextManager[Writer]:
        """Write a file anew: it appears whole and durable at the end, in place of one that had its name.

        Leaving the block with an error (being cancelled is one) leaves everything as it was. Where the error
        comes from finishing the file itself, the whole file may be there all the same.
        """

    async def size(self, name: str) -> int | None:
        """The number of bytes of a file, or None where there is no such file."""

    def read(self, name: str) -> AsyncGenerator[bytes, None]:
        """The bytes of a file in pieces of at most READ_BYTES; raises FileMissing before the first of them.

        A file that is deleted or replaced meanwhile is read to its end as it was. Whoever stops before the end
        closes the generator.
        """

    async def delete_all(self, prefix: str) -> int:
        """Delete every file below a folder, with what writers that were killed left there; gives how many files."""


class PieceWriter:
    """Collects what is written and hands it on in pieces of WRITE_BYTES, so that small ones cost little."""

    def __init__(self, put: Callable[[bytearray], Awaitable[object]]) -> None:
        """`put` takes a piece over and returns once there is room for another one."""
        self._put = put
        self._held = bytearray()
        self._broken = False

    async def write(self, data: bytes) -> None:
        """Add bytes of any number."""
        rest = memoryview(data)
        while rest:
            room = WRITE_BYTES - len(self._held)
            self._held += rest[:room]
            rest = rest[room:]
            if len(self._held) == WRITE_BYTES:
                await self.flush()

    async def flush(self) -> None:
        """Hand on what is held; raises FilesUnavailable also where an earlier piece was lost."""
        if self._broken:
            raise FilesUnavailable
        if self._held:
            piece, self._held = self._held, bytearray()
            # A caller may swallow the error of one piece and go on; the file must not miss it unnoticed.
            self._broken = True
            await self._put(piece)
            self._broken = False


def check_name(name: str) -> str:
    """Give back the name of a file or folder; raises ValueError for one that a store does not take."""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a file: {name[:100]!r}")
    return name


async def pieces_of(files: FileStore, name: str) -> AsyncGenerator[bytes, None]:
    """The bytes of a file for an answer whose length was told: one that cannot be read to its end is cut there."""
    async with aclosing(files.read(name)) as pieces:
        try:
            async for piece in pieces:
                yield piece
        except (FileMissing, FilesUnavailable):
            return


async def in_thread(executor: Executor | None, work: Callable[..., _Result], *given: object) -> _Result:
    """Do blocking work in a thread of an executor (None for the loop's own).

    A thread cannot be stopped, so being cancelled waits for it: what it works on is not touched meanwhile.
    """
    future = asyncio.get_running_loop().run_in_executor(executor, partial(work, *given))
    stopped: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            stopped = error
    if stopped is not None:
        future.exception()  # nobody else will look at it
        raise stopped
    return future.result()
