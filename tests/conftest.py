"""What all tests share."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ensure_browser import find_chromium

ROOT = Path(__file__).parent.parent


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a seeded generator."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of the real model and the photographs; tests that ask for it skip where it is absent."""
    folder = Path(os.environ.get("VITPANEL_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the folder of VITPANEL_TEST_DATA; {folder} is absent")
    return folder


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's Chromium without a sandbox, a graphics card or calls home."""
    args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    args += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return {**browser_type_launch_args, "args": args, "executable_path": find_chromium()}
