"""The table of contents of the operators' pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tradepost.storage.database import Database
from tradepost.surfaces.pages.navigation import Entry, Group
from tradepost.surfaces.pages.office import (
    announcements,
    apps,
    calls,
    infractions,
    jobs,
    limits,
    merchants,
    overview,
    own,
    products,
    signing,
    tickets,
)
from tradepost.surfaces.pages.office.desk import ROOT, Office
from tradepost.surfaces.pages.site import Kit
from tradepost.wire.endpoint import Surface

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
        announcements.LARGE,
    ),
    Group(
        "menu.installation",
        {**apps.PAGES, **calls.PAGES, **jobs.PAGES, **limits.PAGES},
        [
            Entry(apps.HERE, "office.apps"),
            Entry(calls.HERE, "calls"),
            Entry(jobs.HERE, "office.jobs"),
            Entry(limits.HERE, "office.limits"),
        ],
    ),
    Group("menu.account", {}, [Entry(own.HERE, "security")]),
    Group(
        "",
        {
            signing.SIGN_IN: {"GET": signing.show_sign_in, "POST": signing.sign_in},
            signing.SIGN_OUT: {"POST": signing.sign_out},
            **own.PAGES,
        },
    ),
)


def build_office(database: Database, kit: Kit, apis: Sequence[Surface] = ()) -> Office:
    """The operators' pages, with a database in the platform's role; `apis` are those whose limits are shown."""
    office = Office(database, GROUPS, kit)
    office.apis = apis
    return office
