"""Where the embedded PostgreSQL lives: the account that runs it and the folders it keeps.

PostgreSQL refuses to run as root, so for root a system account is made and everything the server needs is put
where that account can go, without ever changing the mode of a folder that was there before. This module
decides and prepares; it does not know whether a server runs and it starts none (that is `embedded`).

A home looks like this (the data folder itself, or a folder below /var/lib/tradepost when the account cannot
enter it):

    cluster/      PostgreSQL's own files            server.log   what the server said binaries/     only for
    root: a readable copy    *.lock       empty files that carry locks, and therefore stay
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM_ACCOUNT = "tradepost-db"
SYSTEM_AREA = Path("/var/lib/tradepost")
SYSTEM_RUN = Path("/run/tradepost")
WAY_OUT = "or set TRADEPOST_DATABASE_URL to use a PostgreSQL that runs elsewhere"

# Nothing is inherited: a stray PGPORT or PGDATA must not steer the server, and our secrets are none of its
# business.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}

# In the data folder when the cluster is elsewhere; without it a lost cluster would silently be replaced by an
# empty one.
_POINTER = "cluster-is-in.txt"

_log = logging.getLogger(__name__)


class EmbeddedPostgresError(Exception):
    """The embedded database cannot do what was asked. The message is for a person and says what to do."""


@dataclass(frozen=True)
class Account:
    """The operating system account that owns a cluster and runs its server."""

    name: str
    uid: int
    gid: int

    @property
    def user(self) -> int | None:
        """The uid a new process has to change to, or None if it is ours already."""
        return None if self.uid == os.geteuid() else self.uid

    @property
    def group(self) -> int | None:
        """The gid a new process has to change to, or None if we are that account already."""
        return None if self.user is None else self.gid

    @property
    def extra_groups(self) -> list[int] | None:
        """No supplementary group of ours goes along when the account changes."""
        return None if self.user is None else []

    def run(self, argv: Sequence[str], pass_fds: Sequence[int] = ()) -> subprocess.CompletedProcess[str]:
        """Run a short program as this account; raises OSError if it cannot be executed."""
        return subprocess.run(
            argv, user=self.user, group=self.group, extra_groups=self.extra_groups, env=ENVIRONMENT, cwd="/",
            umask=0o077, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            check=False, pass_fds=pass_fds,
        )  # fmt: skip

    def can_enter(self, folder: Path) -> bool:
        """Whether this account can use paths below `folder`; tried, as mode bits are not the whole truth."""
        command = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]
        return self.user is None or self.run(command).returncode == 0

    def own(self, path: Path) -> None:
        """Give a path that we have just made to this account."""
        if self.user is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def account_by_uid(uid: int) -> Account:
    """The account with this uid; raises EmbeddedPostgresError if the system has no name for it."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedPostgresError(
            f"The user id {uid} has no entry in the system's user database, and PostgreSQL refuses to run "
            f"without one. Run as a named user, {WAY_OUT}."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def system_account() -> Account:
    """The account that runs the database for root; made when it is missing."""
    try:
        return account_by_uid(pwd.getpwnam(SYSTEM_ACCOUNT).pw_uid)
    except KeyError:
        _log.warning("making the system account %s, because PostgreSQL does not run as root", SYSTEM_ACCOUNT)
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
               "--shell", "/usr/sbin/nologin", SYSTEM_ACCOUNT]  # fmt: skip
    try:
        complaint = account_by_uid(0).run(command).stderr.strip()
    except OSError as error:
        complaint = str(error)
    try:
        # Looked up even after a complaint: another process may have been faster.
        return account_by_uid(pwd.getpwnam(SYSTEM_ACCOUNT).pw_uid)
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root, and the account {SYSTEM_ACCOUNT} could not be made "
            f"({complaint}). Make it by hand, run as another user, {WAY_OUT}."
        ) from None


@dataclass(frozen=True)
class Home:
    """The folder of one cluster, who runs it, and the private folder of its socket."""

    folder: Path
    account: Account
    sockets: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "cluster"

    @property
    def log(self) -> Path:
        """The file that takes everything the server prints."""
        return self.folder / "server.log"


