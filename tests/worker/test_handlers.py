"""What the halves of a download leave behind in the store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.database import once
from tests.support.s3 import running_s3
from tradepost.domain import downloads
from tradepost.domain.downloads import Exported
from tradepost.domain.jobs import Job
from tradepost.storage.files import FileStore
from tradepost.storage.files_local import LocalFiles
from tradepost.worker.handlers import ProductDownloads

NOW = datetime(2021, 5, 19, tzinfo=UTC)
ACCOUNT, JOB = "a" * 24, "b" * 24


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_whoever_lost_a_job_takes_his_file_away_and_no_other(kind: str, tmp_path: Path) -> None:
    if kind == "folder":
        once(lambda: _lose(LocalFiles(tmp_path)))
        return
    with running_s3() as service:
        once(lambda: _lose(service.files("lost")))


async def _lose(files: FileStore) -> None:
    nowhere: Any = None
    keys = [downloads.key_of(ACCOUNT, JOB, version, downloads.PRODUCTS) for version in (1, 2)]
    for key in keys:
        async with files.writing(key) as writer:
            await writer.write(b"Product ID")
    late = Job(ACCOUNT, JOB, downloads.PRODUCTS, "lane", {}, NOW, NOW, fence=1)
    await ProductDownloads(nowhere, files, "").dropped(late, Exported(keys[0], 0, 10))
    assert [await files.size(key) for key in keys] == [None, 10]
