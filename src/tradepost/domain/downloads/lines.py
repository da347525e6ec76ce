"""The lines of a CSV stream: their ends as RFC 4180 wants them, and how many there are.

The database ends lines with LF alone. An LF inside quotes belongs to a text and stays; a quote inside a text is
doubled, so the number of quotes so far tells where a piece begins.
"""

from __future__ import annotations


class Lines:
    """Goes over the pieces of one stream in order."""

    def __init__(self) -> None:
        self.count = 0
        """The lines that have ended so far, the header among them."""
        self._quoted = False

    def end(self, piece: bytes) -> bytes:
        """The piece with its lines ended by CR LF."""
        parts = piece.split(b'"')
        first_outside = 1 if self._quoted else 0
        for at in range(first_outside, len(parts), 2):
            if ends := parts[at].count(b"\n"):
                self.count += ends
                parts[at] = parts[at].replace(b"\n", b"\r\n")
        if len(parts) % 2 == 0:
            self._quoted = not self._quoted
        return b'"'.join(parts)
