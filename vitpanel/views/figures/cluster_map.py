"""D1: the mean attention pattern of a cluster of heads."""

from dataclasses import dataclass

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Image, LinearColorMapper, Range1d
from bokeh.plotting import figure

from vitpanel.theme.palette import PATCH_COLOURS
from vitpanel.views.base import NO_AXES, create_figure
from vitpanel.views.figures.glyphs import add_glyph

MOST_CELLS = 128


@dataclass(frozen=True)
class ClusterMap:
    """The chart and its source: share of the heads in whose top 1 % a pair of patches is."""

    figure: figure
    pairs: ColumnDataSource
    mapper: LinearColorMapper


def create_cluster_map() -> ClusterMap:
    """Empty heatmap, source patches from the top down, target patches from left to right."""
    pairs = ColumnDataSource({"image": [], "source": [], "target": []})
    fig = create_figure(**NO_AXES, x_range=Range1d(0, 1), y_range=Range1d(1, 0))
    mapper = LinearColorMapper(palette=list(PATCH_COLOURS), low=0, high=1)
    drawn = add_glyph(fig, Image(image="image", x=0, y=0, dw=1, dh=1, color_mapper=mapper), pairs)
    tooltips = [("source", "@source"), ("target", "@target"), ("in the top 1 % of", "@image{0.0%} of the heads")]
    fig.add_tools(HoverTool(renderers=[drawn], tooltips=tooltips, attachment="horizontal"))
    return ClusterMap(fig, pairs, mapper)


def shrunk(mean_map: np.ndarray) -> tuple[np.ndarray, int]:
    """Map small enough for its place: the largest of ``step × step`` entries each, and the step."""
    step = -(-len(mean_map) // MOST_CELLS)
    size = -(-len(mean_map) // step)
    padded = np.zeros((size * step, size * step), np.float32)
    padded[: len(mean_map), : len(mean_map)] = mean_map
    return padded.reshape(size, step, size, step).max((1, 3)), step


def cluster_map_columns(mean_map: np.ndarray | None) -> dict[str, list[np.ndarray]]:
    """Columns of the heatmap; none without a map."""
    if mean_map is None:
        return {"image": [], "source": [], "target": []}
    small, step = shrunk(mean_map)
    first = np.arange(len(small)) * step
    source, target = (values.astype(np.int32) for values in np.meshgrid(first, first, indexing="ij"))
    return {"image": [small], "source": [source], "target": [target]}
