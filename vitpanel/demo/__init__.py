"""The embedded demo: a small ViT trained on Fashion-MNIST by this project, and 500 of its test images."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from platformdirs import user_cache_path

from vitpanel import __version__

FOLDER = Path(__file__).parent
CHECKPOINT = FOLDER / "model.safetensors"
IMAGES = FOLDER / "images.zip"


def demo_study(*, force: bool = False) -> Path:
    """Path of the demo study, computed first where it is not in the user's cache.

    An interrupted run goes on at the next call.

    Parameters
    ----------
    force
        Compute it anew.
    """
    path = user_cache_path("vitpanel") / __version__ / "demo.study"
    if force:
        shutil.rmtree(path, ignore_errors=True)
    compute_demo(path)
    return path


def compute_demo(out: Path) -> None:
    """Compute what of the demo study is not at ``out`` yet."""
    from vitpanel.study.reader import open_study

    if (out / "manifest.json").exists() and open_study(out).is_finished:
        return
    # torch takes seconds to import, and a finished study can be viewed without it.
    from vitpanel.pipeline.precompute import Recipe, precompute

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(IMAGES) as archive:
            archive.extractall(folder)
        precompute(Recipe(images=Path(folder) / "labels.csv", out=out, checkpoint=CHECKPOINT, batch_size=72))
