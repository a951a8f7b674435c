"""Images as the processors of transformers prepare them."""

from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from vitpanel.errors import UnsupportedModelError, VitpanelError
from vitpanel.models.adapters.transformers_images import (
    ProcessorPreprocessing,
    preprocessing_of,
    restored_preprocessing,
)

SQUARE, CROP = {"height": 40, "width": 40}, {"height": 32, "width": 32}
PROCESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "squashed": ("ViTImageProcessor", {"size": CROP}),
    "old, with a number": ("ViTImageProcessor", {"size": 32}),
    "not square": ("ViTImageProcessor", {"size": {"height": 24, "width": 40}, "resample": 3}),
    "squashed and cut": ("DeiTImageProcessor", {"size": SQUARE, "crop_size": CROP}),
    "old, with numbers": ("DeiTImageProcessor", {"size": 40, "crop_size": 32}),
    "cut": ("BitImageProcessor", {"size": {"shortest_edge": 37}, "crop_size": CROP}),
    "old, cut": ("BitImageProcessor", {"size": 37, "crop_size": 32}),
    "not normalised": ("ViTImageProcessor", {"size": CROP, "do_normalize": False}),
}
SIZES = ((32, 32), (50, 41), (41, 50), (97, 33), (20, 61), (33, 97))


def prepared(title: str, **more: Any) -> ProcessorPreprocessing:
    name, options = PROCESSORS[title]
    config = {"image_processor_type": name} | options | more
    return preprocessing_of(config, processor="ViTImageProcessor", channels=3, name="x", given={})


def photograph(size: tuple[int, int]) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("title", PROCESSORS)
def test_an_image_is_what_the_library_makes_of_it(title: str, size: tuple[int, int]):
    name, options = PROCESSORS[title]
    image, preparing = photograph(size), prepared(title)
    found = preparing.tensor([preparing.crop(image)])
    assert found.shape[1:] == preparing.input_size
    pillow = getattr(transformers, f"{name}Pil")(**options)(image, return_tensors="pt")["pixel_values"]
    assert (found - pillow).abs().max() < 1e-5
    # Resizing of tensors rounds in other places.
    tensors = getattr(transformers, name)(**options)(image, return_tensors="pt")["pixel_values"]
    assert (found - tensors).abs().max() < 2.5 / 255 / min(preparing.std)


def test_what_is_given_takes_the_place_of_the_files_values():
    name, options = PROCESSORS["squashed"]
    config = {"image_processor_type": name} | options
    preparing = preprocessing_of(config, processor=name, channels=3, name="x", given={"mean": (0.1,), "std": (1, 2, 3)})
    assert preparing.mean == (0.1, 0.1, 0.1)
    assert preparing.std == (1, 2, 3)


@pytest.mark.parametrize("stated", ["ViTFeatureExtractor", "ViTImageProcessorFast", "ViTImageProcessorPil", None])
def test_older_and_other_names_of_a_processor_are_known(stated: str | None):
    config = {"size": 32} | ({} if stated is None else {"image_processor_type": stated})
    preparing = preprocessing_of(config, processor="ViTImageProcessor", channels=3, name="x", given={})
    assert preparing == prepared("squashed")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"do_resize": False}, "not resized"),
        ({"do_rescale": False}, "rescale_factor"),
        ({"rescale_factor": 1 / 127.5}, "rescale_factor"),
        ({"do_pad": True}, "do_pad"),
        ({"image_processor_type": "CLIPImageProcessor"}, "CLIPImageProcessor"),
        ({"size": {"shortest_edge": 32}}, "size"),
        ({"size": {"shortest_edge": 32, "longest_edge": 64}}, "size"),
        ({"image_mean": [0.5, 0.5]}, "2 values of mean for 3 channels"),
        ({"do_center_crop": True, "crop_size": {"height": 64, "width": 64}}, "crop_size"),
    ],
)
def test_steps_that_are_not_known_are_refused(changes: dict[str, Any], words: str):
    with pytest.raises(UnsupportedModelError, match=words) as caught:
        prepared("squashed", **changes)
    assert caught.value.hint


@pytest.mark.parametrize("title", PROCESSORS)
def test_it_comes_back_from_a_manifest(title: str):
    preparing = prepared(title)
    record = {key: list(value) if isinstance(value, tuple) else value for key, value in preparing.to_dict().items()}
    again = restored_preprocessing(record, channels=3)
    assert again == preparing
    image = photograph((50, 41))
    assert torch.equal(again.tensor([again.crop(image)]), preparing.tensor([preparing.crop(image)]))


@pytest.mark.parametrize(
    "changes",
    [
        {"resize": []},
        {"resize": [10**6]},
        {"input_size": [3, 0, 32]},
        {"input_size": [1, 32, 32]},
        {"mean": "x"},
        {"mean": [0.5] * 4},
        {"interpolation": None},
    ],
)
def test_a_strangers_values_are_held_against_their_ranges(changes: dict[str, Any]):
    with pytest.raises(VitpanelError):
        restored_preprocessing(prepared("cut").to_dict() | changes, channels=3)
