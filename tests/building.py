"""Wheels and source distributions of vitpanel, built as pip does but without a network."""

import subprocess
import sys
from pathlib import Path


def build(source: Path, out: Path, *, target: str) -> Path:
    """Build a ``wheel`` or ``sdist`` of a folder; the file that it has become."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(out)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = out.iterdir()
    return built
