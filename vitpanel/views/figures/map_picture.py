"""D1: rasters of points as pictures."""

import numpy as np
from bokeh.palettes import Viridis256

from vitpanel.core.points import smoothed
from vitpanel.core.raster import Raster
from vitpanel.state.patterns import MapColours
from vitpanel.views.palette import MEAN, MUTED, class_colours, layer_colours

N_BANDS = 9
DENSITY_ALPHA = (28, 225)
POINT_ALPHA = (120, 235)
SHARPEST, SMOOTHEST = 3.0, 12.0
# Up to so many points in sight they are drawn with this radius in pixels.
RADII = ((400, 3), (6_000, 2), (60_000, 1))


def colour_palette(colours: MapColours, *, n_layers: int) -> tuple[str, ...]:
    """One colour for each value of a category, or 256 along a range."""
    if colours.kind == "layer":
        return layer_colours(n_layers)
    if colours.names:
        return tuple(class_colours(colours.names).values())
    return tuple(Viridis256)


def colour_index(values: np.ndarray, colours: MapColours, n_colours: int) -> np.ndarray:
    """Place of values in their palette; ``n_colours`` where they are NaN."""
    if not colours.names:
        values = np.clip((values - colours.low) / (colours.high - colours.low), 0, 1) * (n_colours - 1)
    return np.where(np.isnan(values), n_colours, np.nan_to_num(values)).astype(np.int64)


def density_of(raster: Raster) -> np.ndarray:
    """Smooth density in heads per pixel, float32; the fewer points are in sight, the smoother."""
    sigma = float(np.clip(60 * max(raster.counts.sum(), 1) ** -0.3, SHARPEST, SMOOTHEST))
    return smoothed(raster.counts, sigma)


def density_picture(density: np.ndarray, palette: tuple[str, ...] | None = None) -> np.ndarray:
    """Filled contours of a density, uint32 RGBA: the denser, the less transparent.

    Parameters
    ----------
    density
        ``(height, width)``.
    palette
        Colours from low to high; without one, all contours are grey.
    """
    root = np.sqrt(density / max(float(density.max()), 1e-9))
    band = np.minimum((root * N_BANDS).astype(np.int64), N_BANDS - 1)
    alpha = np.linspace(*DENSITY_ALPHA, N_BANDS).astype(int)
    alpha[0] = 0
    at = np.linspace(0, 1, N_BANDS)
    colours = [MEAN] * N_BANDS if palette is None else [palette[int(place * (len(palette) - 1))] for place in at]
    shades = np.array([rgba(colour, alpha=int(a)) for colour, a in zip(colours, alpha, strict=True)], np.uint32)
    return shades[band]


def point_picture(raster: Raster, index: np.ndarray, palette: tuple[str, ...]) -> np.ndarray:
    """Points in their colours, uint32 RGBA: the more on one pixel, the less transparent.

    Parameters
    ----------
    raster
        As `thickened` gives it.
    index
        Colour of each pixel's topmost point in the palette; one past its end where that is not known.
    """
    few, many = POINT_ALPHA
    most = max(int(raster.counts.max()), 2)
    alpha = few + (many - few) * np.log(np.maximum(raster.counts, 1)) / np.log(most)
    shades = np.array([rgba(colour, alpha=0) for colour in (*palette, MUTED)], np.uint32)
    pixels = shades[index] | alpha.astype(np.uint32) << 24
    return np.where(raster.top >= 0, pixels, np.uint32(0))


def thickened(raster: Raster) -> Raster:
    """Let each point cover the pixels around it, as many as fit the number of points in sight."""
    n = int(raster.counts.sum())
    radius = next((radius for most, radius in RADII if n <= most), 0)
    if not radius:
        return raster
    counts, top = raster.counts.copy(), raster.top.copy()
    reach = range(-radius, radius + 1)
    for down, right in [(d, r) for d in reach for r in reach if 0 < np.hypot(d, r) < radius + 0.5]:
        here, there = (tuple(_shifted(s * step) for step in (down, right)) for s in (1, -1))
        np.maximum(counts[here], raster.counts[there], out=counts[here])
        np.maximum(top[here], raster.top[there], out=top[here])
    return Raster(counts, top)


def _shifted(step: int) -> slice:
    """Part of an axis that has something ``step`` places before it."""
    return slice(max(step, 0), min(step, 0) or None)


def rgba(colour: str, *, alpha: int) -> int:
    """Pixel of ``#rrggbb`` as Bokeh's images have it."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return alpha << 24 | blue << 16 | green << 8 | red
