"""A worker and its end of the database stay on one core, told apart by the worker's number."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tradepost.worker.cores import OneCore


class Connection:
    """Only what is asked of a connection."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def get_server_pid(self) -> int:
        """The process at the other end."""
        return self._pid


@pytest.fixture
def everywhere() -> Iterator[list[int]]:
    """The cores of this process, which are its own again afterwards."""
    before = os.sched_getaffinity(0)
    yield sorted(before)
    os.sched_setaffinity(0, before)


@pytest.fixture
def other() -> Iterator[int]:
    """The pid of a process that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def test_workers_take_cores_from_the_last_one_downwards(everywhere: list[int]) -> None:
    core = OneCore(beside_database=True)
    for number in range(1, 2 * len(everywhere) + 1):
        core.settle(number)
        assert os.sched_getaffinity(0) == {(everywhere * 2)[-number]}


def test_the_other_end_comes_along(everywhere: list[int], other: int) -> None:
    core = OneCore(beside_database=True)
    core.settle(1)
    asyncio.run(core.bring(Connection(other)))
    assert os.sched_getaffinity(other) == {everywhere[-1]}


def test_an_end_that_is_gone_is_nobodys_trouble(everywhere: list[int], other: int) -> None:
    core = OneCore(beside_database=True)
    os.kill(other, 9)
    os.waitpid(other, 0)
    asyncio.run(core.bring(Connection(other)))


def test_a_database_elsewhere_changes_nothing(everywhere: list[int], other: int) -> None:
    core = OneCore(beside_database=False)
    core.settle(1)
    asyncio.run(core.bring(Connection(other)))
    assert sorted(os.sched_getaffinity(0)) == everywhere
    assert sorted(os.sched_getaffinity(other)) == everywhere
