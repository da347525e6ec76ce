"""Every transcript tells what really happens, and every endpoint has one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.transcripts import FOLDER, files, load, play
from tests.support.calls import SURFACES
from tests.support.market import Market
from tradepost.surfaces.wishpost_v2.chapters import api as wishpost_v2
from tradepost.wire.refusals import MethodNotAllowed, PathUnknown


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(FOLDER).with_suffix("")))
def test_transcript(market: Market, file: Path) -> None:
    """The cases of one file play one after the other in one market."""
    for case in load(file):
        came = play(market, case)
        told = " ".join(case.comments)
        assert came.status == case.status, f"{told}: {came.answer}"
        assert came.answer == case.answer, (
            f"{told}; `make accept` rewrites the answers if this is what it should be"
        )


def test_every_endpoint_has_a_transcript() -> None:
    """An endpoint without an example is half documented; there is no list of exceptions."""
    shown = {
        (case.method, endpoint_path(case.method, case.target.partition("?")[0]))
        for file in files()
        for case in load(file)
        if case.status in (200, 204)
    }
    for surface in (*SURFACES.values(), wishpost_v2):
        missing = [e.path for e in surface.endpoints if not {(method, e.path) for method in e.methods} & shown]
        assert not missing


def endpoint_path(method: str, path: str) -> str:
    """The path as it is declared, where what stands at its end fills a blank."""
    for surface in SURFACES.values():
        with suppress(PathUnknown, MethodNotAllowed):
            found = surface.find(method, path)
            if found.blank:
                return found.path
    return path
