"""The embedded demo: a small ViT trained on Fashion-MNIST by this project, and 500 of its test images."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from vitpanel import __version__
from vitpanel.errors import StudyError
from vitpanel.study.files import StudyFiles
from vitpanel.study.reader import open_study

FOLDER = Path(__file__).parent
CHECKPOINT = FOLDER / "model.safetensors"
IMAGES = FOLDER / "images.zip"
LOOK_SECONDS = 0.2


def demo_study(*, force: bool = False) -> Path:
    """Path of the demo study, computed first where it is not in the user's cache.

    An interrupted run goes on at the next call.

    Parameters
    ----------
    force
        Compute it anew.
    """
    path = _path(force=force)
    if not _is_finished(path):
        compute_demo(path)
    return path


@contextmanager
def growing_demo_study(*, force: bool = False) -> Generator[Path]:
    """Path of the demo study, which another process goes on computing within the block where it is not finished.

    It can be opened at once; its run is interrupted at the end of the block, and goes on at the next call.

    Parameters
    ----------
    force
        Compute it anew.

    Raises
    ------
    StudyError
        If the other process ends without a study; it has said why.
    """
    path = _path(force=force)
    if _is_finished(path):
        yield path
        return
    # In a process of its own, so that the server answers while a core is busy.
    run = subprocess.Popen([sys.executable, "-m", __name__, str(path)])  # noqa: S603 - this very program
    try:
        _wait_for_study(path, run)
        yield path
    finally:
        # Windows has no interrupt for one process.
        run.terminate() if os.name == "nt" else run.send_signal(signal.SIGINT)
        run.wait()


def compute_demo(out: Path) -> None:
    """Compute what of the demo study is not at ``out`` yet."""
    # torch takes seconds to import, and a finished study can be viewed without it.
    from vitpanel.pipeline.precompute import Recipe, precompute

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(IMAGES) as archive:
            archive.extractall(folder)
        precompute(Recipe(images=Path(folder) / "labels.csv", out=out, checkpoint=CHECKPOINT, batch_size=72))


def _path(*, force: bool) -> Path:
    path = user_cache_path("vitpanel") / __version__ / "demo.study"
    if force:
        shutil.rmtree(path, ignore_errors=True)
    return path


def _is_finished(path: Path) -> bool:
    return StudyFiles(path).manifest.exists() and open_study(path).is_finished


def _wait_for_study(path: Path, run: "subprocess.Popen[bytes]") -> None:
    """Wait until a run has begun its study, so that it can be opened."""
    while True:
        try:
            run.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if StudyFiles(path).images.exists():
                return
        else:
            break
    # Another run may be writing it.
    if not StudyFiles(path).images.exists():
        message = f"The demo study at {path} could not be computed."
        raise StudyError(message, hint="Run vitpanel demo --force to begin it anew.")
