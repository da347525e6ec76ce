"""The sandbox's mail: what was sent to anybody, for whoever tries things out. Production has no such page."""

from __future__ import annotations

import re
from typing import Final

from tradepost.domain import outbox
from tradepost.surfaces.pages.site import Visit
from tradepost.wire.http_types import Response

SHOWN: Final = 50
_LINK = re.compile(r"(https?://\S+)")


async def show_mail(visit: Visit) -> Response:
    """The latest letters, the newest first, with links that can be followed."""
    desk = visit.site.kit.desk
    if desk is None:
        return visit.trouble("not_there", 404)
    found = await desk.look(lambda ctx: outbox.list_mail(ctx, SHOWN))
    seals = visit.seals
    letters = [
        {
            "to": letter.recipient,
            "subject": letter.subject,
            "at": f"{letter.created_at:%Y-%m-%d %H:%M:%S}",
            "parts": _LINK.split(letter.opened(seals)),
        }
        for letter in found
        if letter.sent_at is not None
    ]
    return visit.render("account/mail.html", letters=letters)


PAGES: Final = {"/sandbox/mail": {"GET": show_mail}}
