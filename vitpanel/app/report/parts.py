"""What a report shows: which elements under which headings, and how many rows of their tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Part:
    """A figure of a report.

    Parameters
    ----------
    element
        Name of a function of `vitpanel.elements`.
    words
        How to read it, in a sentence.
    options
        Of the function.
    columns
        Of its table, that stands below the figure; none for no table.
    n_rows
        Most rows of the table.
    asks_model
        Whether the live model is asked where the study does not have the answer.
    """

    element: str
    words: str
    options: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    n_rows: int = 12
    asks_model: bool = False


OF_ALL = "All images and all heads"
_MASK = "An image, darkened, and on it as light"
GROUPS: dict[str, tuple[Part, ...]] = {
    "How much each head matters": (
        Part("importance_curve", "Every head, layer by layer: on the chosen image, and the mean over all images."),
        Part(
            "head_ranking",
            "Heads in the order of their importance; the bars reach from quartile to quartile over images.",
            columns=("rank", "layer", "head", "importance", "lower_quartile", "median", "upper_quartile"),
        ),
    ),
    "The chosen head, pruned": (
        Part(
            "mode_bars",
            "What is left without a part of the head's attention; each bar starts at the value without pruning.",
            columns=("mode", "pruned", "value", "change"),
            asks_model=True,
        ),
        Part(
            "prediction_bars",
            "The most probable classes without what the chosen mode prunes; a tick is the probability without pruning.",
            columns=("class", "probability", "unpruned", "true_class"),
            asks_model=True,
        ),
    ),
    "How far the heads look": (
        Part("head_scatter", "One measure of every head, by layer."),
        Part("measure_distribution", "The chosen head on all images: those that are brushed blue, the others grey."),
        Part(
            "strength_bars",
            "Mean attention of the chosen head's patches, hop by hop; outlines are the mean over images.",
            columns=("hop", "chosen_image", "mean"),
            n_rows=16,
        ),
    ),
    "The attention of the chosen head": (
        Part(
            "attention_heatmap",
            "The attention matrix: a row is a source token, a column a target. Below the threshold it is faded.",
            asks_model=True,
        ),
        Part("token_lines", "The strongest links, from source tokens above to targets below.", asks_model=True),
        Part("attention_masks", f"{_MASK} where the token looks.", asks_model=True),
        Part("attention_masks", f"{_MASK} who looks at the token.", options={"side": "target"}, asks_model=True),
        Part("attention_histogram", "Values of the matrix, with the threshold of the links.", asks_model=True),
    ),
    OF_ALL: (
        Part("image_map", "Near each other are images to which the same heads matter. Point at one for its class."),
        Part("pattern_map", "Near each other are heads that attend alike; dots are those of the chosen image."),
    ),
}
