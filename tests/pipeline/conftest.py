"""A checkpoint and images that several tests run on; nobody changes them."""

from pathlib import Path

import pytest

from tests.tiny_vit import write_checkpoint, write_images


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """Weights of the tiny vision transformer."""
    return write_checkpoint(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Path:
    """Return a folder with six images in each of four classes."""
    return write_images(tmp_path_factory.mktemp("images") / "photos")
