"""`python -m bench [--quick]`: measures, prints a table and writes the figures to bench/results/."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench import batch, load, pictures, rounds
from bench.catalogue import fill_one
from bench.installation import Installation, bare_beside, installed, second_worker, started
from bench.load import Sample
from bench.rounds import Compared

RESULTS = Path(__file__).parent / "results"
FLOOR = 0.5
CEILING = 1.3
MEASURED = 100_000
SIZES = {"product": "one product", "list": "100 products"}

LINES = {"bare": "", "gated": "+ gate", "sized": "+ bytes"}
"""What the program is compared with, as it is printed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a run takes: rounds, seconds a run, and the catalogues whose reads are compared."""

    rounds: int
    seconds: int
    sizes: tuple[int, ...]
    batch_variations: int


FULL = Plan(rounds=5, seconds=3, sizes=(1_000, MEASURED, 1_000_000), batch_variations=1_000_000)
QUICK = Plan(rounds=3, seconds=1, sizes=(1_000, MEASURED), batch_variations=100_000)


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a first look in about a minute, without the million")
    plan = QUICK if parser.parse_args().quick else FULL
    print(f"Load by {load.generator()}; {os.cpu_count()} cores; {plan.rounds} rounds of {plan.seconds} s.")
    with ExitStack() as stack:
        measured = _install(stack, MEASURED)
        compared = _compare(measured, plan)
        others = {size: _install(stack, size) for size in plan.sizes if size != MEASURED}
        installations = [measured if size == MEASURED else others[size] for size in plan.sizes]
        growth = {kind: _grow(installations, kind, plan) for kind in SIZES}
    batches = _batches(plan)
    file = _write(plan, compared, growth, batches)
    print(f"\nWritten to {file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}.")


def _install(stack: ExitStack, variations: int) -> Installation:
    print(f"Building a catalogue of {variations:,} variations ...", flush=True)
    installation = stack.enter_context(installed(variations))
    rounds.check(installation)
    return installation


def _compare(measured: Installation, plan: Plan) -> list[Compared]:
    print(f"\n{MEASURED:,} variations, {rounds.CONNECTIONS} connections: the program and the bare limit (the same")
    print(
        "SQL without the gate's statement; `+ gate` is the same with it, `+ bytes` that with an answer of the same"
    )
    print("length). Median of the rounds [least-most].\n")
    head = ("", "", "program", "bare", "ratio", "", "p99 ms", "p99 ms")
    print("{:<42}{:>8}{:>10}{:>10}{:>9}{:>14}{:>10}{:>9}".format(*head))
    print(
        "{:<42}{:>8}{:>10}{:>10}{:>9}{:>14}{:>10}{:>9}".format("", "", "req/s", "req/s", "", "", "program", "bare")
    )
    compared = []
    with bare_beside(measured) as bare_host:
        for case in rounds.cases(measured.catalogue):
            result = rounds.compare(measured, bare_host, case, plan.rounds, plan.seconds)
            compared.append(result)
            for who in LINES:
                print(_line(result, who), flush=True)
    return compared


def _line(result: Compared, who: str) -> str:
    ratios = result.ratios(who)
    middle = statistics.median(ratios)
    name = result.name if who == "bare" else ""
    return (
        f"{name:<42}{LINES[who]:>8}"
        f"{result.median('program', _rate):>10,.0f}{result.median(who, _rate):>10,.0f}"
        f"{middle:>9.2f}{f'[{min(ratios):.2f}-{max(ratios):.2f}]':>14}"
        f"{result.median('program', _p99):>10.1f}{result.median(who, _p99):>9.1f}"
        f"{'' if middle >= FLOOR else f'  below {FLOOR}'}"
    )


def _rate(sample: Sample) -> float:
    return sample.rate


def _p99(sample: Sample) -> float:
    return sample.p99_ms


def _grow(installations: Sequence[Installation], kind: str, plan: Plan) -> dict[int, list[float]]:
    if kind == "product":
        print("\nWhat one caller waits for a read, by the size of the catalogue; ratio to the smallest.\n")
    waited = rounds.milliseconds_per_read(installations, kind, plan.rounds, plan.seconds)
    for installation, times in zip(installations, waited, strict=True):
        pairs = [time / least for time, least in zip(times, waited[0], strict=True)]
        ratio = statistics.median(pairs)
        print(
            f"{SIZES[kind]:<16}{installation.catalogue.variations:>12,} variations"
            f"{statistics.median(times):>10.2f} ms{ratio:>8.2f}{f'[{min(pairs):.2f}-{max(pairs):.2f}]':>14}"
            f"{'' if ratio <= CEILING else f'  above {CEILING}'}",
            flush=True,
        )
    sizes = (installation.catalogue.variations for installation in installations)
    return dict(zip(sizes, waited, strict=True))


def _batches(plan: Plan) -> dict[str, Any]:
    """Bulk updates, downloads and uploads with two workers, and what another merchant waits for meanwhile."""
    print(f"\nBuilding a shop of {plan.batch_variations:,} variations ...", flush=True)
    with started() as program:
        large, small = asyncio.run(fill_one(program.settings, plan.batch_variations))
        with second_worker(program):
            print(
                "\nBatch jobs from request to FINISHED, two workers; bare is UPDATE … FROM, and psql's COPY … TO.\n"
            )
            head = ("", "rows/s", "bare", "ratio", "", "worker MiB")
            print("{:<46}{:>12}{:>12}{:>8}{:>14}{:>12}".format(*head))
            results = []
            for run in (
                partial(batch.bulk, program, large, plan.rounds, shuffled=False),
                partial(batch.bulk, program, large, plan.rounds, shuffled=True),
                partial(batch.downloads, program, large, plan.rounds),
            ):
                results.append(run())
                print(batch.told(results[-1]), flush=True)
            quiet, busy = batch.neighbour(program, large, small, plan.seconds * 4)
            print(
                f"\nAnother merchant's reads, {batch.READS_PER_SECOND} a second: p99 {quiet.p99_ms:.1f} ms in "
                f"quiet, {busy.p99_ms:.1f} ms beside bulk updates, {busy.p99_ms / quiet.p99_ms:.1f} times as much."
            )
            uploads = pictures.upload_neighbour(program, large, small, plan.rounds, plan.seconds * 2)
            print(pictures.told(uploads), flush=True)
    return {
        "jobs": [asdict(result) | {"ratios": result.ratios()} for result in results],
        "neighbour": {"quiet": asdict(quiet), "busy": asdict(busy)},
        "uploads": asdict(uploads) | {"ratios": uploads.ratios()},
    }


def _write(
    plan: Plan, compared: list[Compared], growth: dict[str, dict[int, list[float]]], batches: dict[str, Any]
) -> Path:
    now = datetime.now(UTC)
    told: dict[str, Any] = {
        "at": now.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_by": load.generator(),
        "plan": asdict(plan),
        "cases": {
            result.case: {
                "samples": {who: [asdict(sample) for sample in samples] for who, samples in result.samples.items()},
                "ratio": {who: statistics.median(result.ratios(who)) for who in LINES},
            }
            for result in compared
        },
        "milliseconds_per_read": growth,
        "batch": batches,
    }
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return file


if __name__ == "__main__":
    main()
