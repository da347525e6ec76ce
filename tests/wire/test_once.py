"""Calls with a key at the gate: what is kept is committed with what is done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.test_endpoint import surface as surface  # a fixture
from tests.wire.test_gate import OpenDoor, ask, handler
from tradepost.domain.products.failures import SkuTaken
from tradepost.wire.endpoint import Surface


@pytest.fixture
def keyed(surface: Surface) -> Surface:
    """A surface whose writes can be done once."""
    surface.key_failures = (SkuTaken,)
    return surface


def count(calls: list[int]) -> Any:
    """An endpoint that counts its calls."""

    async def add(ctx: Any) -> int:
        """Add one."""
        calls.append(1)
        return len(calls)

    return add


def test_the_second_call_is_answered_like_the_first(keyed: Surface) -> None:
    calls: list[int] = []
    keyed.write("/thing")(count(calls))
    door = OpenDoor()
    first, again = (ask(keyed, door, headers={"idempotency-key": "k"}) for _ in range(2))
    assert (calls, first.body) == ([1], again.body)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert door.ended == ["committed", "committed"]


def test_without_a_key_and_for_reads_nothing_is_kept(keyed: Surface) -> None:
    calls: list[int] = []
    keyed.write("/thing")(count(calls))
    keyed.read("/other")(count(calls))
    door = OpenDoor()
    for path, headers in (("/thing", {}), ("/thing", {}), ("/other", {"idempotency-key": "k"})):
        assert ask(keyed, door, f"/api/v0{path}", headers=headers).status == 200
    assert (len(calls), door.kept) == (3, {})


@pytest.mark.parametrize("raising", [SkuTaken(name="sku", sku="x"), ValueError()])
def test_what_fails_is_rolled_back_with_its_key(keyed: Surface, raising: Exception) -> None:
    keyed.write("/thing", fails=[SkuTaken])(handler(raising))
    door = OpenDoor()
    assert ask(keyed, door, headers={"idempotency-key": "k"}).status in (400, 500)
    assert door.ended == ["rolled back"]
    assert door.kept["k"][1] is None, "no answer was kept"


def test_a_surface_without_keys_ignores_them(surface: Surface) -> None:
    calls: list[int] = []
    surface.write("/thing")(count(calls))
    door = OpenDoor()
    for _ in range(2):
        ask(surface, door, headers={"idempotency-key": "k"})
    assert len(calls) == 2
