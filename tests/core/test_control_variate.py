"""Means with a control variate, on numbers whose law is known."""

import numpy as np
import pytest

from vitpanel.core.control_variate import mean_with_control

N, SAMPLE, N_DRAWS = 400, 60, 1500


@pytest.fixture(scope="module")
def population() -> tuple[np.ndarray, np.ndarray]:
    """Return y and x of all images: three quantities, with residuals that are normal, skewed, and all there is."""
    rng = np.random.default_rng(1)
    x = rng.gamma(2, 1, (N, 3))
    noise = np.stack([rng.normal(0, 0.3, N), rng.gamma(0.5, 0.6, N) - 0.3, rng.normal(0, 1, N)], 1)
    return 0.2 + x * [0.7, 1.4, 0] + noise, x


@pytest.fixture(scope="module")
def draws(population) -> dict[float | None, tuple[np.ndarray, np.ndarray]]:
    """Return error and half width of many samples, ``(N_DRAWS, 3)`` each, by what was given for beta."""
    y, x = population
    results = {}
    for beta in (0.0, 0.9, None):
        estimates = []
        for seed in range(N_DRAWS):
            chosen = np.random.default_rng(seed).choice(N, SAMPLE, replace=False)
            estimates.append(mean_with_control(y[chosen], x, chosen=chosen, beta=beta))
        error = np.stack([estimate.mean for estimate in estimates]) - y.mean(0)
        results[beta] = error, np.stack([estimate.half_width for estimate in estimates])
    return results


def test_without_a_slope_it_is_the_mean_of_the_sample(population):
    y, x = population
    chosen = np.arange(0, N, 7)
    estimate = mean_with_control(y[chosen], x, chosen=chosen, beta=0)
    assert np.allclose(estimate.mean, y[chosen].mean(0))
    jackknife = [np.delete(y[chosen], row, 0).mean(0) for row in range(len(chosen))]
    n = len(chosen)
    variance = (1 - n / N) * ((np.stack(jackknife) - y[chosen].mean(0)) ** 2).sum(0)
    centred = y[chosen] - y[chosen].mean(0)
    skewness = ((centred**3).mean(0) / centred.var(0) ** 1.5).max() / np.sqrt(n)
    for t, bound in ((1.96, np.greater), (2.2, np.less)):
        assert bound(estimate.half_width, (t + skewness * (1 + 2 * t**2) / 6) * np.sqrt(variance)).all()


def test_a_given_slope_is_as_wide_for_values_that_lean_to_the_other_side(population):
    y, x = population
    chosen = np.arange(0, N, 7)
    one, other = (mean_with_control(sign * y[chosen], x, chosen=chosen, beta=0) for sign in (1, -1))
    assert np.allclose(one.half_width, other.half_width)


@pytest.mark.parametrize("n", [30, 45, 70])
@pytest.mark.parametrize("spread", [1.0, 1.3, 1.6])
def test_the_interval_holds_for_every_quantity_where_few_images_decide_the_mean(n, spread):
    n_all, rng = 7 * n, np.random.default_rng(n)
    # As importance is: part of what makes it large on an image is the image, and part the head.
    image, head = rng.normal(0, 1, (n_all, 1)), rng.normal(0, 1, (n_all, 24))
    y = np.exp(spread * (np.sqrt(0.7) * image + np.sqrt(0.3) * head))
    holds, plain_holds = [], []
    for seed in range(1000):
        chosen = np.random.default_rng(seed).choice(n_all, n, replace=False)
        found = mean_with_control(y[chosen], np.zeros_like(y), chosen=chosen, beta=0)
        error = np.abs(found.mean - y.mean(0))
        holds.append(error <= found.half_width)
        plain_holds.append(error <= 2.05 * y[chosen].std(0, ddof=1) * np.sqrt(1 / n - 1 / n_all))
    assert np.mean(holds, 0).min() > 0.95 - 2 * np.sqrt(0.05 * 0.95 / 1000)
    # The interval that takes the values for normal ones does not hold even on average.
    assert np.mean(plain_holds) < 0.93


def test_the_slope_and_the_variance_are_those_of_least_squares(population):
    y, x = population
    chosen = np.arange(3, N, 9)
    estimate = mean_with_control(y[chosen], x, chosen=chosen)
    n, target = len(chosen), x.mean(0)
    for k in range(3):
        design = np.stack([np.ones(n), x[chosen, k]], 1)
        hat = design @ np.linalg.inv(design.T @ design) @ design.T
        coefficients = np.linalg.lstsq(design, y[chosen, k], rcond=None)[0]
        at = np.array([1, target[k]])
        assert estimate.mean[k] == pytest.approx(at @ coefficients)
        left = (y[chosen, k] - design @ coefficients) / (1 - np.diag(hat))
        bread = np.linalg.inv(design.T @ design)
        variance = (1 - n / N) * at @ bread @ (design.T * left**2) @ design @ bread @ at
        assert 1.96 <= estimate.half_width[k] / np.sqrt(variance) < 2.6


@pytest.mark.parametrize("beta", [0.0, 0.9, None])
def test_it_is_unbiased_and_its_interval_holds_as_often_as_it_says(draws, beta):
    error, half_width = draws[beta]
    by_chance = error.std(0) / np.sqrt(N_DRAWS)
    # A fitted slope has a bias of the order 1/n, far below the interval.
    assert (np.abs(error.mean(0)) < 4 * by_chance + (0 if beta is not None else 0.05 * half_width.mean(0))).all()
    covered = (np.abs(error) <= half_width).mean(0)
    assert (covered > 0.93).all()
    assert (covered < 0.99).all()


def test_a_control_variate_narrows_what_it_explains_and_leaves_the_rest(draws):
    narrower = draws[None][1].mean(0) / draws[0.0][1].mean(0)
    assert (narrower[:2] < 0.4).all()
    assert narrower[2] == pytest.approx(1, abs=0.1)
    assert np.std(draws[None][0], 0)[0] < 0.4 * np.std(draws[0.0][0], 0)[0]


def test_what_does_not_vary_explains_nothing_and_what_is_explained_wholly_has_no_interval(population):
    y, x = population
    chosen = np.arange(0, N, 8)
    constant = mean_with_control(y[chosen], np.ones_like(x), chosen=chosen)
    assert np.allclose(constant.mean, y[chosen].mean(0))
    whole = mean_with_control(2 * x[chosen] + 1, x, chosen=chosen)
    assert np.allclose(whole.mean, 2 * x.mean(0) + 1)
    assert np.allclose(whole.half_width, 0, atol=1e-12)
    everything = mean_with_control(y, x, chosen=np.arange(N))
    assert np.allclose(everything.mean, y.mean(0))
    assert not everything.half_width.any()


def test_too_few_images_have_no_interval(population):
    y, x = population
    with pytest.raises(ValueError, match="3 images are too few"):
        mean_with_control(y[:3], x, chosen=np.arange(3))
