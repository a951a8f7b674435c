from dataclasses import replace

import numpy as np
import pytest

from tests.synthetic import synthetic_spec, write_synthetic_study
from vitpanel.core.strength import longest_distance
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.strength import axis_span, head_density, head_values, measure_limit, patch_side, value_on_image
from vitpanel.study.reader import open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("strength") / "a.study", n_images=40))


@pytest.mark.parametrize("measure", ["entropy", "distance"])
def test_values_of_an_image_or_the_moments_of_all(study, measure: str):
    values = head_values(study, measure, 7)
    assert np.array_equal(values.per_head, study[measure][7])
    assert values.std is None
    values = head_values(study, measure, None)
    assert np.allclose(values.per_head, study[measure].mean(0), atol=1e-6)
    assert values.std is not None
    assert np.allclose(values.std, study[measure].std(0), atol=1e-5)


@pytest.mark.parametrize("measure", ["entropy", "distance"])
def test_a_density_is_of_area_1_over_the_whole_range(study, measure: str):
    density = head_density(study, measure, (1, 2), brushed=None)
    assert np.trapezoid(density.density, density.grid) == pytest.approx(1, abs=0.01)
    limit = 1 if measure == "entropy" else longest_distance(study.spec.grid)
    assert density.grid[-1] == pytest.approx(limit)
    assert measure_limit(study.spec, measure) == limit
    assert value_on_image(study, measure, (1, 2), image=3) == study[measure][3, 1, 2]
    assert value_on_image(study, measure, (1, 2), image=None) is None
    assert density.brushed is None
    assert density.n == 40
    mean = np.trapezoid(density.density * density.grid, density.grid)
    assert mean == pytest.approx(study[measure][:, 1, 2].mean(), rel=0.02)


@pytest.mark.parametrize("measure", ["entropy", "distance"])
def test_an_axis_holds_all_that_is_drawn_and_ends_at_tenths(study, measure: str):
    limit, every = measure_limit(study.spec, measure), study[measure][:]
    spans = [head_values(study, measure, image).span for image in range(40)]
    for low, high in spans:
        assert (low * 10 / limit, high * 10 / limit) == pytest.approx(
            (round(low * 10 / limit), round(high * 10 / limit))
        )
        assert 0 <= low < high <= limit
    for image, (low, high) in enumerate(spans):
        assert low <= every[image].min() <= every[image].max() <= high
    low, high = head_density(study, measure, (1, 2), brushed=None).span
    assert low <= every[:, 1, 2].min() <= every[:, 1, 2].max() <= high


def test_an_axis_is_as_narrow_as_the_values_are(study, monkeypatch: pytest.MonkeyPatch):
    def span(mean: float, std: float, *shown: float) -> tuple[float, float]:
        monkeypatch.setattr(study, "mean", lambda _: np.full((2, 3), mean))
        monkeypatch.setattr(study, "std", lambda _: np.full((2, 3), std))
        return axis_span(study, "entropy", np.array(shown))

    assert span(0.97, 0.02) == (0.9, 1)
    assert span(0.97, 0.02, 0.55) == (0.5, 1)
    assert span(0.44, 0.05, np.nan) == pytest.approx((0.2, 0.6))
    assert span(1, 0) == (0.9, 1)
    assert span(0, 0) == (0, 0.1)
    assert span(np.nan, np.nan) == (0, 1)


def test_a_brush_is_held_against_the_rest(study):
    mask = np.arange(40) < 12
    density = head_density(study, "entropy", (0, 1), brushed=mask)
    alone = head_density(study, "entropy", (0, 1), brushed=~mask)
    assert (density.n, density.n_brushed) == (28, 12)
    assert density.brushed is not None
    assert alone.brushed is not None
    assert np.array_equal(density.brushed, alone.density)
    assert np.array_equal(density.density, alone.brushed)


def test_an_empty_brush_has_no_density(study):
    density = head_density(study, "distance", (0, 1), brushed=np.zeros(40, bool))
    assert density.n_brushed == 0
    assert density.brushed is not None
    assert np.isnan(density.brushed).all()
    assert np.isfinite(density.density).all()


def test_an_image_that_is_not_done(tmp_path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    with pytest.raises(StudyIncompleteError, match="no distance for image 11"):
        head_values(study, "distance", 11)
    assert value_on_image(study, "distance", (0, 0), image=11) is None
    assert head_density(study, "distance", (0, 0), brushed=None).n == 10


def test_only_square_patches_have_a_side():
    assert patch_side(synthetic_spec(rows=4, cols=6)) == 8
    assert patch_side(replace(synthetic_spec(rows=4, cols=4), image_size=(32, 40))) is None
