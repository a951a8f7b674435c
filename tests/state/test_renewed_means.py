"""Means over images that the live model is asked for while a run still writes the study."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeInference
from tests.synthetic import (
    finish_synthetic_study,
    synthetic_images,
    synthetic_manifest,
    synthetic_spec,
    write_synthetic_block,
)
from vitpanel.state.online import MEAN_ATTENTION, MEAN_MODES, NO_IMAGES
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.study.writer import StudyWriter


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int | None], Study]:
    """Open a study of four blocks with some of them, five images each; None for the finished one."""
    folder, spec = tmp_path_factory.mktemp("studies"), synthetic_spec()
    manifest, images = synthetic_manifest(spec), synthetic_images(spec, 20)
    paths: dict[int | None, Path] = {}
    with StudyWriter.create_or_resume(folder / "a.study", manifest, images) as writer:
        for block in range(writer.n_blocks):
            paths[block] = Path(shutil.copytree(writer.path, folder / str(block) / "a.study"))
            write_synthetic_block(writer, block)
        paths[writer.n_blocks] = Path(shutil.copytree(writer.path, folder / "all" / "a.study"))
        finish_synthetic_study(writer)
        paths[None] = writer.path
    return lambda n_blocks: open_study(paths[n_blocks])


def session_on(study: Study, **choices: Any) -> Any:
    live: Any = FakeInference(study.spec)
    live.is_prompt = False
    return Session(study, selection=Selection(layer=1, head=2, image=None, **choices), inference=live)


def n_asked(session: Any) -> dict[str, int]:
    """How many images each waiting job is of."""
    return {purpose: len(job.images) for purpose, ((job,), _) in session.inference.waiting.items()}


def both(n: int) -> dict[str, int]:
    return {MEAN_ATTENTION: n, MEAN_MODES: n}


def test_a_job_goes_on_until_there_are_twice_as_many_images(grown):
    session = session_on(grown(2))
    first = dict(session.inference.waiting)
    assert n_asked(session) == both(10)
    session.renew(grown(3))
    assert session.inference.waiting == first
    session.renew(grown(4))
    assert n_asked(session) == both(20)


def test_means_that_are_there_are_kept_and_say_that_there_are_more_images(grown):
    session = session_on(grown(2))
    for purpose in (MEAN_ATTENTION, MEAN_MODES):
        session.inference.answer(purpose)
    kept = session.attention.value
    assert session.attention.message == "mean of 10 images"
    session.renew(grown(3))
    assert not session.inference.waiting
    assert session.attention.value is kept
    assert session.attention.message == "mean of 10 of 15 images"
    assert session.mean_mode_values().words.startswith(("10 of 15", "9 of 15", "8 of 15"))


def test_a_finished_study_is_asked_for_all_of_its_images(grown):
    session = session_on(grown(3))
    for purpose in (MEAN_ATTENTION, MEAN_MODES):
        session.inference.answer(purpose)
    session.renew(grown(4))
    assert not session.inference.waiting
    session.renew(grown(None))
    assert n_asked(session) == both(20)


def test_what_was_not_there_or_has_failed_is_asked_for_anew(grown):
    session = session_on(grown(0))
    assert session.attention.message == NO_IMAGES
    session.renew(grown(2))
    assert n_asked(session) == both(10)
    session.inference.fail(MEAN_MODES, message="No memory.", hint="")
    session.renew(grown(3))
    assert n_asked(session) == both(15)
    session.inference.fail(MEAN_ATTENTION, message="No memory.", hint="")
    session.ask_again()
    assert n_asked(session) == both(15)


def test_another_head_is_asked_for_at_once(grown):
    session = session_on(grown(2))
    session.selection.head = 0
    (job,), _ = session.inference.waiting[MEAN_MODES]
    assert (job.layer, job.head) == (1, 0)
    session.selection.image = 3
    assert MEAN_MODES not in session.inference.waiting
