"""The autopilot of a whole sandbox: what it makes follows from seed and clock, whatever is killed meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from tests.support.program import Client, Program, kill, serving, wait_until
from tests.support.sandbox import asked, control, read

AT = "2021-05-19T16:37:00Z"
BEATS = 60
"""In an hour at 60 an hour; fewer than are made up for."""
LISTS = (
    "order/multi-get?limit=100",
    "ticket/get-action-required?limit=50",
    "noti/fetch-unviewed?limit=50",
    "product/multi-get?limit=50",
)


@pytest.fixture(scope="module")
def running() -> Iterator[Program]:
    """A sandbox that is begun anew as often as wanted."""
    with serving(link_keys='["the same key of links on every installation"]') as found:
        yield found


@pytest.fixture
def client(running: Program) -> Iterator[Client]:
    """Somebody without a token of his own."""
    with Client(running.merchant, timeout=90) as opened:
        yield opened


def begin(client: Client, seed: str = "demo") -> None:
    """The world from its beginning, at rest."""
    control(client, "reset", seed=seed, at=AT)
    assert control(client, "settle")["settled"]


def answers(running: Program, client: Client) -> list[bytes]:
    """What every shop of the cast reads."""
    shops = running.credentials()["merchants"]
    return [client.get(f"/api/v2/{path}", token=shop["access_token"]).body for shop in shops for path in LISTS]


def states(running: Program, client: Client) -> list[tuple[str, str, str | None]]:
    """Every order of every shop: its id, its state, and whether a carrier has seen its parcel."""
    listed = [
        one["Order"]
        for shop in running.credentials()["merchants"]
        for one in client.get("/api/v2/order/multi-get?limit=100", token=shop["access_token"]).data
    ]
    return [(order["order_id"], order["state"], order.get("tracking_confirmed")) for order in listed]


def ship_half(running: Program, client: Client) -> int:
    """Every shop sends off every other order of its first page; gives how many."""
    count = 0
    for shop in running.credentials()["merchants"]:
        token = shop["access_token"]
        for listed in client.get("/api/v2/order/get-fulfill?limit=100", token=token).data[::2]:
            order = listed["Order"]["order_id"]
            form = {"id": order, "tracking_provider": "UPS", "tracking_number": f"1Z{order[:16]}"}
            count += client.post("/api/v2/order/fulfill-one", form, token=token).status == 200
    return count


def _kill_in_a_beat(running: Program, client: Client, source: random.Random) -> None:
    """Kill the worker while it is at work on beats, and wait for the next one."""

    def beats() -> int:
        return int(read(client, "autopilot")["beats"])

    wait_until(lambda: running.worker_pid() is not None, what="a worker")
    before = beats()
    wait_until(lambda: beats() > before, what="a beat")
    time.sleep(source.uniform(0.0, 0.05))  # the moment of a kill must be anybody's guess
    victim = running.worker_pid()
    assert victim is not None
    kill(victim)
    wait_until(lambda: running.worker_pid() not in (None, victim), what="another worker")


def live(running: Program, client: Client, kills: int = 0) -> list[bytes]:
    """An hour of a world, in which workers are killed at any moment; what is read in the end."""
    begin(client)
    control(client, "autopilot", on=True, pace=60)
    control(client, "settle")
    control(client, "clock", move="+1h")
    source = random.Random(kills)
    for _ in range(kills):
        _kill_in_a_beat(running, client, source)
    assert control(client, "settle", seconds=120)["settled"]
    found = read(client, "autopilot")
    assert (found["on"], found["beats"]) == (True, BEATS + 1)
    return answers(running, client)


def test_two_runs_are_equal_byte_for_byte_even_where_workers_are_killed(running: Program, client: Client) -> None:
    """A worker that is killed in the middle of a beat leaves nothing of it; another does it from its beginning."""
    first = live(running, client)
    assert live(running, client) == first
    assert live(running, client, kills=3) == first


def test_a_beat_that_is_over_before_it_came_about_is_missing_after_a_kill() -> None:
    with serving(spoiled="beat_apart") as running, Client(running.merchant, timeout=90) as client:
        whole = live(running, client)
        assert live(running, client, kills=8) != whole  # one in eight meets no beat


def test_a_world_that_goes_on(running: Program, client: Client) -> None:
    """Off it stands still; on it brings orders at once and, as time goes on, scans what was shipped."""
    begin(client)
    before = states(running, client)
    assert read(client, "autopilot")["on"] is False
    control(client, "clock", move="+1h")
    control(client, "settle")
    assert states(running, client) == before
    told = running.told("sandbox", "autopilot", "on", "--pace", "30")
    assert "pace   30" in told
    assert "seed   demo" in told
    control(client, "clock", move="+1h")
    control(client, "settle")
    assert read(client, "autopilot")["beats"] == 31
    assert ship_half(running, client) > 10
    control(client, "autopilot", on=True, pace=1)
    control(client, "clock", move="+2d")
    control(client, "settle")
    assert "beats  " in running.told("sandbox", "autopilot", "off")
    stopped = states(running, client)
    assert {state for _, state, _ in stopped} >= {"APPROVED", "SHIPPED"}
    assert "True" in {confirmed for _, _, confirmed in stopped}
    control(client, "clock", move="+1h")
    control(client, "settle")
    assert states(running, client) == stopped
    assert "on     false" in running.told("sandbox", "autopilot")


def test_a_reset_and_a_snapshot_take_it_along(running: Program, client: Client) -> None:
    begin(client)
    control(client, "autopilot", on=True, pace=60, seed="own")
    control(client, "clock", move="+10m")
    control(client, "settle")
    kept = read(client, "autopilot")
    control(client, "snapshot", name="flying")
    control(client, "clock", move="+30m")
    control(client, "settle")
    later = answers(running, client)
    begin(client)
    assert read(client, "autopilot") == {"on": False, "pace": None, "seed": None, "beats": 0, "next": None}
    control(client, "restore", name="flying")
    assert read(client, "autopilot") == kept
    control(client, "clock", move="+30m")
    control(client, "settle")
    assert answers(running, client) == later


@pytest.mark.parametrize("more", [{"on": 1}, {"pace": 0}, {"pace": 3601}, {"seed": "a b"}, {"speed": 1}])
def test_what_is_refused(client: Client, more: dict[str, object]) -> None:
    assert asked(client, "autopilot", **({"on": True} | more)).status == 400


def test_the_command_line_says_what_it_takes(running: Program) -> None:
    assert "on, off, show" in running.run("sandbox", "autopilot", "fly").stderr
    assert running.run("sandbox", "autopilot", "on", "--pace", "0").returncode != 0
