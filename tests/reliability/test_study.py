"""What must never break of a study on disk: kills, full disks and flipped bits, in numbers."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.study_runs import contents, differing, run, run_with
from vitpanel.errors import DiskFullError, StudyError
from vitpanel.study.reader import open_study
from vitpanel.study.verify import verify_study

pytestmark = pytest.mark.reliability

ROOT = Path(__file__).parents[2]
N_FLIPS, AT_ONCE = 200, 20

_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.study_runs import run

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs do not hear it

fsync, left = os.fsync, int(sys.argv[2])

def counted(descriptor):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), int(sys.argv[3]))
    fsync(descriptor)

os.fsync = counted
run(Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study that was written without a disturbance, to be copied."""
    path = tmp_path_factory.mktemp("whole") / "a.study"
    run(path)
    return path


@pytest.fixture(scope="module")
def n_steps(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How often an undisturbed run waits for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        return run_with(patch, tmp_path_factory.mktemp("counted") / "a.study", lambda _: None)


@pytest.mark.parametrize(
    ("number", "share"),
    [
        (signal.SIGKILL, 0.02),
        (signal.SIGKILL, 0.3),
        (signal.SIGKILL, 0.6),
        (signal.SIGKILL, 0.95),
        (signal.SIGTERM, 0.5),
        (signal.SIGINT, 0.7),
    ],
)
def test_a_run_ended_by_a_signal_goes_on_to_the_same_bytes(
    whole: Path, tmp_path: Path, n_steps: int, number: signal.Signals, share: float
):
    path = tmp_path / "a.study"
    words = [sys.executable, "-c", _KILLED, str(path), str(int(share * n_steps)), str(int(number))]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode
    # Before the table of images there is nothing that could be opened, and opening says so.
    if (path / "images.parquet").exists():
        part = open_study(path)
        assert part.damages == ()
        assert not part.is_finished or part.n_done == part.n_images
        assert verify_study(path).damages == ()
    run(path)
    assert differing(whole, path) == []
    assert verify_study(path).damages == ()


def test_a_disk_that_is_full_at_any_step_is_said_and_the_run_goes_on(whole: Path, tmp_path: Path, n_steps: int):
    def full(left: int) -> None:
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device", "a.study/file")

    for step in np.linspace(0, n_steps - 2, 8, dtype=int):
        path = tmp_path / f"{step}.study"
        with (
            pytest.MonkeyPatch.context() as patch,
            pytest.raises(DiskFullError, match=r"The disk is full: a\.study/file"),
        ):
            run_with(patch, path, lambda count, step=step: full(step - count))
        assert list(path.rglob("*.tmp")) == []
        run(path)
        assert differing(whole, path) == []


def test_no_flipped_bit_stays_unseen(whole: Path, tmp_path: Path):
    rng, path = np.random.default_rng(0), tmp_path / "a.study"
    names = sorted(name for name in contents(whole) if name != "manifest.json" and not name.startswith("blocks/"))
    receipts = sorted(name for name in contents(whole) if name.startswith("blocks/"))
    batches = [rng.choice(names, AT_ONCE, replace=False) for _ in range(N_FLIPS // AT_ONCE)]
    for batch in [*batches, np.array(receipts)]:
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(whole, path)
        for name in batch:
            content = bytearray((path / name).read_bytes())
            content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
            (path / name).write_bytes(content)
        assert {damage.path for damage in verify_study(path).damages} == {path / name for name in batch}


def test_no_flipped_bit_of_the_manifest_stays_unseen(whole: Path, tmp_path: Path):
    rng, path = np.random.default_rng(1), Path(shutil.copytree(whole, tmp_path / "a.study"))
    manifest = path / "manifest.json"
    right = manifest.read_bytes()
    for place in rng.choice(len(right), 40, replace=False):
        content = bytearray(right)
        content[place] ^= 1 << int(rng.integers(8))
        manifest.write_bytes(content)
        assert _is_noticed(path)


def _is_noticed(path: Path) -> bool:
    """Whether a damage of the manifest is an error that names the study, or is found by a verification."""
    try:
        return path / "manifest.json" in {damage.path for damage in verify_study(path).damages}
    except StudyError as error:
        return str(path) in error.message
