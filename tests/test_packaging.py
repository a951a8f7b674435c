"""What is shipped, and that every place that names it says the same."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import vitpanel
from tests.building import build

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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Return the wheel, as it is built from this tree."""
    with zipfile.ZipFile(build(ROOT, tmp_path_factory.mktemp("wheel"), target="wheel")) as opened:
        yield opened


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that has the wheel's files and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    wheel.extractall(folder)  # noqa: S202 - built above
    return folder


def run_installed(installed: Path, *words: str) -> str:
    """Run Python on what is installed, in a folder that has nothing of the tree; what it prints."""
    command, environment = [sys.executable, "-P", *words], os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


LEFT_OVER = {"__pycache__", "node_modules"}


def tracked(*folders: str) -> set[str]:
    """Files of the tree without what is left over by running it."""
    found = {path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()}
    return {path.relative_to(ROOT).as_posix() for path in found if LEFT_OVER.isdisjoint(path.parts)}


def test_the_wheel_has_every_file_of_the_package(wheel: zipfile.ZipFile):
    """Code, scripts, pages, styles, the demo, the guide of the help, and the mark of types."""
    inside = {name for name in wheel.namelist() if not name.startswith("vitpanel-")}
    assert inside == tracked("vitpanel")
    assert {Path(name).suffix for name in inside} >= {
        ".py",
        ".js",
        ".css",
        ".html",
        ".svg",
        ".md",
        ".safetensors",
        ".zip",
    }
    assert wheel.read("vitpanel/views/reading-the-views.md") == (ROOT / "docs" / "reading-the-views.md").read_bytes()


def test_the_wheel_has_its_licences_and_entry_points(wheel: zipfile.ZipFile):
    home = f"vitpanel-{vitpanel.__version__}.dist-info"
    for name in PYPROJECT["project"]["license-files"]:
        assert wheel.read(f"{home}/licenses/{name}") == (ROOT / name).read_bytes()
    entries = wheel.read(f"{home}/entry_points.txt").decode()
    assert "vitpanel = vitpanel.cli:main" in entries
    assert "vitpanel = vitpanel.app.jupyter:server_process" in entries


@pytest.mark.parametrize(("words", "said"), [(("--version",), vitpanel.__version__), (("demo", "--help"), "--force")])
def test_the_command_starts_from_the_wheel_alone(installed: Path, words: tuple[str, ...], said: str):
    assert said in run_installed(installed, "-c", "from vitpanel.cli import main; main()", *words)
    assert run_installed(installed, "-c", "import vitpanel; print(vitpanel.__file__)").startswith(str(installed))


def test_the_app_for_panel_serve_runs_on_the_wheel(installed: Path):
    """It stands in the repository and the source distribution, for those who have Panel serve their pages."""
    run_installed(installed, str(ROOT / "apps" / "explorer.py"))


def test_the_source_distribution_has_what_explains_and_tests_it(tmp_path: Path):
    with tarfile.open(build(ROOT, tmp_path, target="sdist")) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked("apps", "benchmarks", "docs", "examples", "precompute", "tests", "vitpanel") <= inside
    assert {"Dockerfile", ".dockerignore", "LICENSE", "Makefile", "environment.yml", "pyproject.toml"} <= inside


def test_the_extra_for_developers_is_made_of_the_others():
    extras = PYPROJECT["project"]["optional-dependencies"]
    (dev,) = map(Requirement, extras["dev"])
    assert (dev.name, dev.extras) == ("vitpanel", {"compute", "test", "transformers"})
    assert '".[dev]"' in (ROOT / "Makefile").read_text("utf-8")
