"""What the live model says of the heads that are pinned."""

from functools import partial

import numpy as np
import param

from vitpanel.core.pruned_head import PrunedHead
from vitpanel.state.online import NO_IMAGE, NO_MODEL, Inference, Online
from vitpanel.state.queries.modes import drawn_modes
from vitpanel.state.results import PinnedHead
from vitpanel.state.selection import Selection
from vitpanel.state.strength import head_density, undefined_reason, value_on_image
from vitpanel.study.reader import Study

Head = tuple[int, int]
WAITING: Online[PrunedHead] = Online("running", message="waiting …")


class PinnedModes(param.Parameterized):
    """Pruning modes of the pinned heads on the chosen image.

    The model is asked for one head after the other, when the chosen head has its answer, so that a click never waits
    for more than one of them.

    Parameters
    ----------
    selection
        Whose image and pins count.
    inference
        The live model, None where it cannot be had.
    """

    answers = param.Dict(default={}, doc="An Online PrunedHead for each pinned head, in the order of the pins.")
    is_shown = param.Boolean(default=False, doc="Whether anybody looks; else the model is not asked.")

    def __init__(self, selection: Selection, inference: Inference | None) -> None:
        self.selection = selection
        self.inference = inference
        self._chosen: tuple[int | None, Head, Online[PrunedHead]] | None = None
        self._image: int | None = None
        self._asked: Head | None = None
        super().__init__()
        selection.param.watch(self._on_pinned, "pinned")

    def follow(self, head: Head, outcome: Online[PrunedHead]) -> None:
        """Hear how far the chosen head of the chosen image is, and go on when it is done."""
        self._chosen = self.selection.image, head, outcome
        self._refresh()

    def forget(self) -> None:
        """Drop all answers; they are asked for once more after the chosen head."""
        self._image = None

    def renew(self, inference: Inference | None) -> None:
        """Go on with what can be asked now that there is more of the study.

        What the same model has said, or is about to say, stays; what failed is asked for once more. A study may have
        answered with the rows that it had.
        """
        if inference is not self.inference:
            self.forget()
        self.inference = inference
        self.answers = {
            head: answer if answer.status in {"done", "running"} else WAITING for head, answer in self.answers.items()
        }

    def _on_pinned(self, *_: object) -> None:
        self._refresh()

    @param.depends("is_shown", watch=True)
    def _refresh(self) -> None:
        image = self.selection.image
        known: dict[Head, Online[PrunedHead]] = dict(self.answers) if image == self._image else {}
        if image != self._image or self._asked not in self.selection.pinned:
            self._asked = None
        self._image = image
        chosen = self._chosen[1:] if self._chosen is not None and self._chosen[0] == image else None
        if chosen is not None and chosen[1].status == "done":
            known[chosen[0]] = chosen[1]
        if image is None or self.inference is None:
            idle: Online[PrunedHead] = Online("idle", message=NO_IMAGE if image is None else NO_MODEL)
            self.answers = dict.fromkeys(self.selection.pinned, idle)
            return
        self.answers = {head: known.get(head, WAITING) for head in self.selection.pinned}
        if self.is_shown and self._asked is None and chosen is not None and chosen[1].status != "running":
            self._ask_next(image, self.inference)

    def _ask_next(self, image: int, inference: Inference) -> None:
        waiting = [head for head, answer in self.answers.items() if answer is WAITING]
        if waiting:
            self._asked = waiting[0]
            layer, head = waiting[0]
            inference.modes(image, layer, head, partial(self._receive, image, waiting[0]), purpose="pinned")

    def _receive(self, image: int, head: Head, outcome: Online[PrunedHead]) -> None:
        if image != self._image or head not in self.answers:
            return
        self.answers = self.answers | {head: outcome}
        if outcome.status != "running":
            self._asked = None
            self._refresh()


def pinned_head(
    study: Study, head: Head, answer: Online[PrunedHead], *, selection: Selection, reference_class: int | None
) -> PinnedHead:
    """Put together what the study and the live model say of a pinned head."""
    image = selection.image
    modes = None
    if answer.value is not None and image is not None:
        modes = drawn_modes(answer.value, selection.metric, reference_class)
    nothing = np.full(study.spec.grid.n_hops, np.nan)
    mean = study.mean("strength")[head] if "strength" in study else nothing
    strength = study["strength"][(image, *head)] if image is not None and "strength" in study else None
    span, grid, density, entropy = (0.0, 1.0), np.zeros(0), np.zeros(0), None
    if "entropy" in study and not undefined_reason(study, "entropy"):
        over_all = head_density(study, "entropy", head, brushed=None)
        span, grid, density = over_all.span, over_all.grid, over_all.density
        entropy = value_on_image(study, "entropy", head, image=image)
    return PinnedHead(
        head=head,
        metric=selection.metric,
        modes=modes,
        message="" if modes is not None else answer.message,
        strength=strength,
        mean_strength=mean,
        grid=grid,
        density=density,
        span=span,
        entropy=entropy,
    )
