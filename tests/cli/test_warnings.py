"""What a verb warns of never gets into what it prints, which programs read."""

from __future__ import annotations

import pytest
import structlog
import typer

from tradepost.surfaces.cli.processes import run


def test_warnings_stand_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs = typer.Typer()

    @verbs.command()
    def verb() -> None:
        structlog.get_logger("tradepost.verb").warning("workers are still busy", workers=2)
        print("done")

    monkeypatch.setattr("sys.argv", ["tradepost"])
    try:
        with pytest.raises(SystemExit):
            run(verbs)
    finally:
        structlog.reset_defaults()
    printed, complained = capsys.readouterr()
    assert printed == "done\n"
    assert "workers are still busy" in complained
