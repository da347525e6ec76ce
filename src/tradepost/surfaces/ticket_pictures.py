"""Hands out the pictures of tickets to whoever has a good link; the wire's idea of attachments."""

from __future__ import annotations

from collections.abc import Mapping

from tradepost.domain import tickets
from tradepost.domain.context import Ctx
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.tickets import TicketPictureNotFound
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.storage.files import FileStore, FilesUnavailable, pieces_of
from tradepost.wire.http import Attachment
from tradepost.wire.refusals import ServiceUnavailable


class TicketPictures:
    """The pictures that links in tickets lead to."""

    service = "merchant"

    def __init__(self, database: Database, files: FileStore, keys: LinkKeys) -> None:
        self._database = database
        self._files = files
        self._keys = keys

    async def open(self, name: str, query: Mapping[str, str]) -> Attachment:
        """The picture of a link; raises TicketPictureNotFound, TicketPictureExpired, ServiceUnavailable.

        Nothing is looked up before the signature is found good.
        """
        link = tickets.read_link(self._keys, name, query)
        if link is None:
            raise TicketPictureNotFound
        key = tickets.key_of(link.merchant_id, link.ticket_id, link.name)
        try:
            async with self._database.acting_for(link.merchant_id) as connection:
                now = await connection.fetchval("select world_now()")
                await tickets.open_picture(Ctx(db=connection, now=now, actor=None), link)
            size = await self._files.size(key)
        except (StorageUnavailable, FilesUnavailable) as error:
            raise ServiceUnavailable from error
        if size is None:
            raise TicketPictureNotFound
        return Attachment(link.name, tickets.content_type_of(link.name), size, pieces_of(self._files, key))
