"""Counts of points as pictures."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from bokeh.palettes import Viridis256

from vitpanel.drawing.point_grid import Points
from vitpanel.drawing.points import smoothed
from vitpanel.drawing.viewport import Viewport
from vitpanel.elements.density import Picture, Raster, ranked
from vitpanel.state.patterns import MapColours
from vitpanel.theme.palette import MEAN, MUTED, class_colours, dark_colour, layer_colours, rgba, signed_colours
from vitpanel.theme.shares import share_colours

N_BANDS = 10
# Of the height that a single point has, what is shaded at least.
FAINTEST = 0.1
EXPONENT = 0.45
DENSITY_ALPHA = (26, 235)
POINT_ALPHA = (150, 240)
STAMP_ALPHA = 200
SHARPEST, SMOOTHEST = 3.0, 12.0
# Up to so many points in sight they are drawn with this radius in pixels.
RADII = ((400, 3), (6_000, 2), (60_000, 1))

# Without the ends that are hard to see on dark or on light ground.
RAMP = tuple(Viridis256[40:246])


def colour_palette(colours: MapColours, *, n_layers: int, dark: bool = False) -> tuple[str, ...]:
    """One colour for each value of a category, or many along a range."""
    if colours.kind == "layer":
        return layer_colours(n_layers, dark=dark)
    if colours.names:
        return tuple(class_colours(colours.names).values())
    if colours.kind == "tokens":
        return share_colours(np.empty(0), dark=dark).ramp
    return signed_colours() if colours.is_signed else RAMP


def colour_index(values: np.ndarray, colours: MapColours, n_colours: int) -> np.ndarray:
    """Place of values in their palette; ``n_colours`` where they are NaN."""
    if not colours.names:
        values = np.clip((values - colours.low) / (colours.high - colours.low), 0, 1) * (n_colours - 1)
    return np.where(np.isnan(values), n_colours, np.nan_to_num(values)).astype(np.int64)


@dataclass(frozen=True)
class Density:
    """Smooth density: ``heights`` ``(height, width)`` in points per pixel, and the height at a single one."""

    heights: np.ndarray
    single: float

    @property
    def most(self) -> float:
        """The greatest height, above 0 so that it can be divided by."""
        return max(float(self.heights.max()), 1e-9)

    @classmethod
    def of_counts(cls, counts: np.ndarray) -> Self:
        """Smooth density of counts on pixels; the fewer points are in sight, the smoother."""
        sigma = float(np.clip(60 * max(counts.sum(), 1) ** -0.3, SHARPEST, SMOOTHEST))
        return cls(smoothed(counts, sigma), 1 / (2 * np.pi * sigma**2))


def density_picture(density: Density, *, palette: tuple[str, ...] | None = None, dark: bool = False) -> np.ndarray:
    """Filled contours of a density, uint32 RGBA: the denser, the less transparent.

    Parameters
    ----------
    density
        Bands follow a power of it, so that differences show where it is dense, and single points are seen as well.
    palette
        Colours from low to high; without one, all contours are grey.
    """
    lowest = min(FAINTEST * density.single, density.most / 2)
    place = (density.heights / density.most) ** EXPONENT
    band = np.where(density.heights < lowest, 0, np.clip(np.ceil(place * N_BANDS), 1, N_BANDS)).astype(np.int64)
    alpha = np.concatenate([[0], np.linspace(*DENSITY_ALPHA, N_BANDS)]).astype(int)
    at = np.linspace(0, 1, N_BANDS + 1)
    grey = dark_colour(MEAN) if dark else MEAN
    colours = [grey] * len(at) if palette is None else [palette[int(where * (len(palette) - 1))] for where in at]
    shades = np.array([rgba(colour, alpha=int(a)) for colour, a in zip(colours, alpha, strict=True)], np.uint32)
    return shades[band]


def point_picture(raster: Raster, index: np.ndarray, palette: tuple[str, ...], *, dark: bool = False) -> np.ndarray:
    """Points in their colours, uint32 RGBA: the more on one pixel, the less transparent.

    Parameters
    ----------
    raster
        As `thickened` gives it.
    index
        Colour in the palette of the topmost point of each pixel that has one, ``(n_filled,)``, row by row; one past the
        palette's end where that is not known.
    """
    few, many = POINT_ALPHA
    is_filled = raster.top >= 0
    counts = raster.counts[is_filled]
    alpha = few + (many - few) * np.log(counts) / np.log(max(int(counts.max(initial=0)), 2))
    shades = np.array(
        [rgba(colour, alpha=0) for colour in (*palette, dark_colour(MUTED) if dark else MUTED)], np.uint32
    )
    pixels = np.zeros(raster.top.shape, np.uint32)
    pixels[is_filled] = shades[index] | alpha.astype(np.uint32) << 24
    return pixels


def stamped(picture: Picture, places: tuple[np.ndarray, np.ndarray], colour: str) -> Picture:
    """Picture with small discs of a colour at places ``(n,)`` of x and y."""
    x, y = (values.astype(np.float32) for values in places)
    discs = thickened(ranked(Points(x, y, np.zeros(len(x), np.int32)), picture.viewport), 1)
    pixels = np.where(discs.top >= 0, np.uint32(rgba(colour, alpha=STAMP_ALPHA)), picture.pixels)
    return Picture(picture.viewport, pixels)


def fitting_radius(n_points: int) -> int:
    """Radius in pixels with which so many points in sight are drawn; 0 for a pixel each."""
    return next((radius for most, radius in RADII if n_points <= most), 0)


def thickened(raster: Raster, radius: int) -> Raster:
    """Let each point cover the pixels around it, of which the one on top is seen."""
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


def thinned(x: np.ndarray, y: np.ndarray, viewport: Viewport, *, pixels: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Points in sight, one for each square of ``pixels``: drawn, they look the same as all."""
    inside = np.flatnonzero((x >= viewport.x[0]) & (x < viewport.x[1]) & (y >= viewport.y[0]) & (y < viewport.y[1]))
    (x_scale, y_scale), n_cols, n_rows = viewport.scale, viewport.width // pixels + 1, viewport.height // pixels + 1
    col = ((x[inside] - viewport.x[0]) * x_scale // pixels).astype(np.int64)
    row = ((y[inside] - viewport.y[0]) * y_scale // pixels).astype(np.int64)
    # Each point takes its square from the one after it: with millions that is far quicker than to sort them.
    first = np.full(n_rows * n_cols, -1)
    first[(row * n_cols + col)[::-1]] = inside[::-1]
    shown = first[first >= 0]
    return x[shown], y[shown]
