from dataclasses import replace

import numpy as np
import pytest

from tests.synthetic import synthetic_spec, write_synthetic_study
from vitpanel.core.strength import longest_distance
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.strength import axis_span, head_density, head_values, measure_limit, patch_side, value_on_image
from vitpanel.study.reader import Study, open_study


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
def test_a_density_is_of_area_1(study, measure: str):
    density = head_density(study, measure, (1, 2), brushed=None)
    assert np.trapezoid(density.density, density.grid) == pytest.approx(1, abs=0.01)
    limit = 1 if measure == "entropy" else longest_distance(study.spec.grid)
    assert measure_limit(study.spec, measure) == limit
    assert value_on_image(study, measure, (1, 2), image=3) == study[measure][3, 1, 2]
    assert value_on_image(study, measure, (1, 2), image=None) is None
    assert density.brushed is None
    assert density.n == 40
    mean = np.trapezoid(density.density * density.grid, density.grid)
    assert mean == pytest.approx(study[measure][:, 1, 2].mean(), rel=0.02)


@pytest.mark.parametrize("measure", ["entropy", "distance"])
def test_an_axis_fits_the_values_of_all_images_and_what_is_shown_with_a_twentieth_more(study, measure: str):
    limit, every = measure_limit(study.spec, measure), study[measure]

    def expected(*shown):
        seen = np.concatenate([np.percentile(every, [1, 99]), *(np.ravel(part) for part in shown)])
        air = 0.05 * (seen.max() - seen.min())
        return pytest.approx((max(seen.min() - air, 0), min(seen.max() + air, limit)), abs=1e-5)

    mean, std = every.mean(0), every.std(0)
    assert head_values(study, measure, 7).span == expected(every[7])
    assert head_values(study, measure, None).span == expected(mean - std, mean + std)
    assert head_density(study, measure, (1, 2), brushed=None).span == expected(every[:, 1, 2])


def test_one_strange_head_on_one_image_does_not_squeeze_the_others(study, monkeypatch: pytest.MonkeyPatch):
    values = np.full((40, 2, 3), 0.97) + np.linspace(0, 0.02, 240).reshape(40, 2, 3)
    values[5, 1, 1] = 0.1
    monkeypatch.setattr(Study, "__getitem__", lambda *_: values)
    low, high = axis_span(open_study(study.path), "entropy", values[7])
    assert 0.96 < low < high <= 1
    assert axis_span(open_study(study.path), "entropy", values[5])[0] < 0.1


def test_an_axis_of_values_that_are_all_alike_still_has_a_length(tmp_path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_images=1, n_layers=1, n_heads=1))
    low, high = axis_span(study, "entropy")
    assert low < study["entropy"][0, 0, 0] < high < low + 0.01


def test_a_narrow_distribution_is_drawn_with_as_many_places_as_a_wide_one(study):
    density = head_density(study, "entropy", (1, 2), brushed=None)
    low, high = density.span
    assert (density.grid[0], density.grid[-1], len(density.grid)) == (low, pytest.approx(high), 257)


def test_entropy_on_one_patch_is_not_defined_and_distance_is_0(tmp_path):
    study = open_study(write_synthetic_study(tmp_path / "one.study", rows=1, cols=1))
    for image in (3, None):
        with pytest.raises(StudyIncompleteError, match="not defined on a grid of one patch"):
            head_values(study, "entropy", image)
        assert not head_values(study, "distance", image).per_head.any()
    with pytest.raises(StudyIncompleteError, match="not defined on a grid of one patch"):
        head_density(study, "entropy", (0, 0), brushed=None)
    assert head_density(study, "distance", (0, 0), brushed=None).n == 12


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
