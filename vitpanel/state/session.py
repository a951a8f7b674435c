"""One person's session: a study, a selection, and named results derived from both.

Views ask a `Session` for results and never compute; what needs the live model arrives in the parameters `modes` and
`attention`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import param

from vitpanel.core.display import HeadDisplay, head_display, threshold_value
from vitpanel.core.spec import head_name
from vitpanel.errors import StudyIncompleteError, VitpanelError
from vitpanel.state.brush import Brush
from vitpanel.state.image_groups import ImageGroups, image_groups
from vitpanel.state.image_search import find_image
from vitpanel.state.online import IDLE, NO_IMAGE, NO_MODEL, Inference, Matrices, Online
from vitpanel.state.patterns import Patterns
from vitpanel.state.pins import PinnedModes, pinned_head
from vitpanel.state.ranking import Ranking, ranking, unpruned_probability
from vitpanel.state.results import (
    ImportanceCurve,
    PinnedHead,
    Predictions,
    top_predictions,
)
from vitpanel.state.selection import MOST_PINNED, Selection
from vitpanel.state.stored import with_stored_modes
from vitpanel.state.strength import (
    HeadDensity,
    HeadStrength,
    HeadValues,
    head_density,
    head_strength,
    head_values,
    rows_of_image,
    value_on_image,
)
from vitpanel.study.means import importance_array, importance_mean, importance_values
from vitpanel.study.reader import Study
from vitpanel.study.schema import image_layouts

MOST_JUMPS = 50


class Session(param.Parameterized):
    """What the views ask.

    Parameters
    ----------
    study
        Shared by all sessions of a process; never changed.
    selection
        This person's selection.
    inference
        The live model, None where it cannot be had.
    """

    selection = param.ClassSelector(default=Selection(), class_=Selection, doc="What this person looks at.")
    brush = param.ClassSelector(default=None, class_=Brush, allow_None=True, doc="Images that this person marked.")
    modes = param.ClassSelector(default=IDLE, class_=Online, doc="Pruning modes of the chosen head: a `PrunedHead`.")
    attention = param.ClassSelector(
        default=IDLE, class_=Online, doc="Attention of the chosen head, (n_tokens, n_tokens)."
    )
    atlas = param.ClassSelector(
        default=IDLE, class_=Online, doc="Thumbnails of all heads, (n_layers, n_heads, n_rows, n_rows)."
    )
    wants_atlas = param.Boolean(default=False, doc="Whether somebody looks at the atlas: it costs a forward.")

    jumps = param.List[Any](
        default=[], item_type=tuple, doc="Where one was before each jump: image (or None), layer and head."
    )

    def __init__(self, study: Study, *, selection: Selection | None = None, inference: Inference | None = None) -> None:
        self.study = study
        self.inference = with_stored_modes(study, inference)
        self._mask: tuple[Brush, np.ndarray] | None = None
        super().__init__(selection=limited(selection or starting_selection(study), study))
        self.patterns = Patterns(study, self.selection)
        self.pin_all(self.selection.pinned)
        self.pinned = PinnedModes(self.selection, self.inference)
        self._on_head()
        self._on_atlas()

    # -- results from the study ------------------------------------------------------------------------------------

    def importance_curve(self) -> ImportanceCurve:
        """Importance of all heads by the chosen metric."""
        metric, image = self.selection.metric, self.selection.image
        chosen = None if image is None else rows_of_image(self.study, f"importance/{metric}", image)
        reference = self.reference_probability() if metric == "probability" else None
        over_all = importance_mean(self.study, metric)
        return ImportanceCurve(
            metric, over_all.mean, over_all.std, chosen, reference, over_all.half_width, over_all.words
        )

    @property
    def importance_array(self) -> str:
        """Array of the study that the curve of the chosen metric comes from: exact values, or those of an estimate."""
        return importance_array(self.study, self.selection.metric)

    def reference_probability(self) -> float:
        """Unpruned probability of the label (or of the top-1 class), the mean over all images without a choice."""
        return unpruned_probability(self.study, self.selection.image)

    def ranking(self) -> Ranking:
        """All heads by the chosen metric, for the chosen image or on average."""
        return ranking(self.study, self.selection.metric, self.selection.image)

    def head_values(self, measure: str | None = None) -> HeadValues:
        """Measure of all heads, the chosen one unless another is named; raises as `strength` does."""
        return head_values(self.study, measure or self.selection.measure, self.selection.image)

    def strength(self, head: tuple[int, int] | None = None) -> HeadStrength:
        """Attention strength of a head, the chosen one unless another is named.

        Raises
        ------
        StudyIncompleteError
            If the study does not have it, or not for the chosen image.
        """
        return head_strength(self.study, head or self.chosen_head, self.selection.image)

    def head_density(self, head: tuple[int, int] | None = None, *, measure: str | None = None) -> HeadDensity:
        """Distribution of a measure of a head, the chosen ones unless others are named; raises as `strength` does."""
        name, head = measure or self.selection.measure, head or self.chosen_head
        return head_density(self.study, name, head, brushed=self.brushed)

    def chosen_value(self, head: tuple[int, int] | None = None, *, measure: str | None = None) -> float | None:
        """Measure of a head on the chosen image; None without one or where it is not known."""
        name, head = measure or self.selection.measure, head or self.chosen_head
        return value_on_image(self.study, name, head, image=self.selection.image)

    @property
    def brushed(self) -> np.ndarray | None:
        """Which images are brushed, bool ``(n_images,)``; None without a brush."""
        if self.brush is None:
            return None
        if self._mask is None or self._mask[0] != self.brush:
            self._mask = self.brush, self.brush.to_mask(self.study)
        return self._mask[1]

    def image_layouts(self) -> dict[str, str]:
        """Arrays that lay the images of this model out, by the name of what their vectors are."""
        return image_layouts(self.study.spec)

    @property
    def image_layout(self) -> str:
        """Name of the array that lays images out: the chosen one, else the first that the model can have."""
        layouts = self.image_layouts()
        return layouts.get(self.selection.image_layout, next(iter(layouts.values())))

    def image_groups(self) -> ImageGroups:
        """What the colours of images mean."""
        return image_groups(self.study, self.selection.colouring)

    @property
    def chosen_head(self) -> tuple[int, int]:
        """Layer and index of the chosen head."""
        return self.selection.layer, self.selection.head

    @property
    def reference_class(self) -> int | None:
        """Class of the chosen image that probabilities speak of: its label, else the model's top-1 class."""
        image = self.selection.image
        if image is None:
            return None
        row = self.study.images.iloc[image]
        return int(row["label"] if row["label"] >= 0 else row["predicted"])

    # -- choices ---------------------------------------------------------------------------------------------------

    def choose_image(self, text: str) -> None:
        """Choose an image by its id or part of its file or class name; an empty text means all images.

        Raises
        ------
        VitpanelError
            If there is no such image, or several match; the hint says what can be typed.
        """
        self.selection.image = find_image(self.study, text)

    def step_image(self, step: int) -> None:
        """Choose the next or the previous image; without a choice, the first or the last."""
        last, image = self.study.n_images - 1, self.selection.image
        if image is None:
            self.selection.image = 0 if step > 0 else last
        else:
            self.selection.image = min(max(image + step, 0), last)

    def choose_pattern(self, image: int | None, layer: int, head: int) -> None:
        """Choose an image and a head in one step, so that watchers hear once."""
        self.selection.param.update(image=image, layer=layer, head=head)

    def jump(self, image: int, layer: int, head: int) -> None:
        """Go to a head of another image, and remember the way back."""
        before = (self.selection.image, *self.chosen_head)
        if before[0] != image:
            self.jumps = [*self.jumps, before][-MOST_JUMPS:]
        self.choose_pattern(image, layer, head)

    def go_back(self) -> None:
        """Return to where one was before the last jump."""
        if self.jumps:
            *earlier, before = self.jumps
            self.jumps = earlier
            self.choose_pattern(*before)

    def pin(self, layer: int, head: int) -> None:
        """Keep a head for comparison; one that is pinned already stays where it is.

        Raises
        ------
        VitpanelError
            If there is no such head, or as many are pinned as there is room for.
        """
        if (layer, head) in self.selection.pinned:
            return
        if len(self.selection.pinned) == MOST_PINNED:
            message = f"{MOST_PINNED} heads are pinned already."
            raise VitpanelError(message, hint="Unpin one first.")
        self.pin_all([*self.selection.pinned, (layer, head)])

    def unpin(self, layer: int, head: int) -> None:
        """Let a pinned head go."""
        self.selection.pinned = [pinned for pinned in self.selection.pinned if pinned != (layer, head)]

    def toggle_pin(self, layer: int, head: int) -> None:
        """Pin a head, or let it go if it is pinned; raises as `pin` does."""
        if (layer, head) in self.selection.pinned:
            self.unpin(layer, head)
        else:
            self.pin(layer, head)

    def pin_all(self, heads: Sequence[tuple[int, int]]) -> None:
        """Pin exactly these heads, in this order.

        Raises
        ------
        VitpanelError
            If the study has no such head, one occurs twice, or there are too many; nothing is changed then.
        """
        heads = [(int(layer), int(head)) for layer, head in heads]
        n_layers, n_heads = self.study.spec.n_layers, self.study.spec.n_heads
        for layer, head in heads:
            if not self.study.spec.has_head(layer, head):
                message = f"There is no {head_name(layer, head)}."
                most = self.study.spec.heads_of(layer) if 0 <= layer < n_layers else n_heads
                raise VitpanelError(message, hint=f"The model has layers 0 to {n_layers - 1}, heads 0 to {most - 1}.")
        if len(set(heads)) < len(heads) or len(heads) > MOST_PINNED:
            message = f"These {len(heads)} heads cannot be pinned: there is room for {MOST_PINNED} different ones."
            raise VitpanelError(message, hint="Name fewer heads, each once.")
        self.selection.pinned = heads

    # -- results of the live model ---------------------------------------------------------------------------------

    def mode_values(self) -> np.ndarray | None:
        """The chosen metric of the chosen head under each mode, ``(6,)``; None until the live model has answered."""
        pruned, reference = self.modes.value, self.reference_class
        if pruned is None or reference is None:
            return None
        return pruned.metric(self.selection.metric, reference)

    def pinned_heads(self) -> list[PinnedHead]:
        """What is known of each pinned head, in the order of the pins."""
        return [
            pinned_head(self.study, head, answer, selection=self.selection, reference_class=self.reference_class)
            for head, answer in self.pinned.answers.items()
        ]

    def predictions(self) -> Predictions | None:
        """Most probable classes under the chosen mode; None until the live model has answered.

        Raises
        ------
        StudyIncompleteError
            If the model has no class head, or the mode prunes nothing that the model has.
        """
        image, pruned = self.selection.image, self.modes.value
        if not self.study.class_names:
            raise StudyIncompleteError(self.study.reason("probabilities"))
        if image is None or pruned is None or pruned.probabilities is None:
            return None
        probabilities = pruned.probabilities[self.selection.mode]
        if np.isnan(probabilities).all():
            message = f"Mode {self.selection.mode} is not defined for this model."
            raise StudyIncompleteError(message, hint="Choose another mode.")
        return top_predictions(
            probabilities,
            unpruned=pruned.probabilities[0],
            label=int(self.study.images["label"].iloc[image]),
            names=self.study.class_names,
        )

    def head_display(self) -> HeadDisplay | None:
        """D2 to D5: what is drawn of the chosen head's attention; None until the live model has answered."""
        attention = self.attention.value
        return None if attention is None else head_display(attention, self.study.spec.grid)

    def threshold(self) -> float | None:
        """Lowest attention value of the chosen head that is drawn in full; None until the live model has answered."""
        attention = self.attention.value
        return None if attention is None else threshold_value(attention, self.selection.threshold)

    def heads_by(self, order: str) -> list[tuple[int, int]]:
        """All heads by ``"layer"``, by ``"entropy"`` (lowest first) or by ``"importance"`` (most important first).

        Entropy and importance are those of the chosen image, else means over all images.

        Raises
        ------
        StudyIncompleteError
            If the study does not have what they are ordered by.
        """
        spec = self.study.spec
        if order == "importance":
            places = self.ranking().order
        elif order == "entropy":
            places = np.argsort(self.head_values("entropy").per_head, axis=None, kind="stable")
        else:
            places = np.arange(spec.n_layers * spec.n_heads)
        heads = [divmod(int(place), spec.n_heads) for place in places]
        return [(layer, head) for layer, head in heads if spec.has_head(layer, head)]

    def ask_again(self) -> None:
        """Ask the live model once more, after a failure."""
        self.pinned.forget()
        self._on_head()

    @param.depends("selection.image", "selection.layer", "selection.head", watch=True)
    def _on_head(self) -> None:
        image, (layer, head) = self.selection.image, self.chosen_head
        if image is None or self.inference is None:
            idle = Online("idle", message=NO_IMAGE if image is None else NO_MODEL)
            self.param.update(modes=idle, attention=idle)
            self.pinned.follow((layer, head), idle)
            return
        key = (image, layer, head)
        if self.study.attention_reason:
            self.attention = Online("idle", message=self.study.attention_reason)
        else:
            self.inference.attention(image, layer, partial(self._receive_attention, key))
        self.inference.modes(image, layer, head, partial(self._receive, "modes", key))

    @param.depends("selection.image", "wants_atlas", watch=True)
    def _on_atlas(self) -> None:
        image, reason = self.selection.image, self.study.attention_reason
        if image is None or self.inference is None:
            self.atlas = Online("idle", message=NO_IMAGE if image is None else NO_MODEL)
        elif reason:
            self.atlas = Online("idle", message=reason)
        elif self.wants_atlas:
            self.inference.atlas(image, partial(self._receive_atlas, image))

    def _receive_atlas(self, image: int, outcome: Online[np.ndarray]) -> None:
        if image == self.selection.image:
            self.atlas = outcome

    def _receive_attention(self, key: tuple[int, int, int], outcome: Online[Matrices]) -> None:
        of_head = outcome if outcome.value is None else Online(outcome.status, outcome.value[key[2]])
        self._receive("attention", key, of_head)

    def _receive(self, name: str, key: tuple[int, int, int], outcome: Online[Any]) -> None:
        if key == (self.selection.image, *self.chosen_head):
            self.param.update({name: outcome})
            if name == "modes":
                self.pinned.follow(self.chosen_head, outcome)