def find_home(data: Path) -> Home | None:
    """The home of the cluster that belongs to a data folder, or None if there is no cluster yet.

    Raises EmbeddedPostgresError if there should be one and it is gone, or if it belongs to somebody else.
    """
    if (data / "cluster").is_dir():
        return _home_of_cluster(data, data)
    pointer = data / _POINTER
    if not pointer.exists():
        return None
    folder = Path(pointer.read_text().strip())
    if not (folder / "cluster").is_dir():
        raise EmbeddedPostgresError(
            f"The database of {data} was kept in {folder}, and it is not there any more. Bring it back, or "
            f"delete {pointer} to begin with an empty database."
        )
    return _home_of_cluster(data, folder)


def choose_home(data: Path) -> Home:
    """The home of a data folder, decided now if there is no cluster yet; the caller holds the start lock."""
    home = find_home(data)
    if home is not None:
        return home
    account = system_account() if os.geteuid() == 0 else account_by_uid(os.geteuid())
    if account.can_enter(data):
        return Home(data, account, _socket_folder(data, account))
    folder = SYSTEM_AREA / short_hash(str(data))
    _log.warning("the account %s cannot enter %s, so the database is kept in %s", account.name, data, folder)
    if (folder / "cluster").is_dir():
        return _home_of_cluster(data, folder)
    open_folder(SYSTEM_AREA)
    open_folder(folder)
    return Home(folder, account, _socket_folder(data, account))


def _home_of_cluster(data: Path, folder: Path) -> Home:
    """A cluster is run by its owner for ever; PostgreSQL accepts nobody else."""
    owner = (folder / "cluster").stat().st_uid
    if owner == 0:
        raise EmbeddedPostgresError(
            f"{folder / 'cluster'} belongs to root, and PostgreSQL does not run as root. Give the folder and "
            "everything in it to the account that is to run the database (for root: chown -R "
            f"{SYSTEM_ACCOUNT})."
        )
    account = account_by_uid(owner)
    if os.geteuid() not in (0, owner):
        raise EmbeddedPostgresError(
            f"The database in {folder} belongs to the account {account.name}. Run as {account.name} or as "
            f"root, use another data folder, {WAY_OUT}."
        )
    return Home(folder, account, _socket_folder(data, account))


def _socket_folder(data: Path, account: Account) -> Path:
    """Every process must come to the same answer from the path and the owner, whatever its environment."""
    name = short_hash(f"{data}\0{account.uid}")
    return SYSTEM_RUN / name if account.name == SYSTEM_ACCOUNT else Path("/tmp") / f"tradepost-{name}"


def prepare_sockets(home: Home) -> None:
    """Make the socket folder, or check that the one found is private: who gets in is database superuser.

    Raises EmbeddedPostgresError if it is a link, belongs to another account or is open to others.
    """
    folder, account = home.sockets, home.account
    if folder.parent == SYSTEM_RUN:
        open_folder(SYSTEM_RUN)
    parent = folder.parent.stat()
    if parent.st_mode & 0o022 and not parent.st_mode & stat.S_ISVTX:
        raise EmbeddedPostgresError(
            f"Anybody may rename things in {folder.parent}. Give it its sticky bit (chmod +t)."
        )
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except FileExistsError:
        found = folder.lstat()
        # Root finds its own folder when it was killed between the two lines above; only root can have made
        # that.
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            account.own(folder)
            found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
        if not private or found.st_uid != account.uid:
            raise EmbeddedPostgresError(
                f"{folder} is not a private folder of the account {account.name} (mode 0700, no link). "
                "Somebody else put it there or changed it; look at it and remove it."
            ) from None


def clear_sockets(home: Home, *, folder_too: bool) -> None:
    """Remove the socket of a server that is known to be gone, and with `folder_too` its folder."""
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (home.sockets / name).unlink(missing_ok=True)
    if folder_too:
        with contextlib.suppress(OSError):  # there is none, or somebody keeps things in it
            home.sockets.rmdir()


def remember_home(data: Path, home: Home) -> None:
    """Note in the data folder where its cluster is, if that is somewhere else."""
    if home.folder != data:
        (data / _POINTER).write_text(f"{home.folder}\n")


def short_hash(text: str) -> str:
    """Sixteen characters that stand for a longer text, a path as a rule."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def open_folder(folder: Path) -> None:
    """Make a folder that other accounts can enter; one that exists is left as it is."""
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(0o755)  # ours since a moment ago, so this undoes nothing but a narrow umask


def lock_file(path: Path) -> int | None:
    """An exclusive lock, held until all copies of the returned descriptor are closed; None if taken."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_private(path: str, flags: int) -> int:
    """Opens for `open`: failed statements stand in the log, and they hold what merchants and buyers wrote."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
