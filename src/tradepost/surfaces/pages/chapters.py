"""The table of contents: which groups of pages a service has, in the order of the menu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.storage.database import Database
from tradepost.surfaces.pages import consent, signing
from tradepost.surfaces.pages.account import forgotten, joining, mail, security
from tradepost.surfaces.pages.developer import apps, calls, explorer, hooks, reference, tokens
from tradepost.surfaces.pages.navigation import Entry, Group, Page
from tradepost.surfaces.pages.shop import (
    files,
    home,
    links,
    news,
    orders,
    product_pictures,
    product_shipping,
    products,
    returns,
    tickets,
    warehouses,
)
from tradepost.surfaces.pages.site import Kit, Site

CONSENT_PATHS: Final = {
    "merchant": ("/oauth/authorize", "/v3/oauth/authorize"),
    "wishpost": ("/oauth/authorize", "/v3/oauth/authorize", "/oauth_v3/authorize"),
}

ACCOUNT: Final = Group(
    "menu.account",
    {
        signing.SIGN_IN: {"GET": signing.show_sign_in, "POST": signing.sign_in},
        signing.SIGN_IN_CODE: {"GET": signing.show_code, "POST": signing.enter_code},
        signing.SIGN_OUT: {"POST": signing.sign_out},
        signing.APPS: {"GET": signing.show_apps, "POST": signing.withdraw},
        **security.PAGES,
    },
    [Entry(signing.APPS, "apps"), Entry(security.ACCOUNT, "security")],
)
FRONT: Final = Group("", {"/": {"GET": signing.show_first}})
"""For a service without a page of its own at its address."""
JOINING: Final = Group("", joining.PAGES)
MAILED: Final = Group("", {**forgotten.PAGES, **mail.PAGES})
_SHOP: Final = (home, orders, products, product_pictures, product_shipping, tickets, news, returns, links)
SHOP: Final = Group(
    "menu.shop",
    {path: methods for module in _SHOP for path, methods in module.PAGES.items()},
    [
        Entry("/", "home"),
        Entry("/orders", "orders"),
        Entry("/products", "products"),
        Entry("/tickets", "tickets"),
        Entry("/notifications", "notifications"),
        Entry("/infractions", "infractions"),
        Entry("/returns", "returns"),
    ],
    {**products.LARGE, **product_pictures.LARGE, **product_shipping.LARGE, **tickets.LARGE, **news.LARGE},
    product_pictures.FILES,
)
STOCK: Final = Group(
    "menu.stock",
    {**warehouses.PAGES, **files.PAGES},
    [Entry("/warehouses", "warehouses"), Entry("/files", "files")],
    {**warehouses.LARGE, **files.LARGE},
)
_DEVELOPER: Final = {**calls.PAGES, **apps.PAGES, **tokens.PAGES, **explorer.PAGES, **reference.PAGES}
_APPS: Final = [Entry(apps.OWN_APPS, "own"), Entry(tokens.TOKENS, "tokens"), Entry(calls.CALLS, "calls")]
_API: Final = [Entry(explorer.EXPLORER, "explorer"), Entry(reference.REFERENCE, "reference")]
DEVELOPER: Final = {
    "merchant": Group(
        "menu.developer",
        {**_DEVELOPER, **hooks.PAGES},
        [*_APPS, Entry(hooks.HOOKS, "hooks"), *_API],
        explorer.LARGE,
    ),
    "wishpost": Group("menu.developer", _DEVELOPER, [*_APPS, *_API], explorer.LARGE),
}
GROUPS: Final[Mapping[str, tuple[Group, ...]]] = {
    "merchant": (SHOP, STOCK, DEVELOPER["merchant"], ACCOUNT, JOINING, MAILED),
    "wishpost": (ACCOUNT, DEVELOPER["wishpost"], MAILED, FRONT),
}
"""The pages of each service that stand in its menu or near it."""


def build_site(database: Database, kit: Kit) -> Site:
    """The pages of the service whose API the kit has."""
    service = kit.api.name
    consents: dict[str, Mapping[str, Page]] = {
        path: {"GET": consent.show, "POST": consent.decide} for path in CONSENT_PATHS[service]
    }
    consents["/.well-known/oauth-authorization-server"] = {"GET": consent.metadata}
    return Site(database, (*GROUPS[service], Group("", consents)), kit)
