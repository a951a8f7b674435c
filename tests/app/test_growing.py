"""A study that is still being written, and the line that says so."""

import gc
import shutil
import weakref
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import (
    finish_synthetic_study,
    synthetic_images,
    synthetic_manifest,
    synthetic_spec,
    write_synthetic_block,
    write_synthetic_study,
)
from vitpanel.app.explorer import Explorer, all_kinds
from vitpanel.app.growing import Growing, RunLine, run_words
from vitpanel.app.inference import ModelService
from vitpanel.errors import InferenceError
from vitpanel.state.first_values import first_values
from vitpanel.state.saved_state import STARTS, starting_values
from vitpanel.state.session import Session
from vitpanel.study.files import StudyFiles
from vitpanel.study.reader import open_study
from vitpanel.study.run_progress import RunProgress
from vitpanel.study.writer import StudyWriter
from vitpanel.views.bridge import Bridge


@pytest.fixture
def writer(tmp_path: Path):
    spec = synthetic_spec()
    with StudyWriter.create_or_resume(tmp_path / "a.study", synthetic_manifest(spec), synthetic_images(spec, 12)) as it:
        yield it


def test_a_study_is_read_anew_when_there_is_more_of_it(writer: StudyWriter):
    growing = Growing(ModelService(open_study(writer.path)))
    first = growing.look()
    assert growing.look() is first
    assert first.n_done == 0
    write_synthetic_block(writer, 0)
    second = growing.look()
    assert second.n_done > 0
    assert growing.service.study is second
    assert growing.look() is second
    for block in range(1, writer.n_blocks):
        write_synthetic_block(writer, block)
    finish_synthetic_study(writer)
    assert growing.look().is_finished


def test_no_version_of_a_study_that_grows_stays_in_memory(writer: StudyWriter):
    growing = Growing(ModelService(open_study(writer.path)))
    explorer = Explorer(growing.look(), views=list(all_kinds()))
    seen = [weakref.ref(explorer.session.study)]
    for block in range(writer.n_blocks):
        write_synthetic_block(writer, block)
        explorer.session.renew(growing.look())
        seen.append(weakref.ref(explorer.session.study))
    gc.collect()
    assert [known() is not None for known in seen] == [False] * writer.n_blocks + [True]


def test_a_study_that_is_begun_in_the_place_of_another_has_a_live_model_of_its_own(writer: StudyWriter):
    growing = Growing(ModelService(open_study(writer.path)))
    first, session = growing.service, Session(growing.look())
    line = RunLine(session, Bridge(), growing)
    writer.close()
    shutil.rmtree(writer.path)
    write_synthetic_study(writer.path, seed=7, n_heads=5)
    other = growing.look()
    assert other.fingerprint != session.study.fingerprint
    assert growing.service is not first
    assert growing.service.study is other
    line._show(other, None)
    assert "Another study has been begun in the place of" in line._pane.object
    assert session.study is first.study


@pytest.mark.parametrize("is_free", [True, False])
def test_a_page_begins_with_what_matters_unless_it_was_asked_for_something(writer: StudyWriter, is_free):
    growing = Growing(ModelService(open_study(writer.path)))
    session = Session(growing.look())
    line, before = RunLine(session, Bridge(), growing, is_free=is_free), starting_values(session.selection)
    write_synthetic_block(writer, 0)
    study = growing.look()
    line._show(study, None)
    assert starting_values(session.selection) == before | (first_values(study) if is_free else {})
    assert session.selection.history.before is None


def test_what_a_person_has_chosen_stays_when_it_is_known_what_matters(writer: StudyWriter):
    growing = Growing(ModelService(open_study(writer.path)))
    session = Session(growing.look())
    line = RunLine(session, Bridge(), growing)
    session.selection.share_source = "patches"
    chosen = {name: getattr(session.selection, name) for name in STARTS}
    write_synthetic_block(writer, 0)
    line._show(growing.look(), None)
    assert {name: getattr(session.selection, name) for name in STARTS} == chosen


@pytest.mark.slow
def test_the_live_model_answers_for_images_that_have_come_since(live_study_path: Path, tmp_path: Path):
    path = Path(shutil.copytree(live_study_path, tmp_path / "a.study"))
    there, away = StudyFiles(path).receipts, tmp_path / "receipts"
    there.rename(away)
    growing = Growing(ModelService(open_study(path)))
    with pytest.raises(InferenceError, match=r"Image 0 of a\.study is not computed yet"):
        growing.service.attention(0, 0)
    away.rename(there)
    assert growing.look().n_done > 0
    assert np.allclose(growing.service.attention(0, 0)[0].sum(-1), 1, atol=1e-3)


def test_what_was_written_while_the_study_was_opened_is_seen(writer: StudyWriter):
    service = ModelService(open_study(writer.path))
    for block in range(writer.n_blocks):
        write_synthetic_block(writer, block)
    finish_synthetic_study(writer)
    assert Growing(service).look().is_finished


def test_one_map_is_there_before_the_others(writer: StudyWriter):
    for block in range(writer.n_blocks):
        write_synthetic_block(writer, block)
    other = open_study(write_synthetic_study(writer.path.parent / "whole.study"))
    writer.write_array("layout/patch", other["layout/patch"])
    assert "layout/patch" not in open_study(writer.path)
    writer.note_array("layout/patch")
    study = open_study(writer.path)
    assert "layout/patch" in study
    assert "layout/cls" not in study
    assert study["layout/patch"].shape == other["layout/patch"].shape
    assert not study.is_finished
    assert not writer.is_done("layout")


def test_the_line_says_what_is_computed_what_comes_and_when(writer: StudyWriter):
    study = open_study(writer.path)
    words = run_words(study, RunProgress("importance and attention of heads", 4, 12, "image", 300.0))
    assert "importance and attention of heads, 4 of 12 images, 5 min left." in words
    assert words.endswith("Then come codes of attention patterns and maps.")
    assert "41 s left" in run_words(study, RunProgress("importance and attention of heads", 4, 12, "image", 41.0))
    assert "nothing computes it now: 0 of 12 images" in run_words(study, None)
    for block in range(writer.n_blocks):
        write_synthetic_block(writer, block)
    finish_synthetic_study(writer)
    assert "Then" not in run_words(open_study(writer.path), RunProgress("map of heads by Patch", 25, 750, "step"))