def limited(selection: Selection, study: Study) -> Selection:
    """Let a selection take only what a study has; what it does not have is refused with a ValueError."""
    spec = study.spec
    sizes = {"image": study.n_images, "layer": spec.n_layers, "head": spec.n_heads, "token": spec.grid.n_tokens}
    for name, size in sizes.items():
        selection.param[name].bounds = (0, size - 1)
    # What is chosen already has not been held against the bounds.
    selection.param.update(**{name: getattr(selection, name) for name in sizes})
    if spec.heads:
        # Registered before all views: they hear of a layer that lacks the chosen head with its last head.
        selection.param.watch(lambda *_: _choose_present(selection, study), ["layer", "head"])
        _choose_present(selection, study)
    return selection


def _mean_over_images(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis without NaN; NaN for a place without a head."""
    count = (~np.isnan(values)).sum(0)
    return np.divide(np.nansum(values, axis=0), count, out=np.full(count.shape, np.nan), where=count > 0)


def _choose_present(selection: Selection, study: Study) -> None:
    """Choose the last head of a layer in the place of one that it does not have."""
    last = study.spec.heads_of(selection.layer) - 1
    selection.head = min(selection.head, last)


def starting_selection(study: Study) -> Selection:
    """Where a newcomer starts: the head that matters most on average, on the image where it matters most.

    The map of all heads starts with the layout that tells heads apart best (docs/patterns.md), if the study has it.
    """
    pattern = "offset" if "layout/offset" in study else "patch"
    layouts = image_layouts(study.spec)
    image_layout = next((name for name, array in layouts.items() if array in study), next(iter(layouts)))
    start = {"pattern": pattern, "image_layout": image_layout}
    name = next((f"importance/{m}" for m in ("probability", "jsd", "cls", "patch") if f"importance/{m}" in study), None)
    if name is None:
        return Selection(**start)
    values = importance_values(study, name.removeprefix("importance/"))
    mean = study.mean(name) if name != "importance/probability" else _mean_over_images(values)
    layer, head = np.unravel_index(np.nanargmax(mean), mean.shape)
    image = np.nanargmax(values[:, layer, head])
    metric = name.removeprefix("importance/")
    return Selection(image=int(image), layer=int(layer), head=int(head), metric=metric, **start)
