"""Many points painted into one picture of the part in window."""

import numpy as np

from vitpanel.core.raster import Window

_FEW = 4000


def points_picture(
    places: np.ndarray, colours: np.ndarray, window: Window, *, lit: np.ndarray | None = None, faint: int = 40
) -> np.ndarray:
    """Paint discs, in an order that is random but the same each time, so that no colour is always on top.

    Parameters
    ----------
    places
        ``(n_points, 2)``, NaN for a point that is not drawn.
    colours
        Colour of each point, uint32 RGBA ``(n_points,)``.
    lit
        Points that stand out, bool ``(n_points,)``: they come last and the others are ``faint``, an opacity up to 255.

    Returns
    -------
    uint32 RGBA ``(height, width)``, the first row at the bottom.
    """
    order = np.random.default_rng(0).permutation(len(places))
    if lit is not None:
        order = order[np.argsort(lit[order], kind="stable")]
        colours = np.where(lit, colours, colours & np.uint32(0x00FFFFFF) | np.uint32(faint << 24))
    pixels = np.zeros((window.height, window.width), np.uint32)
    col = (places[order, 0] - window.x[0]) / (window.x[1] - window.x[0]) * window.width
    row = (places[order, 1] - window.y[0]) / (window.y[1] - window.y[0]) * window.height
    inside = (col >= 0) & (col < window.width) & (row >= 0) & (row < window.height)
    col, row, colours = col[inside].astype(int), row[inside].astype(int), colours[order][inside]
    for down, right in _disc(2 if len(col) <= _FEW else 1):
        seen = (row + down >= 0) & (row + down < window.height) & (col + right >= 0) & (col + right < window.width)
        pixels[row[seen] + down, col[seen] + right] = colours[seen]
    return pixels


def rgba(colours: list[str], alpha: int = 230) -> np.ndarray:
    """Colours as Bokeh wants them in a picture, uint32."""
    channels = [[int(colour[start : start + 2], 16) for start in (5, 3, 1)] for colour in colours]
    return np.array([alpha << 24 | blue << 16 | green << 8 | red for blue, green, red in channels], np.uint32)


def _disc(radius: int) -> list[tuple[int, int]]:
    side = range(-radius, radius + 1)
    return [(down, right) for down in side for right in side if down**2 + right**2 <= radius**2 + 1]
