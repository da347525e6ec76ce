"""Limits: how often may be called, as this installation has it; changed by a setting and a start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT, Office, acting, show
from tradepost.surfaces.pages.site import Visit
from tradepost.wire.endpoint import RateLimit
from tradepost.wire.http_types import Response

HERE: Final = f"{ROOT}/limits"


@dataclass(frozen=True, slots=True)
class Counted:
    """A limit, the service whose calls it counts, and how many endpoints it counts together."""

    service: str
    limit: RateLimit
    endpoints: int


async def show_limits(visit: Visit) -> Response:
    """Every limit of every service."""
    async with acting(visit):
        pass  # whoever is not signed in sees none of it
    assert isinstance(visit.site, Office)
    counted: dict[tuple[str, RateLimit], int] = {}
    for api in visit.site.apis:
        for endpoint in api.endpoints:
            for limit in api.limits_of(endpoint):
                counted[api.service, limit] = counted.get((api.service, limit), 0) + 1
    found = [Counted(service, limit, count) for (service, limit), count in counted.items()]
    return show(visit, "limits.html", found=sorted(found, key=lambda one: (one.service, one.limit.group)))


PAGES: Final[Mapping[str, Mapping[str, Page]]] = {HERE: {"GET": show_limits}}
