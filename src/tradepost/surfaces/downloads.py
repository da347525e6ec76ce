"""Hands out finished downloads to whoever has a good link; the wire's idea of attachments."""

from __future__ import annotations

from collections.abc import Mapping

from tradepost.domain import downloads
from tradepost.domain.downloads import DownloadNotFound, LinkKeys
from tradepost.storage.database import Database
from tradepost.storage.files import FileStore, pieces_of
from tradepost.surfaces.links import acting_now, size_of
from tradepost.wire.attachments import Attachment

CSV = "application/octet-stream"
"""What a file of rows is sent as: something to be kept, and nothing that a browser shows."""


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
        async with acting_now(self._database, link.account_id) as ctx:
            file = await downloads.open_link(ctx, link)
        if await size_of(self._files, file.key) != file.size:
            raise DownloadNotFound
        return Attachment(file.name, CSV, file.size, pieces_of(self._files, file.key))
