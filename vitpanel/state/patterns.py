"""D1: what a session says of the map of all heads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import numpy as np

from vitpanel.core.metrics import metric_of
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.cluster import ClusterSummary, cluster_rows, cluster_summary
from vitpanel.state.image_groups import label_classes
from vitpanel.state.pattern_map import Cohesion, PatternMap, pattern_layouts, pattern_map
from vitpanel.state.queries.brush_shares import BrushShares, shares_of_tokens
from vitpanel.state.selection import Selection
from vitpanel.study.layout_words import head_layout_label
from vitpanel.study.reader import Study

MOST_SORTED = 500_000
MOST_RANGES = 16
SHOWN_PERCENTILES = (1, 99)
NO_TOKENS = "No tokens are brushed: drag over a part of the image in Attention Detail, or choose another colour."


@dataclass(frozen=True)
class MapColours:
    """What the colours of the map mean.

    Parameters
    ----------
    kind
        One of `vitpanel.state.selection.MAP_COLOURS`.
    title
        Words for a legend.
    names
        Of the values 0, 1, …; empty where values are a range.
    low, high
        Ends of the range; values beyond them have the colours of the ends.
    metric
        By which the importance is meant.
    image
        The one whose heads alone have values, None where all have.
    shares
        Values of those heads, over the flat head index.
    reason
        Why no head has a value; empty where some have.
    """

    kind: str
    title: str
    names: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    metric: str = ""
    image: int | None = None
    shares: tuple[float, ...] = ()
    reason: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether the range has 0 in its middle."""
        return bool(self.metric) and metric_of(self.metric).is_signed


@dataclass(frozen=True)
class OwnHeads:
    """The chosen image's heads on the map, each array over the flat head index; NaN where something is not known.

    ``value`` is what their colour stands for, ``importance`` is by the chosen metric, high is important.
    """

    x: np.ndarray
    y: np.ndarray
    layer: np.ndarray
    head: np.ndarray
    entropy: np.ndarray
    importance: np.ndarray
    value: np.ndarray


