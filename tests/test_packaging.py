"""What is shipped, and that every place that names it says the same."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import vitpanel

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_environment_for_conda_is_that_of_pip():
    """Names are conda-forge's; ranges are those of pyproject.toml, and nothing else is named."""
    names = {"torch": "pytorch"}
    project = PYPROJECT["project"]
    wanted = [Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["compute"]]]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    conda = [Requirement(text) for text in environment if isinstance(text, str)]
    assert {(names.get(one.name, one.name), str(one.specifier)) for one in wanted} == {
        (one.name, str(one.specifier)) for one in conda if one.name not in {"python", "pip"}
    }
    assert {one.name: str(one.specifier) for one in conda}["python"] == project["requires-python"]
    assert environment[-1] == {"pip": ["--editable ."]}


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
