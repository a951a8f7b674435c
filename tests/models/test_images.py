"""From image files to what the model sees."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform

from tests.tiny_vit import image_bytes
from vitpanel.errors import BadImageError
from vitpanel.models.images import (
    MAX_PIXELS,
    THUMBNAIL_SIZE,
    Preprocessing,
    decode_crop,
    encode_crop,
    encode_thumbnail,
    read_image,
)

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)


def prepared(size: tuple[int, int, int] = (3, 32, 32), *, crop_pct: float = 1.0) -> Preprocessing:
    channels = size[0]
    return Preprocessing(size, MEAN[:channels], STD[:channels], crop_pct=crop_pct)


def picture(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_the_tensor_is_the_crop_normalised_by_channel():
    crop = picture(32, 32)
    tensor = prepared().tensor([crop, crop])
    expected = (np.asarray(crop, np.float32) / 255 - MEAN) / STD
    assert tensor.shape == (2, 3, 32, 32)
    assert tensor.dtype == torch.float32
    assert np.abs(tensor[1].permute(1, 2, 0).numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("size", [(3, 32, 32), (3, 24, 40), (3, 40, 24)])
def test_the_crop_has_the_size_of_the_model(size: tuple[int, int, int]):
    for image in (picture(100, 60), picture(20, 90), picture(32, 32)):
        assert prepared(size).crop(image).size == (size[2], size[1])


def test_the_crop_is_the_middle():
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, 80:120] = 255
    crop = np.asarray(prepared(crop_pct=1.0).crop(Image.fromarray(pixels)), int)
    column = crop[:, :, 0].mean(0)
    assert column[14:18].min() > 200
    assert np.abs(column - column[::-1]).max() < 30
    assert column[0] < 10


def test_a_smaller_share_is_cropped_from_further_in():
    pixels = np.full((64, 64, 3), 255, np.uint8)
    pixels[8:-8, 8:-8] = 0
    outer = np.asarray(prepared(crop_pct=1.0).crop(Image.fromarray(pixels)))
    inner = np.asarray(prepared(crop_pct=0.5).crop(Image.fromarray(pixels)))
    assert outer[0].mean() > 200
    assert inner.mean() < 20


def test_grey_and_transparent_images_become_what_the_model_takes():
    for mode in ("L", "RGBA", "P", "CMYK", "1", "LA", "I;16"):
        image = Image.new(mode, (40, 40))
        assert prepared().tensor([prepared().crop(image)]).shape == (1, 3, 32, 32)
        grey = prepared((1, 32, 32))
        assert grey.tensor([grey.crop(image)]).shape == (1, 1, 32, 32)


@pytest.mark.parametrize("crop_mode", ["center", "border", "squash"])
def test_as_it_is_stored_an_image_gives_the_very_input_that_timm_makes_of_it(tmp_path: Path, crop_mode: str):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(90, 60).save(tmp_path / "a.jpg", exif=exif)
    preparing = Preprocessing((3, 32, 32), MEAN, STD, crop_pct=0.9, crop_mode=crop_mode)
    timms = create_transform(
        (3, 32, 32), mean=MEAN, std=STD, interpolation="bicubic", crop_pct=0.9, crop_mode=crop_mode
    )
    with Image.open(tmp_path / "a.jpg") as image:
        expected = timms(image.convert("RGB"))
    found = preparing.tensor([preparing.crop(read_image(tmp_path / "a.jpg", upright=False))])[0]
    assert torch.equal(found, expected)
    turned = preparing.tensor([preparing.crop(read_image(tmp_path / "a.jpg"))])[0]
    assert (turned - expected).abs().max() > 0.1


@pytest.mark.parametrize(
    ("crop_mode", "size"), [("border", (2, 5000)), ("border", (5000, 2)), ("center", (1_000_000, 1))]
)
def test_an_image_that_is_too_narrow_is_refused(crop_mode: str, size: tuple[int, int]):
    preparing = Preprocessing((3, 32, 32), MEAN, STD, crop_mode=crop_mode)
    with pytest.raises(BadImageError, match=r"pixels are too narrow for an input of 32 × 32"):
        preparing.crop(Image.new("RGB", size))


@pytest.mark.parametrize(("crop_mode", "size"), [("center", (1, 1)), ("center", (20000, 1)), ("squash", (1, 20000))])
def test_a_narrow_image_that_fits_is_taken(crop_mode: str, size: tuple[int, int]):
    preparing = Preprocessing((3, 32, 32), MEAN, STD, crop_mode=crop_mode)
    assert preparing.crop(Image.new("RGB", size)).size == (32, 32)


def test_a_crop_comes_back_to_the_pixel():
    for size in ((3, 32, 32), (1, 28, 28)):
        preparing = prepared(size)
        crop = preparing.crop(picture(50, 70))
        again = decode_crop(encode_crop(crop))
        assert torch.equal(preparing.tensor([again]), preparing.tensor([crop]))


def test_a_thumbnail_keeps_the_shape_and_leaves_the_crop_as_it_is():
    crop = picture(256, 128)
    with Image.open(io.BytesIO(encode_thumbnail(crop))) as thumbnail:
        assert thumbnail.size == (THUMBNAIL_SIZE, THUMBNAIL_SIZE // 2)
    assert crop.size == (256, 128)


def test_preprocessing_survives_json():
    preparing = prepared((3, 24, 40), crop_pct=0.9)
    data = {key: list(value) if isinstance(value, tuple) else value for key, value in preparing.to_dict().items()}
    assert Preprocessing.from_dict(data) == preparing


def test_an_image_is_turned_upright(tmp_path: Path):
    image = Image.new("RGB", (20, 10))
    image.putpixel((0, 0), (255, 255, 255))
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    image.save(tmp_path / "a.png", exif=exif)
    upright = read_image(tmp_path / "a.png")
    assert upright.size == (10, 20)
    assert upright.getpixel((9, 0)) == (255, 255, 255)


@pytest.mark.parametrize("content", [b"", b"no picture", image_bytes([0])[:60], image_bytes([0])[:-40]])
def test_what_cannot_be_decoded_is_named(tmp_path: Path, content: bytes):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(BadImageError, match=r"broken\.png cannot be decoded"):
        read_image(path)


def test_a_missing_file_and_a_stream_are_named(tmp_path: Path):
    with pytest.raises(BadImageError, match=r"gone\.png"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(BadImageError, match="the upload cannot"):
        read_image(io.BytesIO(b"no picture"), name="the upload")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path):
    side = int(MAX_PIXELS**0.5) + 1
    path = tmp_path / "bomb.png"
    Image.new("1", (side, side)).save(path)
    with pytest.raises(BadImageError, match=f"{side} × {side} pixels"):
        read_image(path)
