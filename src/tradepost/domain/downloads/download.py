"""A download: a file of an account's own things, made by a job; chapter *Start a Batch Product Download*.

The kind of the job says of what; `sources` knows the kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRODUCTS: Final = "product_download"
ORDERS: Final = "order_download"


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
