import math

import numpy as np
import pytest

from vitpanel.core.stats import NARROWEST, Moments, hedges_g, known_moments, mean_over_heads, unit_density


def slow_density(values, places, width):
    """Kernel estimate by its definition, one value and one mirror image at a time."""
    density = np.zeros(len(places))
    for value in values:
        for mirror in (value, -value, 2 - value):
            density += np.exp(-(((places - mirror) / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))
    return density / len(values)


def silverman(values):
    spread = min(values.std(), np.subtract(*np.percentile(values, [75, 25])) / 1.34)
    return max(0.9 * spread * len(values) ** -0.2, NARROWEST)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 0.2), (0.7, 1), (0.4, 0.45)])
def test_unit_density_agrees_with_the_kernel_estimate(low, high):
    values = np.random.default_rng(0).uniform(low, high, 200)
    grid, density = unit_density(values)
    expected = slow_density(values, grid, silverman(values))
    assert np.abs(density - expected).max() < 0.02 * expected.max()


@pytest.mark.parametrize("values", [[0.0], [1.0], [0.5, 0.5, 0.5], [0.1, 0.9, np.nan]])
def test_unit_density_has_area_one(values):
    grid, density = unit_density(np.array(values))
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=5e-3)


def test_unit_density_leaves_nan_out():
    values = np.array([0.2, 0.4, 0.9])
    assert np.array_equal(unit_density(np.append(values, np.nan))[1], unit_density(values)[1])


def test_unit_density_of_nothing_is_nan():
    grid, density = unit_density(np.array([np.nan]), n_points=5)
    assert np.array_equal(grid, [0, 0.25, 0.5, 0.75, 1])
    assert np.isnan(density).all()


def values_with_gaps(n=1300, shape=(2, 3)):
    """Skewed float32 values, more than are taken at once; one in twenty is NaN, the last column nearly always."""
    rng = np.random.default_rng(1)
    values = rng.beta(1, 6, (n, *shape)).astype(np.float32)
    values[rng.random(values.shape) < 0.05] = np.nan
    values[1:, -1, -1] = np.nan
    return values


@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
@pytest.mark.parametrize("with_baseline", [False, True])
def test_moments_over_some_rows_are_those_of_each_column(share, with_baseline):
    values, rng = values_with_gaps(), np.random.default_rng(2)
    mask, baseline = rng.random(len(values)) < share, rng.random(len(values))
    found = known_moments(values, mask, baseline=baseline if with_baseline else None)
    for place in np.ndindex(2, 3):
        column = [float(value) for value in values[(mask, *place)]]
        if with_baseline:
            column = [base - value for base, value in zip(baseline[mask], column, strict=True)]
        column = [value for value in column if not math.isnan(value)]
        assert found.count[place] == len(column)
        assert found.mean[place] == pytest.approx(np.mean(column) if column else np.nan, nan_ok=True)
        assert found.std[place] == pytest.approx(np.std(column) if column else np.nan, nan_ok=True)


def test_moments_of_no_rows_are_not_known():
    found = known_moments(values_with_gaps(), np.zeros(1300, bool))
    assert not found.count.any()
    assert not found.squares.any()
    assert np.isnan(found.mean).all()
    assert np.isnan(found.std).all()


def test_equal_values_have_no_spread_whatever_the_other_columns_have():
    values = np.full((1300, 2), 0.1, np.float32)
    values[:, 1] = 1e-3 + np.linspace(0, 1e-6, 1300)
    found = known_moments(values, np.arange(1300) % 3 > 0)
    assert found.std[0] == 0
    assert found.std[1] == pytest.approx(values[np.arange(1300) % 3 > 0, 1].astype(float).std())


def slow_hedges_g(one, other):
    """Hedges' g of two lists as the books have it, with the exact factor of Hedges 1981, Eq. 6d."""
    m = len(one) + len(other) - 2
    pooled = ((len(one) - 1) * np.var(one, ddof=1) + (len(other) - 1) * np.var(other, ddof=1)) / m
    factor = math.gamma(m / 2) / (math.sqrt(m / 2) * math.gamma((m - 1) / 2))
    return factor * (np.mean(one) - np.mean(other)) / math.sqrt(pooled)


def moments_of(*columns):
    return Moments(*(np.array(part, float) for part in zip(*map(moments_of_list, columns), strict=True)))


def moments_of_list(values):
    return len(values), np.mean(values) if len(values) else np.nan, len(values) * np.var(values) if len(values) else 0.0


@pytest.mark.parametrize(("n_one", "n_other"), [(2, 2), (2, 60), (20, 15), (100, 50)])
def test_effect_size_by_its_definition(n_one, n_other):
    rng = np.random.default_rng(n_one)
    one, other = rng.normal(0.4, 1, n_one), rng.normal(0, 1, n_other)
    found = hedges_g(moments_of(one), moments_of(other))
    expected = slow_hedges_g(one, other)
    # The factor without gamma functions is 0.5714 in place of 0.5642 at the fewest values.
    assert found.effect[0] == pytest.approx(expected, rel=0.015)
    half = 1.96 * math.sqrt(1 / n_one + 1 / n_other + expected**2 / (2 * (n_one + n_other)))
    assert found.high[0] - found.effect[0] == pytest.approx(half, rel=0.01)
    assert found.effect[0] - found.low[0] == pytest.approx(half, rel=0.01)


@pytest.mark.parametrize(
    ("one", "other"),
    [([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0]), ([], [1.0, 2.0]), ([1.0, 2.0], []), ([1.0, 1.0], [2.0, 2.0])],
)
def test_no_effect_size_of_one_value_or_without_spread(one, other):
    found = hedges_g(moments_of(one), moments_of(other))
    assert np.isnan([found.effect, found.low, found.high]).all()


@pytest.mark.parametrize(("n_one", "n_other", "effect"), [(10, 10, 0.0), (15, 60, 0.8), (60, 400, -0.4)])
def test_intervals_hold_the_effect_as_often_as_they_say(n_one, n_other, effect):
    rng = np.random.default_rng(3)
    values = rng.normal(size=(n_one + n_other, 4000))
    is_one = np.arange(len(values)) < n_one
    values[is_one] += effect
    found = hedges_g(known_moments(values, is_one), known_moments(values, ~is_one))
    assert found.effect.mean() == pytest.approx(effect, abs=0.02)
    assert np.mean((found.low <= effect) & (effect <= found.high)) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("share", [0, 0.1, 1])
def test_means_one_by_one(share: float):
    rng = np.random.default_rng(0)
    values = rng.beta(1, 6, (1100, 3, 4)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    heads = np.zeros((3, 4), bool)
    heads.ravel()[: round(share * heads.size)] = True
    expected = []
    for of_image in values:
        known = [float(value) for value, is_in in zip(of_image.ravel(), heads.ravel(), strict=True) if is_in]
        known = [value for value in known if not math.isnan(value)]
        expected.append(sum(known) / len(known) if known else math.nan)
    assert mean_over_heads(values, heads) == pytest.approx(np.array(expected), nan_ok=True)
