"""What a session asks a study with stored modes, and what it still asks the live model."""

from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeInference
from tests.stored_modes import write_modes
from tests.synthetic import synthetic_images, write_synthetic_study
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.state.online import NO_MODEL, Online
from vitpanel.state.stored import StoredModes, with_stored_modes
from vitpanel.study.reader import Study, open_study
from vitpanel.study.writer import StudyWriter


@pytest.fixture
def study(tmp_path) -> Study:
    return open_study(write_synthetic_study(tmp_path / "a.study"))


def with_modes(study: Study) -> Study:
    """Add the modes of all heads to a study, at random."""
    images = synthetic_images(study.spec, study.n_images)
    with StudyWriter.create_or_resume(study.path, study.manifest, images) as writer:
        write_modes(writer)
    return open_study(study.path)


def test_attention_and_the_atlas_come_from_the_live_model(study: Study):
    live, answers = FakeInference(study.spec), list[Online[Any]]()
    live.is_prompt = False
    source = StoredModes(study, live)
    source.atlas(4, answers.append)
    source.attention(4, 1, answers.append)
    assert [answer.status for answer in answers] == ["running", "running"]
    live.answer("atlas")
    assert np.array_equal(np.asarray(answers[-1].value), live.thumbnails(4))
    live.answer("attention")
    assert np.array_equal(np.asarray(answers[-1].value), live.matrices(4, 1))


def test_without_a_model_both_say_so_and_the_modes_are_there(study: Study):
    whole, answers = with_modes(study), list[Online[Any]]()
    source = with_stored_modes(whole, None)
    assert isinstance(source, StoredModes)
    source.atlas(4, answers.append)
    source.attention(4, 1, answers.append)
    source.modes(4, 1, 2, answers.append)
    assert [(answer.status, answer.message) for answer in answers] == [("idle", NO_MODEL)] * 2 + [("done", "")]
    found = answers[-1].value
    assert isinstance(found, PrunedHead)
    assert found.probabilities is not None
    assert np.array_equal(found.layer["patch"], whole["modes/patch"][4, 1, 2])
    assert np.array_equal(found.probabilities[0], whole["probabilities"][4])


def test_a_study_without_modes_leaves_all_to_the_live_model(study: Study):
    live = FakeInference(study.spec)
    assert with_stored_modes(study, live) is live
    assert with_stored_modes(study, None) is None
