"""The metrics of head importance: what each is called, what it needs, and how it is computed.

All else reads these records: the engines, the format of a study, the views and their exports. A metric more is one
record more, given to `register` before a study is computed or opened, or named by a package as an entry point of the
group ``vitpanel.metrics``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitpanel.core.grid import Grid
from vitpanel.core.importance import accuracy_lost, jensen_shannon, of_class
from vitpanel.core.packages import Registry
from vitpanel.errors import VitpanelError

GROUP = "vitpanel.metrics"
CLASSES, CLS = "classes", "cls"
# Names that arrays beside those of metrics have in a study.
_TAKEN = frozenset({"unpruned", "estimate", "top_class", "top_probability"})


@dataclass(frozen=True)
class Metric:
    """One way to say how much a head matters to an image. High *importance* is important, and is what a study stores.

    Parameters
    ----------
    key
        Name in arrays, addresses and tables: small letters, digits and ``_``.
    label
        Name in menus.
    title
        Name of the importance inside a line of text, as in "JSD"; followed by "without the head" in captions.
    axis_label
        Of what charts draw.
    meaning
        What the importance is, in a few words.
    help
        How to read it, as sentences of Markdown.
    bounds
        Least and largest importance; a metric that can be below 0 is written with its sign and has 0 in the middle of
        its colours.
    unit
        Of the importance; empty for none.
    needs
        ``"classes"`` for a class head, ``"cls"`` for a CLS token, empty where every model has it.
    higher_is_more_important
        Whether charts draw the importance itself. Without, it is a drop of the probability of the class that an image
        is judged by, and charts of one image draw what is left of that probability, so that low is important.
    of_reference
        Whether it speaks of the class that an image is judged by. An image without a label is judged by the model's own
        top-1 class, which is another quantity: means leave it out.
    layout
        Name of the layout of images by importance, where the key names the one by what is left; else the key.
    left_label
        Name in menus of what is left, for a drop.
    is_laid_out
        Whether images are laid out by it. Without, too few images differ by it.
    is_optional
        Whether a study may lack it and is read all the same; only the four of the paper are in every study.
    from_pruned
        Importance ``(…)`` from probabilities without pruning and with it, both ``(…, n_classes)``, and the class
        ``(…)`` that each image is judged by; shapes are broadcast. For metrics of the predictions.
    from_distances
        Importance ``(…)`` from the cosine distance of every token's z with and without pruning, ``(…, n_tokens)``,
        and the `Grid`; takes numpy arrays as well as tensors. For metrics of a layer.
    """

    key: str
    label: str
    title: str
    axis_label: str
    meaning: str
    help: str
    bounds: tuple[float, float] = (0.0, 1.0)
    unit: str = ""
    needs: str = CLASSES
    higher_is_more_important: bool = True
    of_reference: bool = False
    layout: str = ""
    left_label: str = ""
    is_laid_out: bool = True
    is_optional: bool = True
    from_pruned: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] | None = None
    from_distances: Callable[[Any, Grid], Any] | None = None

    @property
    def is_signed(self) -> bool:
        """Whether the importance can be below 0: the model does better without the head."""
        return self.bounds[0] < 0

    @property
    def caption(self) -> str:
        """What a list or a map by importance shows."""
        return f"{self.title} without the head"

    @property
    def legend(self) -> str:
        """What colours by importance mean, with the unit."""
        return f"{self.caption} ({self.unit})" if self.unit else self.caption

    @property
    def drawn_bounds(self) -> tuple[float, float]:
        """Least and largest of what charts draw."""
        return self.bounds if self.higher_is_more_important else (0.0, 1.0)

    @property
    def layout_name(self) -> str:
        """Name of the layout of images by importance."""
        return self.layout or self.key

    def drawn(self, importance: np.ndarray, baseline: Any) -> np.ndarray:
        """What charts draw of an importance: itself, or what is left of a probability.

        Parameters
        ----------
        importance
            Any shape; not modified. NaN stays NaN.
        baseline
            Probability without pruning of the class that each image is judged by, broadcast; used by a drop alone.

        Returns
        -------
        The type of ``importance``. What is left is within one rounding of what the model gave, and in [0, 1].
        """
        if self.higher_is_more_important:
            return importance
        return np.clip(np.asarray(baseline, np.float64) - importance, *self.drawn_bounds).astype(importance.dtype)


def register(metric: Metric) -> Metric:
    """Add a metric, and return it; raises as `Registry.register` does."""
    return REGISTRY.register(metric)


def metrics() -> tuple[Metric, ...]:
    """All metrics, in the order in which they were registered; those of packages come last."""
    return tuple(REGISTRY.known().values())


def metric_keys() -> list[str]:
    """Keys of all metrics."""
    return list(REGISTRY.known())


def metric_of(key: str) -> Metric:
    """Return the metric of a key.

    Raises
    ------
    VitpanelError
        If there is none.
    """
    known = REGISTRY.known()
    if key not in known:
        message = f"There is no metric {key!r}."
        raise VitpanelError(message, hint=f"The metrics are {', '.join(known)}.")
    return known[key]


def class_metrics() -> tuple[Metric, ...]:
    """Metrics of the predictions."""
    return tuple(metric for metric in metrics() if metric.from_pruned is not None)


def layer_metrics() -> tuple[Metric, ...]:
    """Metrics of a layer's output."""
    return tuple(metric for metric in metrics() if metric.from_distances is not None)


