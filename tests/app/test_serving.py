"""The two ways to serve a study, as processes that answer requests."""

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.synthetic import write_synthetic_study

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@contextmanager
def serving(words: list[str], *, ready: str) -> Iterator[str]:
    """Start a server and give the address that it prints."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    try:
        assert process.stdout
        seen = []
        for line in process.stdout:
            seen.append(line)
            found = re.search(ready, line)
            if found:
                yield found[1]
                return
        pytest.fail("".join(seen))
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a small study."""
    return write_synthetic_study(tmp_path / "x.study")


def page_at(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - an address of this machine
        return answer.read().decode()


def test_vitpanel_serve(study: Path):
    command = [sys.executable, "-c", "from vitpanel.cli import main; main()", "serve", str(study)]
    with serving([*command, "--port", "0", "--no-show"], ready=r"open at (http://\S+)") as address:
        page = page_at(address)
    assert "synthetic_vit" in page


def test_panel_serve_of_the_app(study: Path):
    command = [sys.executable, "-m", "panel", "serve", "apps/explorer.py", "--port", "0", "--args", str(study)]
    with serving(command, ready=r"running at: (http://\S+)") as address:
        page = page_at(address)
    assert "synthetic_vit" in page
    assert "fonts.googleapis.com" not in page


def test_without_the_live_model_torch_is_not_loaded(study: Path):
    script = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from vitpanel.app.explorer import create_app\n"
        f"create_app(Path({str(study)!r}), live=False)\n"
        "assert not {'torch', 'timm'} & set(sys.modules), 'torch is loaded'\n"
        "assert not any(thread.name.startswith('vitpanel-model') for thread in threading.enumerate())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
