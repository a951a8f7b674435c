"""One person's session: a study, a selection, and named results derived from both.

Views ask a `Session` for results and never compute; what needs the live model arrives in the parameters `modes` and
`attention`.
"""

from functools import partial
from typing import Any

import numpy as np
import param

from vitpanel.core.display import HeadDisplay, head_display, threshold_value
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.brush import mask_of
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
from vitpanel.state.selection import Selection
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
from vitpanel.study.means import importance_array, importance_mean
from vitpanel.study.reader import Study
from vitpanel.study.schema import image_layouts


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
    modes = param.ClassSelector(default=IDLE, class_=Online, doc="Pruning modes of the chosen head: a `PrunedHead`.")
    attention = param.ClassSelector(
        default=IDLE, class_=Online, doc="Attention of the chosen head, (n_tokens, n_tokens)."
    )
    atlas = param.ClassSelector(
        default=IDLE, class_=Online, doc="Thumbnails of all heads, (n_layers, n_heads, n_rows, n_rows)."
    )
    wants_atlas = param.Boolean(default=False, doc="Whether somebody looks at the atlas: it costs a forward.")

    def __init__(self, study: Study, *, selection: Selection | None = None, inference: Inference | None = None) -> None:
        self.study = study
        self.inference = with_stored_modes(study, inference)
        super().__init__(selection=Selection(study) if selection is None else selection.fit(study))
        self.patterns = Patterns(study, self.selection)
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
        return None if self.selection.images is None else mask_of(self.study, self.selection.images)

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
        return self.selection.chosen_head

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
        return [divmod(int(place), spec.n_heads) for place in places]

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
