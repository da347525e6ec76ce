"""Writes the reference out of the declarations, or tells with --check which of its files are stale.

    python tools/reference.py [--check]

The OpenAPI documents go to openapi/, the pages for people to docs/; the generation before has a page only. Examples
come from the transcripts under tests/contract/, whose path is the path of the endpoint.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support import transcripts  # noqa: E402  (found by the line above)

from tradepost.surfaces.merchant_v2 import chapters as merchant  # noqa: E402
from tradepost.surfaces.operator_v1 import chapters as operator  # noqa: E402
from tradepost.surfaces.wishpost_v2 import chapters as wishpost_v2  # noqa: E402
from tradepost.surfaces.wishpost_v3 import chapters as wishpost  # noqa: E402
from tradepost.wire.describe import Book, Chapter, OAuthPaths, openapi_text, pages  # noqa: E402
from tradepost.wire.describe.older import older_page  # noqa: E402

# Both services have their own consent page and token calls, on different ports of a local installation.
OAUTH = OAuthPaths("/v3/oauth/authorize", "/api/v3/oauth/access_token", "/api/v3/oauth/refresh_token")

ISSUED = "Whoever runs the installation issues them, with `tradepost operator token issue`."


def books() -> dict[str, Book]:
    """What is described, by the name of its files."""
    return {
        "merchant-v2": Book(merchant.api, _chapters(merchant.CHAPTERS), "http://127.0.0.1:8080", OAUTH),
        "wishpost-v3": Book(wishpost.api, _chapters(wishpost.CHAPTERS), "http://127.0.0.1:8081", OAUTH),
        "operator-v1": Book(operator.api, _chapters(operator.CHAPTERS), "http://127.0.0.1:8080", issued=ISSUED),
    }


def examples(folder: Path, prefix: str) -> dict[str, list[transcripts.Case]]:
    """The cases of all transcripts below a folder, by the path of the endpoint they belong to."""
    found = {}
    for file in sorted(folder.rglob("*.txt")):
        name = file.relative_to(folder).with_suffix("").as_posix()
        path = f"/{name}" if name.startswith("api/") else f"{prefix}/{name}"
        try:
            found[path] = transcripts.parse(file.read_text(encoding="utf-8"))
        except transcripts.TranscriptError as error:
            raise SystemExit(f"{file.relative_to(ROOT)}: {error}") from None
    return found


def reference() -> dict[Path, str]:
    """Every generated file and what belongs in it."""
    files = {}
    for name, book in books().items():
        files[ROOT / "openapi" / f"{name}.json"] = openapi_text(book)
        shown = examples(ROOT / "tests" / "contract" / name.replace("-", "_"), book.surface.prefix)
        for page, text in pages(book, shown).items():
            files[ROOT / "docs" / name / page] = text
    older = Book(wishpost_v2.api, _chapters(wishpost_v2.CHAPTERS), "http://127.0.0.1:8081", OAUTH)
    shown = examples(ROOT / "tests" / "contract" / "wishpost_v2", older.surface.prefix)
    files[ROOT / "docs" / "wishpost-v2" / "index.md"] = older_page(older, shown)
    return files


def stale(files: Mapping[Path, str]) -> list[Path]:
    """The files that do not hold what belongs in them, and those that should not be there any more."""
    differing = [file for file, text in files.items() if not file.is_file() or file.read_text("utf-8") != text]
    folders = {file.parent for file in files}
    return sorted(differing + [old for folder in folders for old in _generated(folder) if old not in files])


def write(files: Mapping[Path, str]) -> None:
    """Bring everything up to date."""
    for file in stale(files):
        if file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(files[file], encoding="utf-8")
        else:
            file.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the reference out of the declarations.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file is stale")
    arguments = parser.parse_args()
    files = reference()
    if not arguments.check:
        write(files)
        return 0
    old = stale(files)
    for file in old:
        sys.stderr.write(f"stale: {file.relative_to(ROOT)}\n")
    if old:
        sys.stderr.write("Run `python tools/reference.py` and commit what it writes.\n")
    return 1 if old else 0


def _chapters(modules: Mapping[ModuleType, str]) -> tuple[Chapter, ...]:
    return tuple(
        Chapter(module.__name__.rpartition(".")[2], title, _about(module)) for module, title in modules.items()
    )


def _about(module: ModuleType) -> str:
    """What a chapter is about: its docstring after the colon, as in "Chapter *Product*: adding them."."""
    first = " ".join((inspect.getdoc(module) or "").partition("\n\n")[0].split())
    about = first.partition(": ")[2]
    return about[:1].upper() + about[1:]


def _generated(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [file for file in folder.iterdir() if file.suffix in (".md", ".json")]


if __name__ == "__main__":
    raise SystemExit(main())
