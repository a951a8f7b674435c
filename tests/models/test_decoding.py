"""From the bytes of image files to pixels of 8 bits."""

import io
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitpanel.errors import BadImageError
from vitpanel.models.decoding import DARK, SCALED, SEVERAL_FRAMES, TURNED, Decoded, decode_image, is_image
from vitpanel.models.images import Preprocessing

RAMP = np.arange(256 * 256).reshape(256, 256)
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n0 0 10 10 rectfill\nshowpage\n"


def saved(image: Image.Image, kind: str, **options: Any) -> Decoded:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    buffer.seek(0)
    return decode_image(buffer, name="it")


def refusal(image: Image.Image, kind: str = "TIFF", **options: Any) -> str:
    with pytest.raises(BadImageError) as caught:
        saved(image, kind, **options)
    return caught.value.message


def seen(image: Image.Image) -> np.ndarray:
    """What a model of three channels would see, as numbers from 0 to 255."""
    return np.asarray(Preprocessing((3, 256, 256), (0.5,) * 3, (0.5,) * 3).crop(image))


@pytest.mark.parametrize(("kind", "dtype"), [("PNG", "<u2"), ("TIFF", "<u2"), ("TIFF", ">u2"), ("PPM", "<u2")])
def test_grey_of_16_bits_is_scaled_by_its_range(kind: str, dtype: str):
    found = saved(Image.fromarray(RAMP.astype(dtype)), kind)
    assert found.notes == {SCALED}
    assert np.array_equal(seen(found.image)[:, :, 1], np.rint(RAMP / 257))


def test_16_bits_with_white_as_0_are_turned_round():
    buffer = io.BytesIO()
    Image.fromarray(RAMP.astype(np.uint16)).save(buffer, "TIFF")
    data = buffer.getvalue()
    black_is_zero = b"\x06\x01\x03\x00\x01\x00\x00\x00\x01\x00"
    assert data.count(black_is_zero) == 1
    found = decode_image(io.BytesIO(data.replace(black_is_zero, black_is_zero[:-2] + b"\x00\x00")), name="it")
    assert np.array_equal(np.asarray(found.image), np.rint((65535 - RAMP) / 257))


def test_values_in_a_small_part_of_16_bits_are_scaled_alike_and_said_to_be_dark():
    found = saved(Image.fromarray(np.linspace(128, 2191, 65536).reshape(256, 256).astype(np.uint16)), "PNG")
    assert found.notes == {SCALED, DARK}
    assert np.asarray(found.image).max() == 9


def test_decimal_numbers_from_0_to_1_are_shares_of_white():
    values = (RAMP / 65535).astype(np.float32)
    found = saved(Image.fromarray(values), "TIFF")
    assert found.notes == {SCALED}
    assert np.array_equal(np.asarray(found.image), np.rint(values.astype(float) * 255))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((RAMP / 257).astype(np.float32), "decimal numbers from 0 to 255"),
        (np.where(RAMP == 7, np.nan, 0.5).astype(np.float32), "decimal numbers from nan"),
        (np.full((9, 9), -0.1, np.float32), "decimal numbers from -0.1"),
        (RAMP.astype(np.int32), "whole numbers from 0 to 65535"),
        (RAMP.astype(np.int32) - 1024, "whole numbers from -1024 to 64511"),
    ],
)
def test_numbers_without_a_fixed_scale_are_refused(values: np.ndarray, said: str):
    message = refusal(Image.fromarray(values))
    assert said in message
    assert "save it with 8 or 16 bits" in message


def test_signed_bytes_and_lab_colours_are_refused():
    assert "signed numbers" in refusal(Image.new("L", (9, 9)), tiffinfo={339: 2})
    assert "space LAB" in refusal(Image.new("LAB", (9, 9)))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [(mode, "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA")]
    + [
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
        ("YCbCr", "JPEG"),
        ("L", "BMP"),
        ("RGBA", "WEBP"),
        ("P", "GIF"),
        ("1", "PPM"),
    ],
)
def test_modes_of_8_bits_give_what_pillow_converts_them_to(mode: str, kind: str):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)).convert(mode)
    found = saved(image, kind)
    assert not found.notes
    buffer = io.BytesIO()
    image.save(buffer, kind)
    with Image.open(buffer) as again:
        assert np.array_equal(seen(found.image), np.asarray(again.convert("RGB")))


@pytest.mark.parametrize("mode", ["La", "RGBa", "PA"])
def test_alpha_of_any_kind_can_be_dropped(mode: str):
    assert seen(Image.new(mode, (9, 9))).shape == (256, 256, 3)


def test_transparent_palettes_give_no_warning():
    image = Image.new("P", (9, 9))
    image.putpalette(bytes(range(256)) * 3)
    found = saved(image, "PNG", transparency=bytes(range(256)))
    assert np.array_equal(seen(found.image)[0, 0], [0, 1, 2])


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_taken_and_that_is_said(kind: str):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    found = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert found.notes == {SEVERAL_FRAMES}
    assert seen(found.image)[0, 0].tolist() == pytest.approx([255, 0, 0], abs=3)
    assert not saved(frames[0], kind).notes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations(orientation: int):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6), dtype=np.uint8)
    upright = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.T,
        6: np.rot90(pixels, -1), 7: pixels[::-1, ::-1].T, 8: np.rot90(pixels),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    for image, scale in ((Image.fromarray(pixels), 1), (Image.fromarray(pixels.astype(np.uint16) * 257), 1)):
        found = saved(image, "PNG", exif=exif)
        assert np.array_equal(np.asarray(found.image) * scale, upright[orientation])
        assert (TURNED in found.notes) == (orientation > 1)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", exif=exif)
    as_stored = decode_image(buffer, name="it", upright=False)
    assert np.array_equal(np.asarray(as_stored.image), pixels)
    assert not as_stored.notes


def test_a_format_is_known_by_its_content_and_no_program_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    started = []
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **_: started.append(args))
    path = tmp_path / "photo.png"
    for data in (EPS, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html></html>", b"8BPS\0\1", b"icns"):
        path.write_bytes(data)
        with pytest.raises(BadImageError, match=r"photo\.png cannot be decoded") as caught:
            decode_image(path, name=path.name)
        assert not is_image(path)
        assert "it is none of JPEG, PNG" in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
    assert not started
    Image.new("RGB", (9, 9)).save(path, "JPEG")
    assert decode_image(path, name=path.name).image.size == (9, 9)
    assert is_image(path)
