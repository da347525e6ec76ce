"""The table of contents of the operators' pages."""

from __future__ import annotations

from typing import Final

from tradepost.storage.database import Database
from tradepost.surfaces.pages.navigation import Entry, Group
from tradepost.surfaces.pages.office import (
    announcements,
    infractions,
    jobs,
    merchants,
    overview,
    products,
    signing,
    tickets,
)
from tradepost.surfaces.pages.office.desk import ROOT, Office
from tradepost.surfaces.pages.site import Kit

GROUPS: Final = (
    Group(
        "menu.office",
        {
            **overview.PAGES,
            **products.PAGES,
            **tickets.PAGES,
            **infractions.PAGES,
            **merchants.PAGES,
            **announcements.PAGES,
        },
        [
            Entry(ROOT, "home"),
            Entry(products.HERE, "office.products"),
            Entry(tickets.HERE, "office.tickets"),
            Entry(infractions.HERE, "office.infractions"),
            Entry(merchants.HERE, "office.merchants"),
            Entry(announcements.HERE, "office.announcements"),
        ],
    ),
    Group("menu.installation", jobs.PAGES, [Entry(jobs.HERE, "office.jobs")]),
    Group(
        "",
        {
            signing.SIGN_IN: {"GET": signing.show_sign_in, "POST": signing.sign_in},
            signing.SIGN_OUT: {"POST": signing.sign_out},
        },
    ),
)


def build_office(database: Database, kit: Kit) -> Office:
    """The operators' pages; the database is that of the platform's role."""
    return Office(database, GROUPS, kit)
