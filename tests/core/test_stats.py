import numpy as np
import pytest

from vitpanel.core.stats import NARROWEST, unit_density


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
