"""From the bytes of an image file to pixels of 8 bits, or a refusal with its reason."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vitpanel.errors import BadImageError

# By content, whatever the ending. Pillow's other formats are seldom seen, seldom fuzzed, or run programs (EPS).
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MAX_PIXELS = 100_000_000
# Words for what a person should know of an image that was taken.
SEVERAL_FRAMES = "several frames"
TURNED = "turned"
SCALED = "scaled"
DARK = "dark"
# Values that are all in this share of their range give at most 16 of the 256 grey levels.
DARK_SHARE = 1 / 16

_HIGHEST_OF_12_BITS, _HIGHEST_OF_16_BITS = 2**12 - 1, 2**16 - 1
# Tags of EXIF and TIFF, and what they hold where something is to be done.
_ORIENTATION, _BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 0x0112, 258, 262, 339
_NOT_UPRIGHT, _12_BITS, _WHITE_IS_ZERO, _SIGNED = range(2, 9), 12, 0, 2


@dataclass(frozen=True)
class Decoded:
    """An image in one of Pillow's modes of 8 bits, and what a person should know of it.

    Parameters
    ----------
    notes
        Of `SEVERAL_FRAMES`, `TURNED`, `SCALED` and `DARK`.
    """

    image: Image.Image
    notes: frozenset[str]


def decode_image(source: Path | BinaryIO, *, name: str, upright: bool = True) -> Decoded:
    """Decode the first frame of an image whole.

    Parameters
    ----------
    name
        What messages call it.
    upright
        Turn it by its EXIF orientation.

    Raises
    ------
    BadImageError
        If it is of none of `FORMATS`, is damaged, has more than 100 million pixels, or its numbers have no fixed scale.

    Notes
    -----
    Grey of 16 bits is divided by 65,535 and grey of 12 bits by 4,095, decimal numbers are taken as they are if all are
    from 0 to 1; all three are then multiplied by 255 and rounded. Other numbers are refused. Of colours of 16 bits,
    Pillow takes the upper byte.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(source, formats=FORMATS) as image:
            return _decoded(image, name, upright=upright)
    except BadImageError:
        raise
    # Pillow's decoders raise nearly anything on damaged files.
    except Exception as error:
        message = f"{name} cannot be decoded: {_words(error)}."
        raise BadImageError(message) from error


def _words(error: Exception) -> str:
    """What went wrong, without the path, which is nobody's business where the study is shown."""
    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(FORMATS)}"
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or str(error) or type(error).__name__


def is_image(path: Path) -> bool:
    """Whether a file begins as one of `FORMATS` does."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS):
            return True
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return isinstance(error, Image.DecompressionBombError)


def _decoded(image: Image.Image, name: str, *, upright: bool) -> Decoded:
    if image.width * image.height > MAX_PIXELS:
        message = f"{name} has {image.width} × {image.height} pixels, more than {MAX_PIXELS}."
        raise BadImageError(message)
    image.load()
    notes = {SEVERAL_FRAMES} if getattr(image, "is_animated", False) else set[str]()
    tags = dict(getattr(image, "tag_v2", {}))
    scale = _scale(image, tags, name)
    found = image
    if upright and image.getexif().get(_ORIENTATION) in _NOT_UPRIGHT:
        notes.add(TURNED)
        found = ImageOps.exif_transpose(image)
    if scale is None:
        return Decoded(_plain(found), frozenset(notes))
    shares = np.asarray(found).astype(np.float64) / scale
    notes |= {SCALED, DARK} if 0 < shares.max() <= DARK_SHARE else {SCALED}
    return Decoded(_grey(shares, tags), frozenset(notes))


def _scale(image: Image.Image, tags: Mapping[int, Any], name: str) -> float | None:
    """What white is in an image of more than 8 bits; None for 8 bits or less.

    Raises
    ------
    BadImageError
        If nothing says what white is.
    """
    is_signed = _SIGNED in tags.get(_SAMPLE_FORMAT, ())
    # Pillow spreads the grey of PPM and PNG files over all of 16 bits; in a TIFF file "I" is 32 bits, or signed.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in {"PNG", "PPM"}):
        return _HIGHEST_OF_12_BITS if _12_BITS in tags.get(_BITS_PER_SAMPLE, ()) else _HIGHEST_OF_16_BITS
    if image.mode == "F":
        values = np.asarray(image)
        low, high = values.min(), values.max()
        if 0 <= low <= high <= 1:  # not so where one of them is NaN
            return 1.0
        found = f"decimal numbers from {low:g} to {high:g}"
    elif image.mode == "I" or is_signed:
        low, high = image.getextrema()
        found = "signed numbers" if image.mode != "I" else f"whole numbers from {low} to {high}"
    elif image.mode in {"LAB", "HSV"}:
        found = f"colours of the space {image.mode}"
    else:
        return None
    message = f"{name} has {found}, for which there is no fixed scale; save it with 8 or 16 bits a channel, unsigned."
    raise BadImageError(message)


def _plain(image: Image.Image) -> Image.Image:
    """A copy that Pillow can convert to RGB and to grey; alpha is dropped there, as timm does."""
    # Without the colour that stands for transparent Pillow gives no advice about palettes.
    image.info.pop("transparency", None)
    return image.copy()


def _grey(shares: np.ndarray, tags: Mapping[int, Any]) -> Image.Image:
    # Pillow turns white and black round by itself for 8 bits alone.
    upright = 1 - shares if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else shares
    return Image.fromarray(np.rint(upright * 255).astype(np.uint8))