def importance_from_pruned(unpruned: np.ndarray, pruned: np.ndarray, reference: np.ndarray) -> dict[str, np.ndarray]:
    """Importance by every metric of the predictions, float32; parameters as `Metric.from_pruned` has them.

    NaN where the pruned probabilities are NaN.
    """
    unknown = np.isnan(pruned).any(-1)
    return {
        metric.key: np.where(unknown, np.nan, metric.from_pruned(unpruned, pruned, reference)).astype(np.float32)
        for metric in class_metrics()
        if metric.from_pruned is not None
    }


def _misfit(metric: Metric, others: Mapping[str, Metric]) -> str:
    """What is wrong with a record, as half a sentence; empty if nothing is."""
    taken = {*_TAKEN, *(name for other in others.values() for name in (other.key, other.layout_name))}
    labels = {text for other in others.values() for text in (other.label, other.axis_label)}
    needed = {CLASSES} if metric.from_pruned is not None else {CLS, ""}
    is_drop = not metric.higher_is_more_important
    is_plain = metric.key.isidentifier() and metric.key.isascii() and metric.key == metric.key.lower()
    faults = [
        (not is_plain, "its key is not of small letters, digits and _"),
        (bool({metric.label, metric.axis_label} & labels), "another metric has its label"),
        (metric.key.startswith("sample_"), "sample_ begins the names of means over a sample"),
        (bool({metric.key, metric.layout_name} & taken), "something else has its name"),
        ((metric.from_pruned is None) == (metric.from_distances is None), "it takes either predictions or distances"),
        (metric.needs not in needed, f"needs is {metric.needs!r}; predictions need a class head, distances do not"),
        (metric.bounds[0] >= metric.bounds[1], "its bounds are empty"),
        (
            is_drop and not all(other.higher_is_more_important for other in others.values()),
            "there is a drop of the probability already, and what is left of it is one quantity",
        ),
    ]
    return next((words for is_wrong, words in faults if is_wrong), "")


REGISTRY = Registry[Metric](
    GROUP, kind=Metric, key="key", misfit=_misfit, noun="metric", see="Metric in vitpanel.core.metrics"
)
register(
    Metric(
        key="probability",
        label="Probability",
        title="probability lost",
        axis_label="probability without the head",
        meaning="drop of the label's probability",
        help="what is left of the probability of the label when the head is pruned. **Low** means important; "
        "compare with the unpruned probability, the dashed line. For an image without a label among the "
        "model's classes, the model's own top class stands in; such images are left out of the mean, and the "
        "title says over how many images it is.",
        bounds=(-1.0, 1.0),
        higher_is_more_important=False,
        of_reference=True,
        layout="drop",
        left_label="p(label), pruned",
        is_optional=False,
        from_pruned=lambda unpruned, pruned, reference: of_class(unpruned, reference) - of_class(pruned, reference),
    )
)
register(
    Metric(
        key="jsd",
        label="JSD",
        title="JSD",
        axis_label="JSD to the unpruned (bits)",
        meaning="divergence in bits",
        help="how much all predictions change, 0 to 1 bit. High means important.",
        unit="bits",
        is_optional=False,
        from_pruned=lambda unpruned, pruned, _reference: jensen_shannon(unpruned, pruned),
    )
)
register(
    Metric(
        key="cls",
        label="CLS distance",
        title="CLS distance",
        axis_label="cosine distance, CLS token",
        meaning="cosine distance of CLS",
        help="how much the layer's own output for the CLS token turns. A head can matter to its layer and yet not "
        "to the prediction, since later layers may make up for it.",
        bounds=(0.0, 2.0),
        needs=CLS,
        is_optional=False,
        from_distances=lambda distances, grid: distances[..., grid.cls],
    )
)
register(
    Metric(
        key="patch",
        label="Patch distance",
        title="patch distance",
        axis_label="cosine distance, patch tokens",
        meaning="cosine distance of patches",
        help="the same for the patches, on average.",
        bounds=(0.0, 2.0),
        needs="",
        is_optional=False,
        from_distances=lambda distances, grid: distances[..., grid.patches].mean(-1),
    )
)
register(
    Metric(
        key="accuracy",
        label="Accuracy",
        title="accuracy lost",
        axis_label="accuracy lost without the head (%)",
        meaning="points of percent of the accuracy",
        help="on one image 100 where pruning makes a right prediction wrong, −100 where it mends a wrong one, else 0. "
        "The mean over images with a label is the accuracy with all heads minus the one without the head, in points of "
        "percent.",
        bounds=(-100.0, 100.0),
        unit="%",
        of_reference=True,
        is_laid_out=False,
        from_pruned=accuracy_lost,
    )
)
