"""Hands out pictures and videos; the wire's idea of attachments. Whoever knows a path may see what is there."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from tradepost.domain.pictures import KEPT, NO_PICTURE, PictureGone, PictureNotFound, path_of, read_file
from tradepost.storage.database import Database
from tradepost.storage.files import FileStore, pieces_of
from tradepost.surfaces.links import acting_now, size_of
from tradepost.wire.attachments import Attachment, in_one_piece

FOR_EVER: Final = "public, max-age=31536000, immutable"
FOR_A_WHILE: Final = "public, max-age=3600"
# A grey square of 100 x 100.
_GREY: Final = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////"
    "////////////////////wAALCABkAGQBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEB"
    "AAA/ALgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP/2Q=="
)


class PictureFiles:
    """The files behind paths of pictures."""

    service = "merchant"

    def __init__(self, database: Database, files: FileStore) -> None:
        self._database = database
        self._files = files

    async def open(self, name: str, query: Mapping[str, str]) -> Attachment:
        """The file of a name; raises PictureNotFound, PictureGone, ServiceUnavailable.

        A name tells what it is of and when that is over, so the database is asked only for the time, and only for
        what was uploaded.
        """
        if path_of(name) == NO_PICTURE:
            return Attachment(name, "image/jpeg", len(_GREY), in_one_piece(_GREY), _headers(FOR_A_WHILE))
        file = read_file(name)
        if file is None:
            raise PictureNotFound
        if file.expires_at is not None:
            async with acting_now(self._database, "") as ctx:
                if ctx.now >= file.expires_at:
                    raise PictureGone(days=KEPT.days)
        size = await size_of(self._files, file.key)
        if size is None:
            raise PictureNotFound
        caching = FOR_EVER if file.expires_at is None else FOR_A_WHILE
        return Attachment(name, file.content_type, size, pieces_of(self._files, file.key), _headers(caching))


def _headers(caching: str) -> Mapping[str, str]:
    return {
        "Cache-Control": caching,
        # Nothing that is served here is ever a page, whatever a browser thinks of it.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": "inline",
    }
