"""An answer as tests look at it, whether it came over a socket or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came back, complete; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def filled(self) -> Answer:
        """A success that is told by its status alone (204) as an empty answer, any other as it is."""
        if self.status != 204:
            return self
        assert self.body == b""
        assert not {"content-type", "content-length"} & self.headers.keys()
        return Answer(200, self.headers, b'{"message":"","code":0,"data":{}}')

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> int:
        """The code in the envelope."""
        return int(self.json["code"])

    @property
    def data(self) -> Any:
        """What is in the envelope."""
        return self.json["data"]
