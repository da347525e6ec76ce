"""Where the services of a data folder are, for verbs that are asked elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

from tradepost.settings import Settings


def remember_addresses(settings: Settings, urls: dict[str, str]) -> Path:
    """Note where the services are, for `tradepost sandbox credentials`."""
    file = settings.data / "serving.json"
    file.write_text(json.dumps(urls), encoding="utf-8")
    return file


def known_addresses(settings: Settings) -> dict[str, str]:
    """Where the services are or, when none runs, will be."""
    file = settings.data / "serving.json"
    if file.exists():
        found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        return found
    return {
        "merchant": f"http://{settings.host}:{settings.port}",
        "wishpost": f"http://{settings.host}:{settings.wishpost_port}",
    }
