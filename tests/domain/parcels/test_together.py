"""One guid, and many who book under it at once, on connections of their own."""

from __future__ import annotations

import pytest

from tests.support.database import Server
from tests.support.market import World
from tests.support.together import Shop
from tradepost.domain import parcels
from tradepost.domain.parcels import Parcel
from tradepost.domain.parcels.failures import GuidTaken
from tradepost.sandbox.parcels import new_parcel

CLONE = "parcels_together"


@pytest.fixture
def sender(server: Server, world: World) -> Shop:
    """A user in a copy of the market that is thrown away."""
    server.clone(CLONE)
    return Shop(server, CLONE, world.senders["lan"].account_id, parcels.act_for)


def test_whoever_is_late_is_told_the_parcel_that_was_booked(sender: Shop) -> None:
    came = sender.at_once(
        *(lambda ctx: parcels.book_parcel(ctx, new_parcel(2, guid="same-guid")) for _ in range(12))
    )
    (booked,) = (each for each in came if isinstance(each, Parcel))
    refused = [each for each in came if each is not booked]
    assert [type(each) for each in refused] == [GuidTaken] * 11
    assert {(each.guid, each.wish_id) for each in refused} == {("same-guid", booked.wish_id)}
