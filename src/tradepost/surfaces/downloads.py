"""Hands out finished downloads to whoever has a good link; the wire's idea of attachments."""

from __future__ import annotations

from collections.abc import Mapping

from tradepost.domain import downloads
from tradepost.domain.context import Ctx
from tradepost.domain.downloads import DownloadNotFound, LinkKeys
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.storage.files import FileStore, FilesUnavailable, pieces_of
from tradepost.wire.http import Attachment
from tradepost.wire.refusals import ServiceUnavailable

CSV = "text/csv; charset=utf-8"


class DownloadLinks:
    """The files that links of the merchant service lead to."""

    service = "merchant"

    def __init__(self, database: Database, files: FileStore, keys: LinkKeys) -> None:
        self._database = database
        self._files = files
        self._keys = keys

    async def open(self, name: str, query: Mapping[str, str]) -> Attachment:
        """The file of a link; raises DownloadNotFound, LinkExpired, ServiceUnavailable.

        Nothing is looked up before the signature is found good.
        """
        link = self._keys.read(name, query)
        if link is None:
            raise DownloadNotFound
        try:
            async with self._database.acting_for(link.account_id) as connection:
                now = await connection.fetchval("select world_now()")
                file = await downloads.open_link(Ctx(db=connection, now=now, actor=None), link)
            if await self._files.size(file.key) != file.size:
                raise DownloadNotFound
        except (StorageUnavailable, FilesUnavailable) as error:
            raise ServiceUnavailable from error
        return Attachment(file.name, CSV, file.size, pieces_of(self._files, file.key))
