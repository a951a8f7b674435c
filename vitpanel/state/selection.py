"""What one person looks at now."""

from collections.abc import Callable
from typing import Any

import param

from vitpanel.core.display import HEAT, MASKS, SCALES
from vitpanel.core.metrics import metric_keys
from vitpanel.state.image_groups import COLOURINGS
from vitpanel.state.strength import MEASURES
from vitpanel.study.metric_arrays import all_image_layouts

MAP_COLOURS = ("layer", "head", "class", "importance", "density")
MOST_PINNED = 4


class HeadList(param.List[list[tuple[int, int]]]):
    """Distinct heads, each ``(layer, head)`` from 0."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        for head in val:
            if len(head) != 2 or not all(type(index) is int and index >= 0 for index in head):  # noqa: PLR2004 - a pair
                message = f"{head!r} is not a head: give its layer and its index, both whole numbers from 0."
                raise ValueError(message)
        if len(set(val)) < len(val):
            message = f"A head occurs twice in {val!r}."
            raise ValueError(message)


class Registered(param.Selector[str]):
    """One of what is registered at the time it is set, such as a metric that came after this module was imported.

    Parameters
    ----------
    keys
        Gives the choices; the first is the default.
    """

    __slots__ = ("keys",)

    def __init__(self, *, keys: Callable[[], list[str]], doc: str) -> None:
        self.keys = keys
        super().__init__(objects=keys(), doc=doc)

    def _validate(self, val: Any) -> None:
        if val not in self.keys():
            message = f"{val!r} is not one of {', '.join(self.keys())}."
            raise ValueError(message)


class Selection(param.Parameterized):
    """The one state that all views share; they write to it only in answer to a person's act."""

    image = param.Integer(default=None, bounds=(0, None), allow_None=True, doc="Chosen image; None means all images.")
    layer = param.Integer(default=0, bounds=(0, None), doc="Layer of the chosen head.")
    head = param.Integer(default=0, bounds=(0, None), doc="Index of the chosen head in its layer.")
    metric = Registered(keys=metric_keys, doc="Importance metric shown.")
    mode = param.Integer(default=1, bounds=(0, 5), doc="Pruning mode whose predictions are shown.")
    token = param.Integer(default=None, bounds=(0, None), allow_None=True, doc="Token whose attention is masked.")
    threshold = param.Number(
        default=0.01, bounds=(0, 1), inclusive_bounds=(False, True), doc="Share of the largest attention values drawn."
    )
    scale = param.Selector(
        default="linear", objects=list(SCALES), doc="How the shade of a colour grows with an attention value."
    )
    extra = param.Boolean(default=True, doc="Show tokens that are neither CLS nor patch.")
    mask = param.Selector(
        default=HEAT,
        objects=list(MASKS),
        doc="How attention lies over the image: as light, or by covering what is not attended to.",
    )
    pattern = param.String(default="patch", doc="Which layout of all heads is shown: patch, cls, or another one.")
    pinned = HeadList(
        default=[], item_type=tuple, bounds=(0, MOST_PINNED), doc="Heads kept for comparison, each (layer, head)."
    )
    density = param.Boolean(default=True, doc="Draw all heads as a density, not as points.")
    image_layout = Registered(
        keys=lambda: list(all_image_layouts()),
        doc="What images are laid out by: drop is the probability lost without each head, probability what is left.",
    )
    colouring = param.Selector(default="label", objects=list(COLOURINGS), doc="What the colours of images mean.")
    measure = param.Selector(
        default="entropy", objects=list(MEASURES), doc="Measure of how far the patches of a head look."
    )
    map_colour = param.Selector(
        default="layer", objects=list(MAP_COLOURS), doc="What the colours on the map of all heads mean."
    )
    cloud = param.Boolean(default=False, doc="Light the chosen head on all images on the map of all heads.")
    cluster = param.Parameter(default=None, doc="Heads marked on the map, a `vitpanel.state.cluster.Cluster`; or None.")

    def choose_head(self, layer: int, head: int) -> None:
        """Choose a head in one step, so that watchers hear once."""
        self.param.update(layer=int(layer), head=int(head))
