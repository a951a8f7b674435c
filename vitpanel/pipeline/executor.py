"""Compute stages one after the other in this process, block by block."""

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from vitpanel.pipeline.stages import step_of
from vitpanel.pipeline.step import BlockStep, WholeStep
from vitpanel.pipeline.work import Block, Work
from vitpanel.study.schema import absent_arrays
from vitpanel.study.stage import Sizes, Stage


def compute_stages(found: Iterable[Stage], work: Work) -> None:
    """Compute what of each stage is not on disk; a run that was stopped goes on where it was.

    Parameters
    ----------
    found
        In the order of their needs. One whose needs are not complete is left out, and that is said.
    """
    for stage in found:
        # A work of its own, so that each sees what the stages before have written.
        _compute(stage, replace(work))


def _compute(stage: Stage, work: Work) -> None:
    writer = work.writer
    if writer.is_done(stage.name):
        return
    lacking = [need for need in stage.needs if not writer.manifest.is_done(need)]
    if lacking:
        work.progress.say(f"Stage {stage.name} is left out: it needs {', '.join(lacking)}, which this run has not.")
        writer.reopen(stage.name)
        return
    step = step_of(stage, work)
    reason = step.why_not()
    if reason:
        work.progress.say(reason)
        return
    if not step.names:
        _note_absence(stage, work)
        return
    started = time.monotonic()
    detail = _by_blocks(step, work) if isinstance(step, BlockStep) else _whole(step)
    writer.finish_stage(stage.name, seconds=time.monotonic() - started, detail=detail)


def _note_absence(stage: Stage, work: Work) -> None:
    """Note that a stage is done, of which the model can have nothing, with the reason."""
    manifest = work.writer.manifest
    absent = absent_arrays(manifest.spec, checks=manifest.checks)
    names = [array.name for array in stage.arrays(Sizes(manifest.spec, 1, 1)) if array.name in absent]
    work.writer.finish_stage(stage.name, seconds=0, detail={"absent": absent[names[0]]} if names else {})


def _by_blocks(step: BlockStep, work: Work) -> dict[str, Any] | None:
    pending, n_images = step.begin(), len(work.images)
    n_before = work.n_done(pending)
    with work.progress.bar(step.title, total=n_images, unit="image", done=n_before) as bar:
        for number in pending:
            block = Block(work, number, bar.update)
            step.write(block, step.compute(block))
    return step.end(n_before)


def _whole(step: WholeStep) -> dict[str, Any] | None:
    for name, array in step.arrays():
        step.writer.write_array(name, array)
        step.writer.note_array(name)
    return step.end()
