"""What one person looks at now, and what they marked; all that share it are linked."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import param

from vitpanel.core.metrics import metric_keys
from vitpanel.core.spec import ViTSpec, head_name
from vitpanel.drawing.display import HEAT, MASKS, SCALES
from vitpanel.errors import ChoiceError, VitpanelError
from vitpanel.state.brush import IMAGE, TOKEN, WAYS, Brush, combined
from vitpanel.state.image_groups import COLOURINGS, NUMBERS
from vitpanel.state.strength import MEASURES
from vitpanel.study.metric_arrays import all_image_layouts
from vitpanel.study.reader import Study
from vitpanel.study.schema import image_layouts

MAP_COLOURS = ("layer", "head", "class", "importance", "density")
MOST_PINNED = 4
MOST_JUMPS = 50


class Index(param.Integer[Any]):
    """Number of an image, layer, head or token, from 0 to the last that the study has, or None where that is allowed.

    Another whole number is refused with a `ChoiceError`.
    """

    def _validate_bounds(self, val: Any, bounds: Any, inclusive_bounds: tuple[bool, bool]) -> None:
        try:
            super()._validate_bounds(val, bounds, inclusive_bounds)
        except ValueError as error:
            # It is no upper limit while nobody has said which study is meant.
            last = "" if bounds[1] is None else f" to {bounds[1]}"
            message = f"There is no {self.name} {val}."
            raise ChoiceError(message, hint=f"The numbers of {self.name}s run from 0{last}.") from error


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
    """The one state that all views and elements share; they write to it only in answer to a person's act.

    Parameters
    ----------
    study
        Gives what a page of it starts with (`first_values`) for what is not said, and refuses what it does not have.
        Without it, the selection fits any study until it is shown with one.
    values
        Of the parameters.

    Raises
    ------
    ChoiceError
        If the study has no such image, layer, head or token; the hint gives those that there are.

    Examples
    --------
    >>> selection = Selection(study, image=12)  # doctest: +SKIP
    >>> selection.param.watch(print, ["layer", "head"])  # doctest: +SKIP
    """

    image = Index(default=None, bounds=(0, None), allow_None=True, doc="Chosen image; None means all images.")
    layer = Index(default=0, bounds=(0, None), doc="Layer of the chosen head.")
    head = Index(default=0, bounds=(0, None), doc="Index of the chosen head in its layer.")
    metric = Registered(keys=metric_keys, doc="Importance metric shown.")
    mode = param.Integer(default=1, bounds=(0, 5), doc="Pruning mode whose predictions are shown.")
    token = Index(default=None, bounds=(0, None), allow_None=True, doc="Token whose attention is masked.")
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
    colouring = param.Selector(
        default="label",
        objects=[*COLOURINGS, *NUMBERS],
        doc="What the colours of images mean: their groups, or a number of the chosen head.",
    )
    measure = param.Selector(
        default="entropy", objects=list(MEASURES), doc="Measure of how far the patches of a head look."
    )
    map_colour = param.Selector(
        default="layer", objects=list(MAP_COLOURS), doc="What the colours on the map of all heads mean."
    )
    cloud = param.Boolean(default=False, doc="Highlight the chosen head on all images on the map of all heads.")
    images = param.ClassSelector(
        default=None, class_=Brush, allow_None=True, doc="Brush of images that this person marked."
    )
    heads = param.ClassSelector(
        default=None,
        class_=Brush,
        allow_None=True,
        doc="Brush of heads, or of heads on images, of this person.",
    )
    tokens = param.ClassSelector(
        default=None, class_=Brush, allow_None=True, doc="Brush of tokens that this person marked."
    )
    share_source = param.Selector(
        default="cls",
        objects=["cls", "patches"],
        doc="Whose attention to the brushed tokens is told: that of CLS or of all patches.",
    )
    way = param.Selector(
        default="replace", objects=list(WAYS), doc="What the next brush does to what is brushed already."
    )
    jumps = param.List[Any](
        default=[], item_type=tuple, doc="Where one was before each jump: image (or None), layer and head."
    )

    def __init__(self, study: Study | None = None, **values: Any) -> None:
        self._spec: ViTSpec | None = None
        super().__init__(**({} if study is None else first_values(study)) | values)
        if study is not None:
            self.fit(study)

    def fit(self, study: Study) -> Self:
        """Take from now on only what a study has.

        Raises
        ------
        ChoiceError
            If the study does not have what is chosen already.
        """
        spec = study.spec
        sizes = {"image": study.n_images, "layer": spec.n_layers, "head": spec.n_heads, "token": spec.grid.n_tokens}
        for name, size in sizes.items():
            self.param[name].bounds = (0, size - 1)
        # What is chosen already has not been held against the bounds.
        self.param.update(**{name: getattr(self, name) for name in sizes})
        if spec.heads and self._spec is None:
            # Registered before all views: they hear of a layer that lacks the chosen head with its last head.
            self.param.watch(lambda *_: self._choose_present(spec), ["layer", "head"])
            self._choose_present(spec)
        self._spec = spec
        self.pin_all(self.pinned)
        return self

    def _choose_present(self, spec: ViTSpec) -> None:
        """Choose the last head of a layer in the place of one that it does not have."""
        self.head = min(self.head, spec.heads_of(self.layer) - 1)

    def but(self, **values: Any) -> "Selection":
        """Return a copy with some other values, within the same limits, that is linked to nothing.

        Raises
        ------
        ChoiceError
            If one of the parameters cannot have its value.
        """
        copy = Selection(**{name: value for name, value in self.param.values().items() if name != "name"})
        for name in ("image", "layer", "head", "token"):
            copy.param[name].bounds = self.param[name].bounds
        copy._spec = self._spec
        try:
            copy.param.update(**values)
        except ChoiceError:
            raise
        except ValueError as error:
            message = f"{', '.join(f'{name}={value!r}' for name, value in values.items())} cannot be chosen."
            raise ChoiceError(message, hint=str(error)) from error
        return copy

    @property
    def chosen_head(self) -> tuple[int, int]:
        """Layer and index of the chosen head."""
        return self.layer, self.head

    # -- choices ---------------------------------------------------------------------------------------------------

    def choose_head(self, layer: int, head: int) -> None:
        """Choose a head in one step, so that watchers hear once."""
        self.param.update(layer=int(layer), head=int(head))

    def choose_pattern(self, image: int | None, layer: int, head: int) -> None:
        """Choose an image and a head in one step, so that watchers hear once."""
        self.param.update(image=image, layer=layer, head=head)

    def jump(self, image: int, layer: int, head: int) -> None:
        """Go to a head of another image, and remember the way back."""
        before = (self.image, *self.chosen_head)
        if before[0] != image:
            self.jumps = [*self.jumps, before][-MOST_JUMPS:]
        self.choose_pattern(image, layer, head)

    def go_back(self) -> None:
        """Return to where one was before the last jump."""
        if self.jumps:
            *earlier, before = self.jumps
            self.jumps = earlier
            self.choose_pattern(*before)

    def mark(self, brush: Brush, *, how: str = "replace") -> None:
        """Brush images, heads or tokens, whichever the brush is a set of.

        Parameters
        ----------
        how
            What becomes of what is brushed already, one of `vitpanel.state.brush.WAYS`.
        """
        name = {IMAGE: "images", TOKEN: "tokens"}.get(brush.item, "heads")
        self.param.update(**{name: combined(getattr(self, name), brush, how=how)})

    # -- pins ------------------------------------------------------------------------------------------------------

    def pin(self, layer: int, head: int) -> None:
        """Keep a head for comparison; one that is pinned already stays where it is.

        Raises
        ------
        VitpanelError
            If there is no such head, or as many are pinned as there is room for.
        """
        if (layer, head) in self.pinned:
            return
        if len(self.pinned) == MOST_PINNED:
            message = f"{MOST_PINNED} heads are pinned already."
            raise VitpanelError(message, hint="Unpin one first.")
        self.pin_all([*self.pinned, (layer, head)])

    def unpin(self, layer: int, head: int) -> None:
        """Let a pinned head go."""
        self.pinned = [pinned for pinned in self.pinned if pinned != (layer, head)]

    def toggle_pin(self, layer: int, head: int) -> None:
        """Pin a head, or let it go if it is pinned; raises as `pin` does."""
        (self.unpin if (layer, head) in self.pinned else self.pin)(layer, head)

    def pin_all(self, heads: Sequence[tuple[int, int]]) -> None:
        """Pin exactly these heads, in this order.

        Raises
        ------
        VitpanelError
            If the study has no such head, one occurs twice, or there are too many; nothing is changed then.
        """
        heads = [(int(layer), int(head)) for layer, head in heads]
        spec = self._spec
        for layer, head in heads:
            if spec is not None and not spec.has_head(layer, head):
                message = f"There is no {head_name(layer, head)}."
                most = spec.heads_of(layer) if 0 <= layer < spec.n_layers else spec.n_heads
                raise ChoiceError(
                    message, hint=f"The model has layers 0 to {spec.n_layers - 1}, heads 0 to {most - 1}."
                )
        if len(set(heads)) < len(heads) or len(heads) > MOST_PINNED:
            message = f"These {len(heads)} heads cannot be pinned: there is room for {MOST_PINNED} different ones."
            raise VitpanelError(message, hint="Name fewer heads, each once.")
        self.pinned = heads


def first_values(study: Study) -> dict[str, Any]:
    """Where a newcomer starts: the head that matters most on average, on the image where it matters most."""
    layouts = image_layouts(study.spec)
    image_layout = next((name for name, array in layouts.items() if array in study), next(iter(layouts)))
    share_source = "patches" if study.spec.grid.cls is None else "cls"
    start = {"pattern": first_pattern(study), "image_layout": image_layout, "share_source": share_source}
    metric = next((key for key in metric_keys() if f"importance/{key}" in study), None)
    if metric is None:
        return start
    mean = study.mean(f"importance/{metric}")
    layer, head = np.unravel_index(np.nanargmax(mean), mean.shape)
    image = np.nanargmax(study[f"importance/{metric}"][:, layer, head])
    return {"image": int(image), "layer": int(layer), "head": int(head), "metric": metric} | start


def first_pattern(study: Study) -> str:
    """Layout of all heads that is shown first: the one that tells heads apart best (docs/patterns.md), if there."""
    return "offset" if "layout/offset" in study else "patch"
