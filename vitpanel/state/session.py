"""One person's session: a study, a selection, and named results derived from both.

Views ask a `Session` for results and never compute; what needs the live model arrives in the parameters of
`Answers`.
"""

import numpy as np
import pandas as pd

from vitpanel.drawing.display import HeadDisplay, head_display, threshold_value
from vitpanel.errors import ChoiceError
from vitpanel.state.answers import Answers
from vitpanel.state.brush import mask_of
from vitpanel.state.image_groups import NUMBERS, ImageGroups, image_groups
from vitpanel.state.image_search import find_image
from vitpanel.state.online import NO_IMAGE, Inference
from vitpanel.state.patterns import Patterns
from vitpanel.state.pins import pinned_head
from vitpanel.state.queries.brush_shares import BrushShares, shares_of_heads, shares_of_tokens
from vitpanel.state.queries.head_means import MeanModes, mean_modes
from vitpanel.state.queries.image_numbers import ImageNumbers, image_numbers, shown_colouring
from vitpanel.state.queries.image_set import others_mask, set_reference, set_table
from vitpanel.state.queries.importance import importance_curve
from vitpanel.state.queries.likeness import pattern_distances
from vitpanel.state.queries.modes import mode_values, predictions, reference_class
from vitpanel.state.ranking import Ranking, ranking
from vitpanel.state.results import (
    ImportanceCurve,
    PinnedHead,
    Predictions,
)
from vitpanel.state.selection import Selection
from vitpanel.state.strength import (
    HeadDensity,
    HeadStrength,
    HeadValues,
    head_density,
    head_strength,
    head_values,
    value_on_image,
)
from vitpanel.study.means import importance_array
from vitpanel.study.reader import Study
from vitpanel.study.schema import image_layouts


