"""Mean over many images from exact values of a few and an estimate of each."""

from dataclasses import dataclass

import numpy as np

# Student's t at 97.5 % by degrees of freedom. Between them, linear in their inverse, it is up to 2 % too large.
_DEGREES = np.array([2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, np.inf])
_T = np.array([4.3027, 3.1825, 2.7765, 2.5706, 2.4469, 2.3060, 2.2281, 2.1315, 2.0860, 2.0423, 2.0003, 1.9600])
_FEWEST = 4


@dataclass(frozen=True)
class MeanEstimate:
    """Means of several quantities over all images, each with a 95 % confidence interval of ± ``half_width``."""

    mean: np.ndarray
    half_width: np.ndarray


def mean_with_control(
    sample: np.ndarray, control: np.ndarray, *, chosen: np.ndarray, beta: float | None = None
) -> MeanEstimate:
    """Mean over N images of what is known for n of them, drawn at random without replacement.

    With y what is wanted and x the control variate, m = ȳ + β·(X − x̄), where ȳ and x̄ are means over the sample and X
    is the mean over all; β = 0 is the mean of the sample. Its variance is
    (1 − n/N) · Σ w² · (e / (1 − h))², with the residuals e = y − ȳ − β·(x − x̄), the weights
    w = 1/n + (X − x̄)·(x − x̄)/S and the leverages h = 1/n + (x − x̄)²/S, S = Σ (x − x̄)². The interval is m ± t·√variance
    with t of 2n/(κ − 1) degrees of freedom, at least 2 and at most n − 2, where κ is the kurtosis of the terms, the
    largest of all quantities: importance is small on most images and large on some, and a sample tells less of such a
    variance. A quantity whose few large values the sample has missed looks harmless, so that the others speak for it.

    With β given nothing balances the large values: most samples have too few of them, so that their mean is too small
    and their variance too, and ± t fails more often than it says where values are most skewed. Then t becomes
    t + γ·(1 + 2t²)/6, which is the farther end of the interval that is corrected for the skewness γ of the mean,
    Σ terms³ / (Σ terms²)^1.5, again the largest of all quantities, without its sign. The finite population alters the
    second summand by 6 % at most as long as half of it is not drawn.

    Parameters
    ----------
    sample
        y, ``(n, …)``.
    control
        x of all images, ``(N, …)``.
    chosen
        Which of the N are the sample, ``(n,)``.
    beta
        None takes the least squares of the sample, which brings a bias of the order 1/n; 0 where x does not vary.
        A value given beforehand widens the interval by the skewness.

    Returns
    -------
    float64 of shape ``(…)``. For any β given beforehand the mean is unbiased.

    Raises
    ------
    ValueError
        If the sample has less than four images.

    References
    ----------
    Cochran 1977, Sampling Techniques, 7.3 to 7.5 (the estimator and the finite population); MacKinnon and White 1985
    (HC3, the variance); Satterthwaite 1946 (degrees of freedom of a variance); Johnson 1978, Modified t Tests and
    Confidence Intervals for Asymmetrical Populations, and Hall 1992, The Bootstrap and Edgeworth Expansion (skewness).
    """
    n, n_all = len(sample), len(control)
    if n < _FEWEST:
        message = f"{n} images are too few for an interval; it takes {_FEWEST}."
        raise ValueError(message)
    y, x = sample.astype(np.float64), control.astype(np.float64)
    ahead, x = x.mean(0) - x[chosen].mean(0), x[chosen] - x[chosen].mean(0)
    mean, y = y.mean(0), y - y.mean(0)
    inverse = _inverse((x * x).sum(0))
    is_fitted = beta is None
    slope = (x * y).sum(0) * inverse if is_fitted else np.full_like(mean, beta)
    leverage = 1 / n + (x * x * inverse if is_fitted else 0)
    weight = 1 / n + (ahead * x * inverse if is_fitted else 0)
    # A single image that alone decides the slope has leverage 1 and no residual.
    terms = weight * (y - slope * x) / np.maximum(1 - leverage, 1 / n)
    squares = terms**2
    variance = squares.sum(0)
    kurtosis = n * (squares**2).sum(0) * _inverse(variance**2)
    degrees = float(np.clip(2 * n / max(float(kurtosis.max()) - 1, 1e-9), _DEGREES[0], n - 2))
    t = _t(degrees)
    if not is_fitted:
        skewness = np.abs((squares * terms).sum(0)) * _inverse(variance**1.5)
        t += float(skewness.max()) * (1 + 2 * t**2) / 6
    return MeanEstimate(mean + slope * ahead, t * np.sqrt((1 - n / n_all) * variance))


def _t(degrees: float) -> float:
    return float(np.interp(1 / degrees, 1 / _DEGREES[::-1], _T[::-1]))


def _inverse(values: np.ndarray) -> np.ndarray:
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)
