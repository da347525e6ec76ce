"""Fetching pictures and videos: the job that a picture waits for."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from tradepost.darkroom.studio import Studio
from tradepost.domain import pictures, products
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import Advance, Job
from tradepost.domain.pictures import (
    FETCH_SECONDS,
    FOLDER,
    MOST_BYTES,
    PICTURE,
    VIDEO,
    Kept,
    Picture,
    Unusable,
    read_file,
    stem_of,
)
from tradepost.egress.client import FetchRefused, Guard
from tradepost.storage.database import Database
from tradepost.storage.files import FileMissing, FileStore
from tradepost.worker.handlers import Plain, Progress

EARLIER_TRIES: Final = 16
"""How many tries back it is looked for files of one that was killed."""

Effect = Kept | Unusable | None
"""What became of a picture outside of the database: a file, nothing for good, or nothing to do."""


class Pictures(Plain):
    """Fetches one picture or video, and lets the products that wait for it show it."""

    kind: ClassVar[str] = pictures.FETCH

    def __init__(self, database: Database, files: FileStore, studio: Studio, guard: Guard) -> None:
        self._database = database
        self._files = files
        self._studio = studio
        self._guard = guard

    async def outside(self, job: Job, progress: Progress) -> Effect:
        """Fetch it and keep it, under a name that no earlier try had."""
        async with self._database.acting_for(job.account_id) as connection:
            picture = await pictures.find_waiting(Ctx(db=connection, now=job.created_at, actor=None), job)
        if picture is None:
            return None
        # Never what a later try wrote: this one may be the belated.
        for earlier in range(max(1, job.fence - EARLIER_TRIES), job.fence):
            await self._studio.discard(stem_of(picture.id, earlier))
        stem = stem_of(picture.id, job.fence)
        try:
            if picture.kind == VIDEO:
                return await self._keep_video(stem, picture)
            return await self._studio.keep_picture(stem, await self._bytes_of(picture))
        except Unusable as unusable:
            return unusable
        except (FetchRefused, FileMissing):
            # Why is in the guard's log; whoever named it is told no more than that.
            return Unusable("unreachable")

    async def _bytes_of(self, picture: Picture) -> bytes:
        data = bytearray()
        if picture.is_uploaded:
            file = read_file(picture.source.removeprefix(FOLDER))
            if file is None:
                raise FileMissing(picture.source)
            async for piece in self._files.read(file.key):
                data += piece
            return bytes(data)

        async def write(piece: bytes) -> None:
            data.extend(piece)

        await self._guard.fetch(
            picture.source, most_bytes=MOST_BYTES[PICTURE], seconds=FETCH_SECONDS[PICTURE], write=write
        )
        return bytes(data)

    async def _keep_video(self, stem: str, picture: Picture) -> Kept:
        async with self._studio.keeping_video(stem) as film:
            await self._guard.fetch(
                picture.source, most_bytes=MOST_BYTES[VIDEO], seconds=FETCH_SECONDS[VIDEO], write=film.write
            )
        return film.kept

    async def inside(self, ctx: Ctx, job: Job, effect: Effect) -> Advance:
        """Let it be shown, or tell the merchant that it will not be."""
        if isinstance(effect, Unusable):
            await self._give_up(ctx, job, effect.reason)
        elif effect is not None:
            settled = await pictures.note_stored(ctx, job, effect)
            if settled is not None:
                await products.settle_picture(ctx, job.account_id, settled)
        return pictures.DONE

    async def _give_up(self, ctx: Ctx, job: Job, reason: str) -> None:
        settled = await pictures.note_failed(ctx, job, reason)
        if settled is not None:
            await products.settle_picture(ctx, job.account_id, settled)

    async def dropped(self, job: Job, effect: Any) -> None:
        """Delete the file that nobody will ever be led to."""
        if isinstance(effect, Kept):
            await self._studio.discard(stem_of(job.arguments["picture_id"], job.fence))

    async def parked(self, ctx: Ctx, job: Job) -> None:
        """Tell the merchant that nobody could be reached for as long as anybody waits."""
        await self._give_up(ctx, job, "unreachable")
