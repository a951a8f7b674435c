"""What the live model says of the chosen image and head: asked when they change, kept while they are chosen."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import param

from vitpanel.core.head_means import AttentionSum, ModesOfImages
from vitpanel.state.brush import Brush
from vitpanel.state.online import (
    IDLE,
    MEAN_ATTENTION,
    MEAN_MODES,
    NO_IMAGE,
    NO_IMAGES,
    NO_MODEL,
    Inference,
    Matrices,
    Online,
)
from vitpanel.state.pins import PinnedModes
from vitpanel.state.queries.head_means import (
    MOST,
    AttentionJob,
    ModesJob,
    has_modes,
    layers_together,
    mean_words,
    meant_images,
)
from vitpanel.state.queries.so_far import SoFar
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
    mean_modes = param.ClassSelector(
        default=IDLE, class_=Online, doc="Without an image, pruning modes of the chosen head on many: `ModesOfImages`."
    )
    attention = param.ClassSelector(
        default=IDLE,
        class_=Online,
        doc="Attention of the chosen head, (n_tokens, n_tokens); without an image the mean over many, and the message "
        "says over which.",
    )
    atlas = param.ClassSelector(
        default=IDLE, class_=Online, doc="Thumbnails of all heads, (n_layers, n_heads, n_rows, n_rows)."
    )
    received = param.ClassSelector(
        default=IDLE,
        class_=Online,
        doc="What each token receives in all heads, (2, n_layers, n_heads, n_tokens); asked while tokens are brushed.",
    )
    wants_atlas = param.Boolean(default=False, doc="Whether somebody looks at the atlas: it costs a forward.")

    def __init__(self, study: Study, *, selection: Selection, inference: Inference | None) -> None:
        self.study, self._live = study, inference
        self.inference = with_stored_modes(study, inference)
        super().__init__(selection=selection)
        self.pinned = PinnedModes(self.selection, self.inference)
        self._received_of: int | None = None
        self._means_of: tuple[Any, ...] | None = None  # head and brush that means are asked of
        self._meant: tuple[int, ...] = ()  # images that the model is asked for
        self._n_meant: dict[str, int] = {}  # images that a mean that is shown is of
        self._on_head()
        self._on_atlas()
        self._on_tokens()

    def renew(self, study: Study) -> None:
        """Go on with the same study as it stands on disk now; all who follow the selection draw anew."""
        self.study = study
        self.inference = with_stored_modes(study, self._live)
        self.pinned.renew(self.inference)
        self.selection.param.trigger(*(name for name in self.selection.param if name != "name"))

    def ask_again(self) -> None:
        """Ask the live model once more, after a failure."""
        self.pinned.forget()
        self._stop_means()
        self._on_head()
        self._on_tokens()

    @param.depends("selection.image", "selection.layer", "selection.head", watch=True)
    def _on_head(self) -> None:
        image, (layer, head) = self.selection.image, self.selection.chosen_head
        if image is None and self._has_means():
            self._reword_mean()
            return
        self._stop_means()
        if image is None or self.inference is None:
            idle = self.modes = Online("idle", message=NO_IMAGE if image is None else NO_MODEL)
            self.pinned.follow((layer, head), idle)
            if image is None:
                self._ask_means()
            else:
                self.attention = idle
            return
        key = (image, layer, head)
        if self.study.attention_reason:
            self.attention = Online("idle", message=self.study.attention_reason)
        else:
            self.inference.attention(image, layer, partial(self._receive_attention, key))
        self.inference.modes(image, layer, head, partial(self._receive, "modes", key))

    @param.depends("selection.images", watch=True)
    def _on_images(self) -> None:
        if self.selection.image is None and not self._has_means():
            self._stop_means()
            self._ask_means()

    def _has_means(self) -> bool:
        """Whether means of what is chosen are there or on their way, and worth being kept while a run goes on.

        Each of its blocks would begin them anew; twice as many images are worth that, and all of a finished study.
        What the study stores is there at once, and asked for each time.
        """
        selection = self.selection
        is_kept = self._means_of == (*selection.chosen_head, selection.images) and self.inference is self._live
        has_failed = "failed" in {self.attention.status, self.mean_modes.status}
        if not is_kept or has_failed or self.study.is_finished:
            return False
        images = meant_images(self.study, selection.images)
        return set(self._meant) <= set(images) and min(len(images), MOST) < 2 * len(self._meant)

    def _reword_mean(self) -> None:
        """Say of how many images a mean of attention is that is kept while more come."""
        if self.attention.value is not None:
            words = self._words_of_mean(self.selection.images, self._n_meant[MEAN_ATTENTION])
            self.attention = replace(self.attention, message=words)

    def _words_of_mean(self, brush: Brush | None, n: int) -> str:
        return f"mean of {mean_words(self.study, brush, n)}"

    def _stop_means(self) -> None:
        """Want means over images no more; those that are there are of another choice."""
        self._means_of, self._meant, self._n_meant = None, (), {}
        if self.inference is not None:
            for purpose in (MEAN_ATTENTION, MEAN_MODES):
                self.inference.stop_pruning(purpose)

    def _ask_means(self) -> None:
        """Ask for means of the chosen head over the brushed images, else over all."""
        selection, reason = self.selection, self.study.attention_reason
        images = meant_images(self.study, selection.images)
        if self.inference is None or not images:
            idle = Online("idle", message=NO_MODEL if images else NO_IMAGES)
            self.param.update(attention=idle, mean_modes=idle)
            return
        layer, head = selection.chosen_head
        asked = self._means_of = (layer, head, selection.images)
        self._meant = images[:MOST]
        if reason:
            self.attention = Online("idle", message=reason)
        else:
            job = AttentionJob(layers_together(self.study.spec, layer), self._meant)
            self.inference.attention_of_images(job, partial(self._receive_mean_attention, asked))
        most = len(images) if has_modes(self.study) else MOST
        self.inference.modes_of_images(ModesJob(layer, head, images[:most]), partial(self._receive_mean_modes, asked))

    @param.depends("selection.image", "wants_atlas", watch=True)
    def _on_atlas(self) -> None:
        image, reason = self.selection.image, self.study.attention_reason
        if image is None or self.inference is None:
            self.atlas = Online("idle", message=NO_IMAGE if image is None else NO_MODEL)
        elif reason:
            self.atlas = Online("idle", message=reason)
        elif self.wants_atlas:
            self.inference.atlas(image, partial(self._receive_atlas, image))

    @param.depends("selection.image", "selection.tokens", watch=True)
    def _on_tokens(self) -> None:
        image, reason = self.selection.image, self.study.attention_reason
        if image is None or self.selection.tokens is None or self.inference is None or reason:
            message = NO_IMAGE if image is None else NO_MODEL if self.inference is None else reason
            self._received_of, self.received = None, Online("idle", message=message)
        elif image != self._received_of or self.received.status not in {"running", "done"}:
            # Another set of tokens of the same image is another sum of what is there.
            self._received_of = image
            self.inference.received(image, partial(self._receive_received, image))

    def _receive_received(self, image: int, outcome: Online[np.ndarray]) -> None:
        if image == self._received_of:
            self.received = outcome

    def _receive_mean_attention(
        self, asked: tuple[Any, ...], outcome: Online[SoFar[AttentionJob, AttentionSum]]
    ) -> None:
        if not self._is_worth_drawing(MEAN_ATTENTION, asked, outcome):
            return
        mean, words, (layer, head, brush) = None, "", asked
        if outcome.value is not None and len(outcome.value.found):
            mean = outcome.value.found.mean(layer, head)
            words = self._words_of_mean(brush, len(outcome.value.found))
        self.attention = Online(outcome.status, mean, outcome.message or words, outcome.hint)

    def _receive_mean_modes(self, asked: tuple[Any, ...], outcome: Online[SoFar[ModesJob, ModesOfImages]]) -> None:
        if self._is_worth_drawing(MEAN_MODES, asked, outcome):
            found = None if outcome.value is None else outcome.value.found or None
            self.mean_modes = Online(outcome.status, found, outcome.message, outcome.hint)

    def _is_worth_drawing(self, purpose: str, asked: tuple[Any, ...], outcome: Online[SoFar[Any, Any]]) -> bool:
        """Whether an answer is of what is chosen, and of twice as many images as the last one or final.

        Each image more would draw all pictures again for a change that nobody sees.
        """
        n = 0 if outcome.value is None else len(outcome.value.found)
        if asked != self._means_of or (outcome.status == "running" and n and n < 2 * self._n_meant.get(purpose, 0)):
            return False
        self._n_meant[purpose] = n
        return True

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
