"""Chapter *Upload a Temporary Image*, and how pictures are named in other calls."""

from __future__ import annotations

import binascii
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, TypeVar

from msgspec import Struct

from tradepost.domain import pictures
from tradepost.domain.context import MerchantCtx
from tradepost.domain.pictures import FOLDER, MOST_BYTES, PictureExpired, PictureUnknown
from tradepost.domain.pictures import failures as f
from tradepost.surfaces.merchant_v2.failures import (
    ImageTooLarge,
    ImageUnreachable,
    NewImageUnreachable,
    NotBase64,
)
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.values import NOT_GIVEN
from tradepost.wire.endpoint import MIB
from tradepost.wire.http_types import BaseUrl
from tradepost.wire.params import Doc

MOST_UPLOAD: Final = MOST_BYTES["upload"]
_LINE_ENDS: Final = b"\r\n"

_Attributes = TypeVar("_Attributes")


@dataclass(frozen=True, slots=True)
class Base64:
    """Bytes in base64, of at most `most` bytes, decoded while they arrive.

    The standard alphabet with its padding; line ends may stand in it, nothing else.
    """

    most: int
    takes_empty: ClassVar[bool] = False
    takes_json: ClassVar[bool] = False
    rests: ClassVar[bool] = True

    def collector(self, name: str) -> _Decoder:
        """Decodes the bytes of one call."""
        return _Decoder(self.most)

    def read(self, name: str, text: str) -> bytes:
        decoder = self.collector(name)
        decoder.feed(text.encode("utf-8"))
        return decoder.finish()

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "contentEncoding": "base64"}


class _Decoder:
    """Decodes one value; what does not fill four characters yet waits for the rest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found = bytearray()
        self._held = b""
        self._is_padded = False

    def feed(self, data: bytes) -> None:
        """The next bytes; raises the first fact that is wrong with them."""
        data = self._held + data.translate(None, _LINE_ENDS)
        whole = len(data) - len(data) % 4
        self._held = data[whole:]
        if not whole:
            return
        if self._is_padded:
            raise NotBase64
        # The library lets padding stand where there is nothing to pad.
        if data.find(b"=", 0, whole) not in (-1, whole - 1, whole - 2):
            raise NotBase64
        try:
            self._found += binascii.a2b_base64(data[:whole], strict_mode=True)
        except binascii.Error:
            raise NotBase64 from None
        self._is_padded = data[whole - 1 : whole] == b"="
        if len(self._found) > self._most:
            raise ImageTooLarge(limit=self._most >> 20)

    def finish(self) -> bytes:
        """The bytes; raises the fact that is wrong with them."""
        if self._held or not self._found:
            raise NotBase64
        return bytes(self._found)


class UploadedImage(Struct):
    """Where an uploaded image is. `url` can be given wherever a picture is named."""

    url: str


@api.write(
    "/image",
    fails=[NotBase64, ImageTooLarge, f.PictureUnreadable, f.PictureTooSmall, f.PictureTooLarge],
    body_limit=8 * MIB,
    one_statement=True,
    heavy=True,
)
async def upload_image(
    ctx: MerchantCtx,
    *,
    image: Annotated[
        bytes,
        Base64(MOST_UPLOAD),
        Doc(
            "A JPG picture in base64, at most 5 MB, at least 100 x 100 pixels. In a form it has to be URL-encoded."
        ),
    ],
    base_url: BaseUrl,
) -> UploadedImage:
    """Upload a temporary image.

    The answer has its URL, which can be given as `main_image` and the like. The image is kept for two weeks, and
    pictures that were made of it for good.
    """
    return UploadedImage(base_url + await pictures.upload_picture(ctx, image))


# -- pictures in other calls


def own_paths(attributes: _Attributes, base_url: str) -> _Attributes:
    """The same with paths in place of URLs that lead to pictures of ours."""
    changes: dict[str, Any] = {}
    for name in ("main_image", "clean_image", "demo_video_asset_url", "extra_images"):
        value = getattr(attributes, name, NOT_GIVEN)
        if isinstance(value, str):
            changes[name] = _own_path(value, base_url)
        elif isinstance(value, tuple):
            changes[name] = tuple(_own_path(url, base_url) for url in value)
    return dataclasses.replace(attributes, **changes)  # type: ignore[type-var]


def _own_path(url: str, base_url: str) -> str:
    return url.removeprefix(base_url) if url.startswith(base_url + FOLDER) else url


@contextmanager
def naming(
    base_url: str, unreachable: type[ImageUnreachable | NewImageUnreachable] = ImageUnreachable
) -> Iterator[None]:
    """Tell what is wrong with pictures that are named, by the URLs that the caller gave."""
    try:
        yield
    except PictureUnknown as unknown:
        raise unreachable(url=base_url + unknown.url) from None
    except PictureExpired as expired:
        raise PictureExpired(url=base_url + expired.url, days=expired.days) from None
