"""A download: a file of an account's own things, made by a job; chapter *Start a Batch Product Download*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tradepost.domain.products import CatalogueFilter

MOST_PRODUCTS: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class File:
    """A file of the store as a link leads to it; `name` is what a browser calls it, `size` is in bytes."""

    key: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to: how many lines and bytes there are below this key of the store."""

    key: str
    lines: int
    size: int


def folder_of(account_id: str, job_id: str) -> str:
    """Where the store keeps everything of a download, unfinished things too."""
    return f"downloads/{account_id}/{job_id}"


def version_folder(account_id: str, job_id: str, version: int) -> str:
    """Where the store keeps one version: each try of the job has its own, so none can touch another's."""
    return f"{folder_of(account_id, job_id)}/{version}"


def key_of(account_id: str, job_id: str, version: int) -> str:
    """The key of one version of the file."""
    return f"{version_folder(account_id, job_id, version)}/products.csv"


def to_arguments(wanted: CatalogueFilter) -> dict[str, Any]:
    """What is wanted, as a job keeps it."""
    return {
        "since": wanted.since.isoformat() if wanted.since else None,
        "limit": wanted.limit,
        "descending": wanted.descending,
        "show_rejected": wanted.show_rejected,
        "warehouse": wanted.warehouse,
    }


def from_arguments(arguments: Mapping[str, Any]) -> CatalogueFilter:
    """What is wanted, out of what a job keeps."""
    since = arguments["since"]
    return CatalogueFilter(**{**arguments, "since": datetime.fromisoformat(since) if since else None})
