"""Brushes: sets of images that a person marked, as predicates that outlive the view in which they were made."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from vitpanel.study.reader import Study


class Brush(ABC):
    """A set of images; two brushes are equal when they say the same."""

    @abstractmethod
    def to_mask(self, study: Study) -> np.ndarray:
        """Which images of a study are in it, bool ``(n_images,)``."""


@dataclass(frozen=True)
class ImageIds(Brush):
    """Images by their ids; ids that a study does not have are no error, for a brush may come from another."""

    ids: tuple[int, ...]

    def to_mask(self, study: Study) -> np.ndarray:
        """Which images are named."""
        return np.isin(np.arange(study.n_images), self.ids)


@dataclass(frozen=True)
class LayoutRegion(Brush):
    """Images inside a polygon of one of the layouts.

    Parameters
    ----------
    layout
        Name of an array ``(n_images, 2)``, such as ``"layout/images"``.
    x, y
        Corners of the polygon, which is closed from the last to the first. Where it crosses itself, what it encloses
        twice is outside.
    """

    layout: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    def to_mask(self, study: Study) -> np.ndarray:
        """Which images lie inside; `StudyIncompleteError` if the study has no such layout."""
        px, py = study[self.layout].astype(np.float64).T
        inside = np.zeros(len(px), bool)
        near = np.flatnonzero(
            (px >= min(self.x)) & (px <= max(self.x)) & (py >= min(self.y)) & (py <= max(self.y))
        )  # fmt: skip
        px, py = px[near], py[near]
        # A ray from each point to the right crosses the outline an odd number of times if the point is inside.
        is_odd = np.zeros(len(near), bool)
        for x0, y0, x1, y1 in zip(self.x, self.y, _next(self.x), _next(self.y), strict=True):
            crosses = (y0 > py) != (y1 > py)
            at = np.divide((x1 - x0) * (py - y0), y1 - y0, out=np.zeros_like(py), where=crosses) + x0
            is_odd ^= crosses & (px < at)
        inside[near] = is_odd
        return inside


def _next(corners: tuple[float, ...]) -> tuple[float, ...]:
    return (*corners[1:], corners[0])