class Session(Answers):
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

    def __init__(self, study: Study, *, selection: Selection | None = None, inference: Inference | None = None) -> None:
        selection = Selection(study) if selection is None else selection.fit(study)
        super().__init__(study, selection=selection, inference=inference)
        self.patterns = Patterns(study, selection, token_shares=self.token_shares)
        self._display: tuple[np.ndarray, HeadDisplay] | None = None

    def renew(self, study: Study) -> None:
        """Go on with the same study as it stands on disk now; all who follow the selection draw anew."""
        self.patterns = Patterns(study, self.selection.fit(study), token_shares=self.token_shares)
        super().renew(study)

    # -- results from the study ------------------------------------------------------------------------------------

    def importance_curve(self) -> ImportanceCurve:
        """What is drawn of all heads by the chosen metric."""
        return importance_curve(self.study, self.selection)

    @property
    def importance_array(self) -> str:
        """Array of the study that the curve of the chosen metric comes from: exact values, or those of an estimate."""
        return importance_array(self.study, self.selection.metric)

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
        return head_density(self.study, name, head, brushed=self.brushed, others=self.others)

    def chosen_value(self, head: tuple[int, int] | None = None, *, measure: str | None = None) -> float | None:
        """Measure of a head on the chosen image; None without one or where it is not known."""
        name, head = measure or self.selection.measure, head or self.chosen_head
        return value_on_image(self.study, name, head, image=self.selection.image)

    @property
    def brushed(self) -> np.ndarray | None:
        """Which images are brushed, bool ``(n_images,)``; None without a brush."""
        return None if self.selection.images is None else mask_of(self.study, self.selection.images)

    @property
    def others(self) -> np.ndarray | None:
        """Which images brushed ones are held against, bool ``(n_images,)``; None for all that are not brushed."""
        return others_mask(self.study, self.selection)

    def set_against_rest(self, *, as_drawn: bool) -> pd.DataFrame | None:
        """The brushed images against `others` by the chosen metric, one row a head; None without a brush.

        Takes and raises what `set_table` does.
        """
        mask = self.brushed
        if mask is None:
            return None
        metric = f"importance/{self.selection.metric}"
        return set_table(self.study, mask, metric, others=self.others, as_drawn=as_drawn)

    def brush_reference(self) -> float | None:
        """Mean probability of the brushed images with all heads, as `set_reference` gives it; None without a brush.

        Raises what `set_against_rest` does.
        """
        mask = self.brushed
        if mask is None:
            return None
        return set_reference(self.study, mask, f"importance/{self.selection.metric}", others=self.others)

    def head_shares(self) -> BrushShares | None:
        """How much of each head is in the brush of heads, or of heads on images; None without one.

        Raises
        ------
        StudyError
            If the study does not have what the brush speaks of.
        """
        brush = self.selection.heads
        return None if brush is None else shares_of_heads(self.study, brush)

    def token_shares(self) -> BrushShares | None:
        """Share of each head's attention that goes to the brushed tokens of the chosen image; None without a brush."""
        brush, selection = self.selection.tokens, self.selection
        if brush is None:
            return None
        return shares_of_tokens(
            self.study, brush, image=selection.image, source=selection.share_source, received=self.received
        )

    def image_layouts(self) -> dict[str, str]:
        """Arrays that lay the images of this model out, by the name of what their vectors are."""
        return image_layouts(self.study.spec)

    @property
    def image_layout(self) -> str:
        """Name of the array that lays images out: the chosen one, else the first that the model can have."""
        layouts = self.image_layouts()
        return layouts.get(self.selection.image_layout, next(iter(layouts.values())))

    def image_groups(self) -> ImageGroups:
        """What the colours of images mean, where they mean groups."""
        return image_groups(self.study, shown_colouring(self.selection))

    def image_numbers(self) -> ImageNumbers | None:
        """Number that the colours of images mean, None where they mean groups; raises as `image_numbers` does."""
        colouring = shown_colouring(self.selection)
        return image_numbers(self.study, self.selection, colouring) if colouring in NUMBERS else None

    def pattern_distances(self) -> np.ndarray:
        """How far the pattern of each head of the chosen image is from the chosen head's, ``(n_layers, n_heads)``.

        Raises
        ------
        ChoiceError
            If no image is chosen.
        StudyIncompleteError
            If the study does not have the patterns.
        """
        if self.selection.image is None:
            raise ChoiceError(NO_IMAGE)
        return pattern_distances(self.study, self.selection, self.selection.image)

    @property
    def chosen_head(self) -> tuple[int, int]:
        """Layer and index of the chosen head."""
        return self.selection.chosen_head

    @property
    def reference_class(self) -> int | None:
        """Class of the chosen image that probabilities speak of: its label, else the model's top-1 class."""
        return reference_class(self.study, self.selection.image)

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

    def step_head(self, step: int) -> None:
        """Choose the next or the previous head, from layer to layer; stays at the first and at the last."""
        heads = self.heads_by("layer")
        place = heads.index(self.chosen_head) + step
        self.selection.choose_head(*heads[min(max(place, 0), len(heads) - 1)])

    def step_layer(self, step: int) -> None:
        """Choose the same head of the next or the previous layer; stays at the first and at the last."""
        layer, head = self.chosen_head
        self.selection.choose_head(min(max(layer + step, 0), self.study.spec.n_layers - 1), head)

    # -- results of the live model ---------------------------------------------------------------------------------

    def mean_mode_values(self) -> MeanModes | None:
        """What is drawn of the chosen head under each mode on average, without an image; None while it is not known."""
        found = self.mean_modes.value
        if found is None or self.selection.image is not None:
            return None
        return mean_modes(self.study, self.selection.metric, found, brush=self.selection.images)

    def mode_values(self) -> np.ndarray | None:
        """What is drawn of the chosen head under each mode, ``(6,)``; None until the live model has answered."""
        return mode_values(self.study, self.selection, self.modes.value)

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
        return predictions(self.study, self.selection, self.modes.value)

    def head_display(self) -> HeadDisplay | None:
        """D2 to D5: what is drawn of the chosen head's attention; None until the live model has answered."""
        attention = self.attention.value
        if attention is None:
            return None
        if self._display is None or self._display[0] is not attention:
            self._display = attention, head_display(attention, self.study.spec.grid)
        return self._display[1]

    def threshold_value(self) -> float | None:
        """Lowest attention value of the chosen head that is drawn in full; None until the live model has answered."""
        attention = self.attention.value
        return None if attention is None else threshold_value(attention, self.selection.threshold)

    def heads_by(self, order: str) -> list[tuple[int, int]]:
        """All heads by ``"layer"``, ``"entropy"`` (lowest first), ``"importance"`` (most first) or ``"likeness"``.

        Entropy and importance are those of the chosen image, else means over all images. By likeness the chosen head
        comes first, and then those whose `pattern_distances` are least.

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
        elif order == "likeness":
            places = np.argsort(self.pattern_distances(), axis=None, kind="stable")
        else:
            places = np.arange(spec.n_layers * spec.n_heads)
        heads = [divmod(int(place), spec.n_heads) for place in places]
        return [(layer, head) for layer, head in heads if spec.has_head(layer, head)]
