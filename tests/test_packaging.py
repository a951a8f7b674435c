"""What is shipped, and that every place that names it says the same."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import vitpanel

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_environment_yml_is_pyproject():
    text = (ROOT / "environment.yml").read_text("utf-8")
    python = re.search(r"python=(\S+)", text)
    extras = re.search(r"--editable \.\[(.+)\]", text)
    assert python
    assert PYPROJECT["project"]["requires-python"] == f">={python[1]}"
    assert extras
    assert set(extras[1].split(",")) == set(PYPROJECT["project"]["optional-dependencies"])


@pytest.mark.parametrize("name", vitpanel.__all__)
def test_the_public_interface_is_there(name: str):
    assert getattr(vitpanel, name)
    assert name in dir(vitpanel)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        vitpanel.no_such_name  # noqa: B018 # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("name", "limit"), [("demo/model.safetensors", 8_000_000), ("demo/images.zip", 1_000_000), ("py.typed", 0)]
)
def test_the_package_has_its_data(name: str, limit: int):
    assert len(files("vitpanel").joinpath(name).read_bytes()) <= limit


def test_the_package_has_the_guide_that_its_help_shows():
    guide = files("vitpanel.views").joinpath("reading-the-views.md").read_text("utf-8")
    assert guide == (ROOT / "docs" / "reading-the-views.md").read_text("utf-8")


def test_fashion_mnist_has_its_licence():
    notice = files("vitpanel").joinpath("demo/LICENSE-fashion-mnist.txt").read_text("utf-8")
    assert "The MIT License" in notice
    assert "Zalando SE" in notice


def test_licence_files_exist():
    for name in PYPROJECT["project"]["license-files"]:
        assert (ROOT / name).is_file()
