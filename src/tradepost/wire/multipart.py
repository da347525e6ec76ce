"""multipart/form-data, read while it arrives."""

from __future__ import annotations

from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser as _Library
from python_multipart.multipart import parse_options_header

from tradepost.wire import refusals
from tradepost.wire.collecting import BodyFields
from tradepost.wire.urlencoded import MOST_FIELDS


class MultipartParser:
    """Takes a body in pieces and hands its parts on as fields."""

    def __init__(self, boundary: bytes, fields: BodyFields) -> None:
        """Raises BodyMalformed for a boundary that is none."""
        if not boundary:
            raise refusals.BodyMalformed
        self._fields = fields
        self._count = 0
        self._complete = False
        self._header = b""
        self._header_value = b""
        self._name = ""
        try:
            self._library = _Library(boundary, self._callbacks())  # type: ignore[arg-type]
        except FormParserError:
            raise refusals.BodyMalformed from None

    def feed(self, data: bytes) -> None:
        """The next bytes of the body; raises BodyMalformed, TooManyFields or FieldsTooLarge."""
        try:
            self._library.write(data)
        except FormParserError:
            raise refusals.BodyMalformed from None

    def finish(self) -> None:
        """The body is complete; raises BodyMalformed where its last part is not."""
        try:
            self._library.finalize()
        except FormParserError:
            raise refusals.BodyMalformed from None
        if not self._complete:
            raise refusals.BodyMalformed

    def _callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin_part,
            "on_part_data": lambda data, start, end: self._fields.add(data[start:end]),
            "on_part_end": self._fields.end,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_field,
            "on_end": self._finish,
        }

    def _begin_part(self) -> None:
        self._count += 1
        if self._count > MOST_FIELDS:
            raise refusals.TooManyFields(limit=MOST_FIELDS)
        self._name = ""

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._header_value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._header = self._header_value = b""

    def _begin_field(self) -> None:
        self._fields.keep(len(self._name))
        self._fields.begin(self._name)

    def _finish(self) -> None:
        self._complete = True
