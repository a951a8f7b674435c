"""Runs over a synthetic study that do all that a precompute run does on top of the writer, without a model."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import (
    finish_synthetic_study,
    synthetic_images,
    synthetic_manifest,
    synthetic_spec,
    write_synthetic_block,
)
from vitpanel.study.own_stages import MEANS, MODES, STAGES
from vitpanel.study.writer import StudyWriter

SPEC = synthetic_spec()


def begun(path: Path, *, say: Callable[[str], object] = lambda _: None) -> StudyWriter:
    """Return a writer of the study of 12 images."""
    return StudyWriter.create_or_resume(path, synthetic_manifest(SPEC), synthetic_images(SPEC, 12), say=say)


def run(path: Path) -> list[str]:
    """Write what of the study is not there, with the modes and means that are there only where asked for."""
    said: list[str] = []
    with begun(path, say=said.append) as writer:
        for block in writer.pending_blocks():
            write_synthetic_block(writer, block)
        if not all(writer.is_done(stage) for stage in STAGES):
            finish_synthetic_study(writer)
        if not (writer.is_done(MODES) and writer.is_done(MEANS)):
            _write_optional_stages(writer)
        writer.seal()
    return said


def run_with(patch: pytest.MonkeyPatch, path: Path, at_step: Callable[[int], object]) -> int:
    """Run and call ``at_step`` with the number of times that the disk was waited for before; returns that number."""
    fsync, n_steps = os.fsync, 0

    def counted(descriptor: int) -> None:
        nonlocal n_steps
        at_step(n_steps)
        n_steps += 1
        fsync(descriptor)

    patch.setattr("os.fsync", counted)
    run(path)
    return n_steps


def contents(path: Path) -> dict[str, bytes]:
    """Bytes of every file but the lock."""
    files = [file for file in path.rglob("*") if file.is_file() and file.name != ".lock"]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


def differing(whole: Path, path: Path) -> list[str]:
    """Files that two studies do not share byte for byte; manifests have times and are left aside."""
    before, after = contents(whole), contents(path)
    names = before.keys() | after.keys()
    return sorted(name for name in names if before.get(name) != after.get(name) and name != "manifest.json")


def _write_optional_stages(writer: StudyWriter) -> None:
    for stage in (MODES, MEANS):
        for name, spec in writer.arrays.items():
            for block in range(writer.n_blocks) if spec.stage == stage else ():
                shape = (len(writer.block_images(block)), *spec.shape[1:])
                writer.write_rows(name, block, np.full(shape, block, spec.dtype))
        writer.finish_stage(stage, seconds=1)
