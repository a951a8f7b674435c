"""Scripts for the browser, as Python puts them together."""

import sys
from pathlib import Path

import pytest

from vitpanel.runtime.scripts import body_text, module_text


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder ``js`` of a package that is called ``scripted``."""
    folder = tmp_path / "scripted" / "js"
    folder.mkdir(parents=True)
    (tmp_path / "scripted" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "scripted", raising=False)  # that of another test
    return folder


def write(folder: Path, **scripts: str) -> None:
    for name, text in scripts.items():
        (folder / f"{name}.js").write_text(text, "utf-8")


def test_a_module_stands_after_what_it_imports_each_once(package: Path):
    imports = 'import {left} from "./left.js"\nimport {right} from "./right.js"\n'
    write(package, low="export const low = 1\n", left='import {low} from "./low.js"\nexport const left = low\n')
    write(package, right='import {low} from "./low.js"\nexport const right = low\n')
    write(package, top=f"{imports}export function render() {{}}\n")
    lines = module_text("scripted", "top.js").split("\n")
    found = [line for line in lines if line]
    assert found == ["const low = 1", "const left = low", "const right = low", "export function render() {}"]


def test_a_module_of_another_folder_is_found(package: Path):
    other = package.parent.parent / "other" / "js"
    other.mkdir(parents=True)
    write(other, low="export const low = 1\n", left='import {low} from "./low.js"\nexport const left = low\n')
    write(package, top='import {left} from "../../other/js/left.js"\nexport function render() {}\n')
    lines = [line for line in module_text("scripted", "top.js").split("\n") if line]
    assert lines == ["const low = 1", "const left = low", "export function render() {}"]


def test_a_body_calls_the_function_with_what_bokeh_gives(package: Path):
    write(package, draw="/** @param {{a: number}} args */\nexport default function draw({\n  a, b,\n}, cb_obj) {\n}\n")
    body = body_text("scripted", "draw.js")
    assert body.startswith("function draw({\n  a, b,\n}, cb_obj) {\n}\n")
    assert body.rstrip().endswith("return draw({\n  a, b,\n}, cb_obj)")


def test_a_body_without_a_function_is_refused(package: Path):
    write(package, empty="export const a = 1\n")
    with pytest.raises(ValueError, match=r"empty\.js"):
        body_text("scripted", "empty.js")
