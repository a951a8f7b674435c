"""What holds for the whole package: layers, imports, docstrings."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "vitpanel"
MODULES = sorted(PACKAGE.rglob("*.py"))


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_import_vitpanel_is_light():
    assert not loaded_by("import vitpanel") & {
        "torch",
        "timm",
        "panel",
        "bokeh",
        "holoviews",
        "datashader",
        "xarray",
        "pandas",
        "zarr",
        "numpy",
    }


@pytest.mark.parametrize("name", ["Selection", "Brush", "brush", "elements"])
def test_what_is_public_loads_no_toolkit_before_it_is_used(name: str):
    assert not loaded_by(f"from vitpanel import {name}") & {
        "torch",
        "timm",
        "panel",
        "bokeh",
        "holoviews",
        "datashader",
    }


def test_elements_do_not_load_torch():
    assert not loaded_by("from vitpanel.elements import attention_heatmap, pattern_map") & {"torch", "timm", "sklearn"}


def test_a_study_opens_without_torch_and_panel():
    assert not loaded_by("import vitpanel; vitpanel.open_study") & {"torch", "timm", "panel", "bokeh", "holoviews"}


@pytest.mark.parametrize("module", ["vitpanel.views", "vitpanel.app.explorer", "vitpanel.cli"])
def test_a_viewer_does_not_load_torch(module: str):
    assert not loaded_by(f"import {module}") & {"torch", "timm", "sklearn", "openTSNE"}


def test_imports_keep_to_the_layers():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").glob("*.py")), ids=lambda path: path.stem)
def test_core_knows_numpy_alone(path: Path):
    allowed = {"numpy", "vitpanel.core", "vitpanel.errors"} | sys.stdlib_module_names
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.split(".")[0] in allowed or ".".join(name.split(".")[:2]) in allowed, name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is(path: Path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_pillow_is_never_left_to_choose_a_format():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open":
                assert "formats" in {keyword.arg for keyword in node.keywords}, path
