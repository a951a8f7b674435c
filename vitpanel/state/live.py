"""The live model, asked and answered at once, for whoever may wait."""

from typing import Protocol

import numpy as np

from vitpanel.core.pruned_head import PrunedHead
from vitpanel.errors import ChoiceError, InferenceError, StudyIncompleteError
from vitpanel.state.online import Matrices
from vitpanel.state.selection import Selection
from vitpanel.state.stored import stored_modes
from vitpanel.study.reader import Study

NO_IMAGE = "Attention and pruning modes are of one image."
HOW_TO_CHOOSE = "Choose one: image=0, or the image of the selection."


class LiveModel(Protocol):
    """A study's model; its methods return when the answer is there, and raise an `InferenceError` if it cannot be."""

    def attention(self, image: int, layer: int) -> Matrices:
        """Attention of a layer, right but for a unit of the third digit."""
        ...

    def modes(self, image: int, layer: int, head: int) -> PrunedHead:
        """All pruning modes of a head."""
        ...

    def received(self, image: int) -> np.ndarray:
        """What each token receives in all heads, as `vitpanel.state.online.Inference` has it."""
        ...


def attention_of(study: Study, selection: Selection, live: LiveModel | None) -> np.ndarray:
    """Attention of the chosen head on the chosen image, float32 ``(n_tokens, n_tokens)``; rows are source tokens.

    Raises
    ------
    ChoiceError
        If no image is chosen.
    StudyIncompleteError
        If the checks of the study do not let the model's attention be shown.
    InferenceError
        If there is no model, or it fails.
    """
    return _showing(study, live).attention(_image(selection), selection.layer)[selection.head]


def received_of(study: Study, selection: Selection, live: LiveModel | None) -> np.ndarray:
    """What each token of the chosen image receives in all heads, float32 ``(2, n_layers, n_heads, n_tokens)``.

    The first is from CLS, the second from all patches on average; raises as `attention_of`.
    """
    return _showing(study, live).received(_image(selection))


def modes_of(study: Study, selection: Selection, live: LiveModel | None) -> PrunedHead:
    """Pruning modes of the chosen head on the chosen image: the study's where it has them, else the model's.

    Raises
    ------
    ChoiceError
        If no image is chosen.
    InferenceError
        If there is no model, or it fails.
    """
    image = _image(selection)
    if "modes/patch" in study:
        return stored_modes(study, image, selection.chosen_head)
    return _there(live).modes(image, *selection.chosen_head)


def _image(selection: Selection) -> int:
    if selection.image is None:
        raise ChoiceError(NO_IMAGE, hint=HOW_TO_CHOOSE)
    return selection.image


def _showing(study: Study, live: LiveModel | None) -> LiveModel:
    """The model, where its attention may be shown."""
    if study.attention_reason:
        raise StudyIncompleteError(study.attention_reason)
    return _there(live)


def _there(live: LiveModel | None) -> LiveModel:
    if live is None:
        message = "Raw attention and pruning modes come from the live model, which is off here."
        hint = "Leave live=False away, or compute the modes beforehand (vitpanel precompute --modes)."
        raise InferenceError(message, hint=hint)
    return live
