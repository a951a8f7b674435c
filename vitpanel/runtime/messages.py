"""Bounds for what one message of a browser may become in memory."""

import base64
import binascii
import zlib
from typing import Any

from bokeh.core.serialization import DeserializationError, Deserializer

from vitpanel.runtime.patching import replace

MOST = 32 * 2**20
# What an entry of a list or dict takes at least in Python, and a buffer with what is kept about it.
ENTRY, BUFFER = 64, 1024


class MessageTooLargeError(DeserializationError):
    """A message would take more than 32 MB."""


def patch() -> None:
    """Stop unpacking the buffers of a message at 32 MB in all."""
    original = Deserializer._decode_bytes  # noqa: SLF001

    def decode(self: Any, obj: Any) -> Any:
        # One object is made for each message.
        left = getattr(self, "_vitpanel_left", MOST)
        packed = obj["data"]
        data = unpacked(packed, left) if isinstance(packed, str) else original(self, obj)
        self._vitpanel_left = left - len(data)
        if self._vitpanel_left < 0:
            raise MessageTooLargeError(_TOO_LARGE)
        return data

    replace(Deserializer, "_decode_bytes", decode)


def unpacked(text: str, most: int) -> bytes:
    """Bytes of a gzip file in base64, of which no more than ``most`` and one are ever made.

    Raises
    ------
    DeserializationError
        If there are more, or this is no such file.
    """
    unpack = zlib.decompressobj(zlib.MAX_WBITS + 16)
    try:
        data = unpack.decompress(base64.b64decode(text), most + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        message = f"a buffer cannot be unpacked: {error}"
        raise DeserializationError(message) from error
    if len(data) > most:
        raise MessageTooLargeError(_TOO_LARGE)
    if not unpack.eof:
        message = "a buffer ends too early"
        raise DeserializationError(message)
    return data


def weight(fragment: str | bytes) -> int:
    """Bytes that a piece of a message takes at most once it is read: JSON grows when its lists become Python's."""
    if isinstance(fragment, bytes):
        return len(fragment) + BUFFER
    return len(fragment) + ENTRY * sum(fragment.count(sign) for sign in ",[{")


_TOO_LARGE = f"a message unpacks to more than {MOST // 2**20} MB"
