"""What buyers complain about, as tickets in their own languages, some with a picture of what is wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from tradepost.domain import tickets
from tradepost.domain.context import MerchantCtx
from tradepost.domain.tickets import Buyer, NewReply, NewTicket
from tradepost.sandbox.outside import picture
from tradepost.sandbox.traffic import COMPLAINTS, Person
from tradepost.storage.files import FileStore

WAITING: Final = "Shipping Status or ETA Inquiry"
"""The label of complaints by those who have nothing yet."""
RECEIVED: Final = "Return or Exchange"
"""That of complaints about what came."""
_THANKS: Final = {"de": "Danke, ich warte auf Nachricht.", "fr": "Merci, j'attends de vos nouvelles."}
_THANKS_EN: Final = "Thank you, I am waiting for news."


async def complain(
    shop: MerchantCtx,
    files: FileStore,
    source: random.Random,
    person: Person,
    buyer_id: str | None,
    order_ids: Sequence[str],
    label: str | None = None,
) -> str:
    """Let a buyer open a ticket about orders of one purchase; gives its id.

    In his language where there are words in it, and with the label where one is wanted and they have it.
    """
    spoken = [one for one in COMPLAINTS if one.locale == person.locale] or COMPLAINTS[:1]
    said = source.choice([one for one in spoken if label in (None, one.label)] or spoken)
    ticket_id = shop.new_id()
    names = [await _picture(shop, files, ticket_id)] if said.with_picture else []
    joined = shop.now - timedelta(days=source.randrange(100, 3000))
    new = NewTicket(
        kind=tickets.POST_PURCHASE,
        buyer=Buyer(buyer_id or shop.new_id(), person.name, joined, person.locale),
        subject=said.subject,
        label=said.label,
        order_ids=order_ids,
        first=NewReply(
            message=said.message, message_en=said.message_en, message_zh=said.message_zh, pictures=names
        ),
    )
    return await tickets.open_ticket(shop, new, ticket_id)


def thanks(locale: str) -> NewReply:
    """What a buyer writes back to a merchant who has answered."""
    return NewReply(message=_THANKS.get(locale, _THANKS_EN), message_en=_THANKS_EN)


async def _picture(shop: MerchantCtx, files: FileStore, ticket_id: str) -> str:
    """A picture of what is wrong, in the store before the ticket names it."""
    name = shop.new_id()
    data = picture(name)
    file = tickets.name_of(name, data)
    async with files.writing(tickets.key_of(shop.actor.id, ticket_id, file)) as writer:
        await writer.write(data)
    return file
