"""Making and keeping: what becomes a file of ours, and under which name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from tradepost.darkroom.client import Darkroom, PictureRefused, Print
from tradepost.domain.pictures import (
    FORMATS,
    UPLOAD_FORMATS,
    VIDEO_HEAD_BYTES,
    Kept,
    Unusable,
    extension_of,
    folder_of,
)
from tradepost.storage.files import FileStore, Writer


class Studio:
    """Makes pictures anew and keeps them; keeps videos as they are."""

    def __init__(self, files: FileStore, darkroom: Darkroom) -> None:
        self._files = files
        self._darkroom = darkroom

    async def keep_picture(self, stem: str, data: bytes) -> Kept:
        """Keep a picture and a small one beside it; raises Unusable."""
        made = await self._make(data, FORMATS)
        await self._write(f"{folder_of(stem)}/small.{made.extension}", made.small)
        await self._write(f"{folder_of(stem)}/full.{made.extension}", made.picture)
        return Kept(made.extension, len(made.picture), made.width, made.height)

    async def keep_upload(self, stem: str, data: bytes) -> Kept:
        """Keep what was uploaded; raises Unusable."""
        made = await self._make(data, UPLOAD_FORMATS)
        await self._write(f"{folder_of(stem)}/full.{made.extension}", made.picture)
        return Kept(made.extension, len(made.picture), made.width, made.height)

    @asynccontextmanager
    async def keeping_video(self, stem: str) -> AsyncIterator[Film]:
        """Keep a video that comes piece by piece: it is there when this was left without an error."""
        async with AsyncExitStack() as held:
            film = Film(self._files, stem, held)
            yield film
            await film.finish()

    async def discard(self, stem: str) -> None:
        """Delete what was kept under a stem."""
        await self._files.delete_all(folder_of(stem))

    async def _make(self, data: bytes, formats: Sequence[str]) -> Print:
        try:
            return await self._darkroom.develop(data, formats)
        except PictureRefused as refused:
            raise Unusable(refused.reason) from None

    async def _write(self, name: str, data: bytes) -> None:
        async with self._files.writing(name) as writer:
            await writer.write(data)


class Film:
    """A video while it comes; how it begins says what it is."""

    def __init__(self, files: FileStore, stem: str, held: AsyncExitStack) -> None:
        self._files = files
        self._stem = stem
        self._held = held
        self._head = bytearray()
        self._writer: Writer | None = None
        self.extension = ""
        self.size = 0

    @property
    def kept(self) -> Kept:
        """What is kept in the end."""
        return Kept(self.extension, self.size)

    async def write(self, piece: bytes) -> None:
        """The next bytes; raises Unusable where they are the beginning of no video."""
        self.size += len(piece)
        if self._writer is not None:
            await self._writer.write(piece)
            return
        self._head += piece
        if len(self._head) >= VIDEO_HEAD_BYTES:
            await self._begin()

    async def finish(self) -> None:
        """There is no more."""
        if self._writer is None:
            await self._begin()

    async def _begin(self) -> None:
        extension = extension_of(bytes(self._head[:VIDEO_HEAD_BYTES]))
        if extension is None:
            raise Unusable("unreadable")
        self.extension = extension
        name = f"{folder_of(self._stem)}/full.{extension}"
        self._writer = await self._held.enter_async_context(self._files.writing(name))
        await self._writer.write(bytes(self._head))
