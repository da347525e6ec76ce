"""Hands out labels to whoever has a good link; the wire's idea of attachments."""

from __future__ import annotations

from collections.abc import Mapping

from tradepost.domain import parcels
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.failure import Failure
from tradepost.domain.parcels import Press
from tradepost.domain.parcels.failures import LabelsNotFound
from tradepost.storage.database import Database
from tradepost.surfaces.links import acting_now
from tradepost.values import TryLater
from tradepost.wire.attachments import Attachment, in_one_piece
from tradepost.wire.refusals import ServiceUnavailable

PDF = "application/pdf"


class LabelFiles:
    """The labels that links of the logistics service lead to, printed when somebody asks for them."""

    service = "wishpost"

    def __init__(self, database: Database, press: Press, keys: LinkKeys) -> None:
        self._database = database
        self._press = press
        self._keys = keys

    async def open(self, name: str, query: Mapping[str, str]) -> Attachment:
        """The file of a link; raises LabelsNotFound, LabelsExpired, NoLabel, ServiceUnavailable.

        Nothing is looked up before the signature is found good.
        """
        link = parcels.read_link(self._keys, name, query)
        if link is None:
            raise LabelsNotFound
        async with acting_now(self._database, link.account_id) as ctx:
            found = await parcels.follow_label_link(ctx, link)
            channels = await parcels.channels_by_otype(ctx)
        try:
            # The connection is somebody else's while this is printed.
            made = await self._press.print_labels(found, channels, link.sheet)
        except TryLater as error:
            if isinstance(error, Failure):
                raise
            raise ServiceUnavailable from error
        called = found[0].number if len(found) == 1 else f"labels-{len(found)}"
        return Attachment(f"{called}.pdf", PDF, len(made), in_one_piece(made))
