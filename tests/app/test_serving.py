"""The two ways to serve a study, as processes that answer requests."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import (
    PANEL,
    ROOT,
    VITPANEL,
    Server,
    forged_token,
    get,
    is_let_in,
    page_at,
    payload_of,
    serving,
    token_in,
)
from tests.synthetic import write_synthetic_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["vitpanel serve", "panel serve"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a small study."""
    study = write_synthetic_study(tmp_path_factory.mktemp("served") / "x.study")
    commands = {
        "vitpanel serve": ([*VITPANEL, "serve", str(study), "--port", "0", "--no-show"], r"open at (http://\S+)"),
        "panel serve": ([*PANEL, "apps/explorer.py", "--port", "0", "--args", str(study)], r"running at: (http://\S+)"),
    }
    command, ready = commands[request.param]
    with serving(command, ready=ready) as started:
        yield started


def test_the_page(server: Server):
    page = page_at(server)
    assert "<title>x · synthetic_vit" in page
    assert "fonts.googleapis.com" not in page


def test_the_server_is_guarded(server: Server):
    page = get(server.address, Cookie="a=SECRET", Authorization="SECRET")
    token = token_in(page.text)
    payload = payload_of(token)
    assert (list(payload["headers"]), payload["cookies"]) == (["Host"], {})
    assert page.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert not is_let_in(server, token, Origin=None)
    assert not is_let_in(server, forged_token("mine"))
    assert is_let_in(server, token)


def test_without_the_live_model_torch_is_not_loaded(tmp_path: Path):
    study = write_synthetic_study(tmp_path / "x.study")
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