class Patterns:
    """Named results on the map of all heads.

    Parameters
    ----------
    study
        Shared by all sessions.
    selection
        This person's.
    token_shares
        Gives the shares of attention to the brushed tokens, None without any; without it, what the study stores.
    """

    def __init__(
        self, study: Study, selection: Selection, *, token_shares: Callable[[], BrushShares | None] | None = None
    ) -> None:
        self.study, self.selection = study, selection
        self._token_shares = token_shares or self._stored_shares
        self._rows = lru_cache(4)(partial(cluster_rows, study))
        self._importance_range = lru_cache(MOST_RANGES)(self._find_importance_range)

    def layouts(self) -> dict[str, str]:
        """Label of each layout of heads that the format has for this model, by its name."""
        return {name: head_layout_label(name) for name in pattern_layouts(self.study)}

    def map(self) -> PatternMap:
        """Coordinates of all heads in the chosen layout.

        Raises
        ------
        StudyIncompleteError
            If the study does not have the layout; the message is the reason.
        """
        return pattern_map(self.study, self.selection.pattern)

    def cohesion(self) -> Cohesion:
        """Whether each head's points keep together in the chosen layout; slow when first asked for."""
        return self.map().cohesion

    def cloud(self) -> np.ndarray:
        """Rows of the chosen head on all images."""
        spec, n_images = self.study.spec, self.study.n_images
        flat = self.selection.layer * spec.n_heads + self.selection.head
        return np.arange(n_images) * spec.n_layers * spec.n_heads + flat

    # -- colours ---------------------------------------------------------------------------------------------------

    def colours(self) -> MapColours:
        """What the chosen colours mean.

        Raises
        ------
        StudyIncompleteError
            If the study does not have what they would stand for.
        """
        kind, spec = self.selection.map_colour, self.study.spec
        if kind == "class":
            names = self._class_names
            if not any(names):
                message = "No image of the study has a label."
                raise StudyIncompleteError(message, hint="Choose another colour.")
            return MapColours(kind, "class of the image", names)
        if kind == "importance":
            metric = self.selection.metric
            low, high = self._importance_range(metric)
            return MapColours(kind, metric_of(metric).legend, low=low, high=high, metric=metric)
        if kind == "density":
            return MapColours(kind, "heads per pixel")
        if kind == "tokens":
            return self._token_colours()
        size = spec.n_layers if kind == "layer" else spec.n_heads
        title = "layer" if kind == "layer" else "head number"
        return MapColours(kind, title, tuple(str(i) for i in range(size)))

    def values(self, rows: np.ndarray, colours: MapColours) -> np.ndarray:
        """What colours of rows stand for, float32; NaN where it is not known, and for the density everywhere.

        Whatever is chosen meanwhile, the values are those that ``colours`` were made for.
        """
        spec, kind = self.study.spec, colours.kind
        heads = spec.n_layers * spec.n_heads
        if kind == "layer":
            return (rows // spec.n_heads % spec.n_layers).astype(np.float32)
        if kind == "head":
            return (rows % spec.n_heads).astype(np.float32)
        if kind == "class":
            return self._class_codes[rows // heads]
        if kind == "importance":
            return self._importance(rows, colours.metric)
        values = np.full(rows.shape, np.nan, np.float32)
        if colours.image is not None:
            is_own = rows // heads == colours.image
            values[is_own] = np.array(colours.shares, np.float32)[rows[is_own] % heads]
        return values

    def described(self, rows: np.ndarray, *, metric: str) -> dict[str, np.ndarray]:
        """What is known of rows, by name: class of the image, entropy, importance; what the study lacks is left out."""
        spec = self.study.spec
        names = self.study.images["label_name"].to_numpy()
        known = {"class": names[rows // (spec.n_layers * spec.n_heads)]}
        if "entropy" in self.study:
            known["entropy"] = self.study["entropy"].reshape(-1)[rows]
        if f"importance/{metric}" in self.study:
            known[f"importance_{metric}"] = self._importance(rows, metric)
        return known

    def _token_colours(self) -> MapColours:
        """Shares of attention that go to the brushed tokens, which are known of the chosen image's heads alone."""
        shares = self._token_shares()
        if shares is None:
            return MapColours("tokens", "share of attention", reason=NO_TOKENS)
        if shares.reason:
            return MapColours("tokens", shares.title, reason=shares.reason)
        most = float(np.nanmax(shares.values, initial=0)) or 1.0
        values = tuple(shares.values.ravel().tolist())
        return MapColours("tokens", shares.title, high=most, image=self.selection.image, shares=values)

    def _stored_shares(self) -> BrushShares | None:
        brush, selection = self.selection.tokens, self.selection
        if brush is None:
            return None
        return shares_of_tokens(self.study, brush, image=selection.image, source=selection.share_source)

    # These go through all images, which no turn of a wheel has the time for.
    @cached_property
    def _class_names(self) -> tuple[str, ...]:
        order = np.argsort(self.study.images["label"].to_numpy(), kind="stable")
        names = label_classes(self.study)
        return tuple(dict.fromkeys(names[image] for image in order if names[image]))

    @cached_property
    def _class_codes(self) -> np.ndarray:
        codes = {name: code for code, name in enumerate(self._class_names)}
        return np.array([codes.get(name, np.nan) for name in label_classes(self.study)], np.float32)

    def _importance(self, rows: np.ndarray, metric: str) -> np.ndarray:
        return self.study[f"importance/{metric}"].reshape(-1)[rows]

    def _find_importance_range(self, metric: str) -> tuple[float, float]:
        n = self.study[f"importance/{metric}"].size
        values = self._importance(np.arange(0, n, max(1, -(-n // MOST_SORTED))), metric)
        known = values[np.isfinite(values)]
        low, high = np.percentile(known, SHOWN_PERCENTILES) if known.size else (0, 1)
        if metric_of(metric).is_signed:
            most = float(max(-low, high)) or 1.0
            return -most, most
        return float(low), float(high) if high > low else float(low) + 1

    # -- the chosen image and the marked cluster -------------------------------------------------------------------

    def own_heads(self, colours: MapColours) -> OwnHeads | None:
        """The chosen image's heads on the map, with what colours stand for; None without an image."""
        image, metric, spec = self.selection.image, self.selection.metric, self.study.spec
        if image is None:
            return None
        heads = spec.n_layers * spec.n_heads
        rows = image * heads + np.arange(heads)
        unknown = np.full(heads, np.nan, np.float32)
        entropy = self.study["entropy"][image].ravel() if "entropy" in self.study else unknown
        importance = self._importance(rows, metric) if f"importance/{metric}" in self.study else unknown
        layer, head = np.divmod(np.arange(heads), spec.n_heads)
        return OwnHeads(*self.map().coordinates(rows), layer, head, entropy, importance, self.values(rows, colours))

    def marked(self) -> np.ndarray:
        """Rows of the heads that are brushed, else of all heads of the images that are; none without a brush."""
        brush = self.selection.heads if self.selection.heads is not None else self.selection.images
        return np.empty(0, np.int32) if brush is None else self._rows(brush)

    def cluster(self) -> ClusterSummary | None:
        """What the heads are that are brushed; None without a brush.

        Raises
        ------
        StudyIncompleteError
            If no head lies in it.
        """
        brush = self.selection.heads
        return None if brush is None else cluster_summary(self.study, brush, self.selection.pattern)
