"""What the live model says of the chosen image and head: asked when they change, kept while they are chosen."""

from functools import partial
from typing import Any

import numpy as np
import param

from vitpanel.state.online import IDLE, NO_IMAGE, NO_MODEL, Inference, Matrices, Online
from vitpanel.state.pins import PinnedModes
from vitpanel.state.selection import Selection
from vitpanel.state.stored import with_stored_modes
from vitpanel.study.reader import Study


class Answers(param.Parameterized):
    """Answers of the live model, in the order of its questions; one of what is no longer chosen is dropped.

    Parameters
    ----------
    study
        Shared by all sessions of a process; never changed.
    selection
        Whose image and head are asked for.
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

    def __init__(self, study: Study, *, selection: Selection, inference: Inference | None) -> None:
        self.study, self._live = study, inference
        self.inference = with_stored_modes(study, inference)
        super().__init__(selection=selection)
        self.pinned = PinnedModes(self.selection, self.inference)
        self._on_head()
        self._on_atlas()

    def renew(self, study: Study) -> None:
        """Go on with the same study as it stands on disk now; all who follow the selection draw anew."""
        self.study = study
        self.inference = self.pinned.inference = with_stored_modes(study, self._live)
        self.selection.param.trigger(*(name for name in self.selection.param if name != "name"))

    def ask_again(self) -> None:
        """Ask the live model once more, after a failure."""
        self.pinned.forget()
        self._on_head()

    @param.depends("selection.image", "selection.layer", "selection.head", watch=True)
    def _on_head(self) -> None:
        image, (layer, head) = self.selection.image, self.selection.chosen_head
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
        if key == (self.selection.image, *self.selection.chosen_head):
            self.param.update({name: outcome})
            if name == "modes":
                self.pinned.follow(self.selection.chosen_head, outcome)
