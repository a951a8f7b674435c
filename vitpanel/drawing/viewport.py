"""What part of a map is seen."""

from collections.abc import Sequence
from dataclasses import dataclass

MARGIN = 0.04
# Layouts are some hundred units wide at most, and float32: what lies farther off, or is narrower, has nothing to see.
FARTHEST, LEAST_WIDTH = 1e9, 1e-9
DIGITS = 9  # more than float32 has
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Viewport:
    """What part of a map is seen: ranges of x and y, and the size of the frame in pixels."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels per unit along x and y."""
        return self.width / (self.x[1] - self.x[0]), self.height / (self.y[1] - self.y[0])

    def around(self, at: tuple[float, float], *, pixels: float) -> "Viewport":
        """Square of ``2 · pixels`` at this scale around a place, which may reach beyond this viewport."""
        (x, y), (x_scale, y_scale) = at, self.scale
        side = max(round(2 * pixels), 1)
        return Viewport(
            (x - pixels / x_scale, x + pixels / x_scale), (y - pixels / y_scale, y + pixels / y_scale), side, side
        )

    def zoomed(self, at: tuple[float, float], factor: float) -> "Viewport":
        """Viewport with ``at`` in the middle and everything ``factor`` times as large."""
        half_x, half_y = ((high - low) / factor / 2 for low, high in (self.x, self.y))
        return Viewport((at[0] - half_x, at[0] + half_x), (at[1] - half_y, at[1] + half_y), self.width, self.height)

    def resized(self, *, width: int, height: int) -> "Viewport":
        """Viewport of another size in pixels, with the same middle and the same scale."""
        limits: list[tuple[float, float]] = []
        for (low, high), old, new in ((self.x, self.width, width), (self.y, self.height, height)):
            half = (high - low) / old * new / 2
            limits.append(((low + high) / 2 - half, (low + high) / 2 + half))
        return Viewport(limits[0], limits[1], width, height)


def home_viewport(home: tuple[tuple[float, float], tuple[float, float]], *, width: int, height: int) -> Viewport:
    """Viewport that shows all of the ranges ``home`` of x and y with a margin, with units of both equally long."""
    return fitted_viewport(home, width=width, height=height, margin=MARGIN)


def fitted_viewport(
    home: tuple[tuple[float, float], tuple[float, float]], *, width: int, height: int, margin: float = 0
) -> Viewport:
    """Viewport that shows all of two ranges of x and y and as little else as can be, with units of both equally long.

    Parameters
    ----------
    margin
        Share of the ranges that is added at either end.
    """
    sizes = [(high - low) * (1 + 2 * margin) or 1.0 for low, high in home]
    unit = max(size / pixels for size, pixels in zip(sizes, (width, height), strict=True))
    limits = [
        ((low + high - unit * pixels) / 2, (low + high + unit * pixels) / 2)
        for (low, high), pixels in zip(home, (width, height), strict=True)
    ]
    return Viewport(limits[0], limits[1], width, height)


def bounds_of(viewport: Viewport) -> Bounds | None:
    """Ends of the ranges, x0, x1, y0 and y1, as short as float32 can tell; None of what is too far or too near."""
    x0, x1, y0, y1 = (float(f"{end:.{DIGITS}g}") for end in (*viewport.x, *viewport.y))
    bounds = (x0, x1, y0, y1)
    return bounds if are_bounds(bounds) else None


def are_bounds(values: Sequence[object]) -> bool:
    """Whether these are x0 < x1 and y0 < y1 of a part of a map that pixels can be told apart in."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) != len(values) or len(values) != 4:  # noqa: PLR2004 - two ranges
        return False
    limits = zip(numbers[::2], numbers[1::2], strict=True)
    return all(max(abs(low), abs(high)) <= FARTHEST and high - low >= LEAST_WIDTH for low, high in limits)
