"""Hands out the pictures of tickets to whoever has a good link; the wire's idea of attachments."""

from __future__ import annotations

from collections.abc import Mapping

from tradepost.domain import tickets
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.tickets import TicketPictureNotFound
from tradepost.storage.database import Database
from tradepost.storage.files import FileStore, pieces_of
from tradepost.surfaces.links import acting_now, size_of
from tradepost.wire.attachments import Attachment


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
        async with acting_now(self._database, link.merchant_id) as ctx:
            await tickets.open_picture(ctx, link)
        size = await size_of(self._files, key)
        if size is None:
            raise TicketPictureNotFound
        return Attachment(link.name, tickets.content_type_of(link.name), size, pieces_of(self._files, key))
