"""Many points painted into one picture of the part in sight."""

from dataclasses import dataclass

import numpy as np

_FEW = 4000


@dataclass(frozen=True)
class Sight:
    """Part of a map that is seen: ranges of x and y, and the size of the frame in pixels."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int


def points_picture(
    places: np.ndarray, colours: np.ndarray, sight: Sight, *, lit: np.ndarray | None = None, faint: int = 40
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
    pixels = np.zeros((sight.height, sight.width), np.uint32)
    col = (places[order, 0] - sight.x[0]) / (sight.x[1] - sight.x[0]) * sight.width
    row = (places[order, 1] - sight.y[0]) / (sight.y[1] - sight.y[0]) * sight.height
    inside = (col >= 0) & (col < sight.width) & (row >= 0) & (row < sight.height)
    col, row, colours = col[inside].astype(int), row[inside].astype(int), colours[order][inside]
    for down, right in _disc(2 if len(col) <= _FEW else 1):
        seen = (row + down >= 0) & (row + down < sight.height) & (col + right >= 0) & (col + right < sight.width)
        pixels[row[seen] + down, col[seen] + right] = colours[seen]
    return pixels


def rgba(colours: list[str], alpha: int = 230) -> np.ndarray:
    """Colours as Bokeh wants them in a picture, uint32."""
    channels = [[int(colour[start : start + 2], 16) for start in (5, 3, 1)] for colour in colours]
    return np.array([alpha << 24 | blue << 16 | green << 8 | red for blue, green, red in channels], np.uint32)


def _disc(radius: int) -> list[tuple[int, int]]:
    side = range(-radius, radius + 1)
    return [(down, right) for down in side for right in side if down**2 + right**2 <= radius**2 + 1]
