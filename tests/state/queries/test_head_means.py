"""Of which images the means of a head are, and what its modes are on average."""

import numpy as np
import pytest

from tests.state.test_stored import with_modes
from tests.synthetic import write_synthetic_study
from vitpanel.core.grid import Grid
from vitpanel.core.head_means import ModesOfImages
from vitpanel.core.metrics import metric_keys
from vitpanel.core.spec import ViTSpec
from vitpanel.state.brush import Ids
from vitpanel.state.online import IDLE, NO_IMAGES, NO_MODEL
from vitpanel.state.queries.head_means import (
    ModesJob,
    has_modes,
    layers_together,
    mean_modes,
    mean_words,
    meant_images,
    stored_modes_of_images,
)
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture
def whole(tmp_path) -> Study:
    """Return a study that stores the modes of all heads."""
    return with_modes(open_study(write_synthetic_study(tmp_path / "a.study")))


def test_the_brushed_images_are_meant_or_all_and_the_words_say_how_many(study: Study):
    brush = Ids((1, 4, 6))
    assert sorted(meant_images(study, None)) == np.flatnonzero(study.done_images).tolist()
    assert sorted(meant_images(study, brush)) == [1, 4, 6]
    n = len(meant_images(study, None))
    assert mean_words(study, None, n) == f"{n} images"
    assert mean_words(study, None, 5) == f"5 of {n} images"
    assert mean_words(study, brush, 3) == "3 brushed images"
    assert mean_words(study, brush, 1) == "1 of 3 brushed images"


def test_all_layers_are_summed_together_unless_that_is_too_much():
    small, large = (ViTSpec(12, 12, Grid(side, side, ("cls",)), (224, 224), "token", 10) for side in (14, 32))
    assert layers_together(small, 3) == tuple(range(12))
    assert layers_together(large, 3) == (3,)


def test_the_mean_leaves_out_images_without_a_label_and_values_that_are_not_defined(study: Study):
    labels = study.images["label"].to_numpy()
    images = np.array([*np.flatnonzero(labels >= 0)[:2], *np.flatnonzero(labels < 0)[:1]])
    drawn = np.arange(6.0 * len(images)).reshape(len(images), 6)
    drawn[0, 3] = drawn[:, 4] = np.nan
    found = ModesOfImages(images, {"probability": drawn, "jsd": drawn})
    mean = mean_modes(study, "probability", found, brush=None)
    judged = drawn[: int((labels[images] >= 0).sum())]
    for mode in range(6):
        known = [value for value in judged[:, mode] if value == value]  # noqa: PLR0124 - NaN is not itself
        assert mean.values[mode] == pytest.approx(sum(known) / len(known) if known else np.nan, nan_ok=True)
    assert mean.words.startswith("2 of ")
    assert mean_modes(study, "jsd", found, brush=None).values[0] == pytest.approx(drawn[:, 0].mean())
    assert np.isnan(mean_modes(study, "patch", found, brush=None).values).all()


def test_stored_modes_are_of_all_images_and_drawn_as_those_of_one(whole: Study):
    assert has_modes(whole)
    session = Session(whole, selection=Selection(whole, image=None, layer=1, head=2, metric="probability"))
    found = session.mean_mode_values()
    assert found is not None
    n_judged = int((whole.images["label"].to_numpy() >= 0).sum())
    assert found.words == mean_words(whole, None, n_judged)
    modes, p_true = whole["modes/probability"], whole.images["p_true"]
    labelled = np.flatnonzero(whole.images["label"].to_numpy() >= 0).tolist()
    left = [np.clip(p_true[image] - modes[image, 1, 2], 0, 1) for image in labelled]
    assert np.allclose(found.values, np.mean(left, axis=0), atol=1e-6)
    session.selection.images = Ids((2, 5))
    of_brush = session.mean_mode_values()
    assert of_brush is not None
    assert of_brush.words == "2 brushed images"
    job = ModesJob(1, 2, (2, 5))
    assert set(stored_modes_of_images(whole, job).drawn) == set(metric_keys())
    session.selection.image = 3
    assert session.mean_mode_values() is None


def test_without_a_model_or_an_image_that_is_brushed_it_is_said(study: Study):
    session = Session(study, selection=Selection(study, image=None))
    assert session.attention.message == session.mean_modes.message == NO_MODEL
    assert session.modes.message == IDLE.message
    session.selection.images = Ids(())
    assert session.attention.message == NO_IMAGES
