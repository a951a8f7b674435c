"""Nearest points and densities."""

import numpy as np
import pytest

from vitpanel.core import points
from vitpanel.core.points import nearest_point, smoothed


@pytest.mark.parametrize("chunk", [1 << 20, 7])
def test_nearest_is_measured_on_the_screen(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, chunk: int):
    monkeypatch.setattr(points, "CHUNK", chunk)
    x, y = rng.normal(size=(2, 50)).astype(np.float32)
    for at in rng.normal(size=(20, 2)):
        distances = [((x[i] - at[0]) * 100) ** 2 + ((y[i] - at[1]) * 3) ** 2 for i in range(50)]
        assert nearest_point(x, y, tuple(at), scale=(100, 3)) == int(np.argmin(distances))


def test_nearest_of_nothing():
    assert nearest_point(np.empty(0, np.float32), np.empty(0, np.float32), (0, 0), scale=(1, 1)) == -1


def test_smoothing_is_a_gaussian_convolution(rng: np.random.Generator):
    counts = rng.integers(0, 5, (9, 12))
    sigma, reach = 1.2, 4
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    expected = np.zeros(counts.shape)
    for row in range(9):
        for col in range(12):
            for down in range(-reach, reach + 1):
                for right in range(-reach, reach + 1):
                    if 0 <= row + down < 9 and 0 <= col + right < 12:
                        weight = kernel[down + reach] * kernel[right + reach]
                        expected[row, col] += weight * counts[row + down, col + right]
    assert np.allclose(smoothed(counts, sigma), expected, atol=1e-5)
