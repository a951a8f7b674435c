"""What one person asks of a set of heads pruned together: on the chosen image at once, on many when told to."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import param

from vitpanel.core.metrics import metric_of
from vitpanel.core.regions import PruningMode
from vitpanel.errors import VitpanelError
from vitpanel.state.online import NO_MODEL, Online
from vitpanel.state.queries.pruned_images import PrunedImage, pruned_image
from vitpanel.state.queries.pruned_set import (
    ALL,
    LEAST_FIRST,
    MOST_FIRST,
    HeadSet,
    PrunedSoFar,
    SetJob,
    asked_images,
    chosen_set,
    counted,
    scopes,
    steps_of_curve,
)
from vitpanel.state.session import Session

NO_IMAGE = "Choose an image, and what pruning does to it is shown here."
IMAGES, CURVE = "images", "curve"
NOTHING: Online[Any] = Online("idle")


class SetPruning(param.Parameterized):
    """Answers on a set of heads; those on many images stay as they are until others are asked for.

    Parameters
    ----------
    session
        Whose brush, pins, chosen head, image and mode count, and whose live model is asked.
    """

    is_seen = param.Boolean(default=False, doc="Whether somebody looks; else the model is not asked for an image.")
    scope = param.String(default=ALL, doc="On which images: a key of `scopes`.")
    order = param.Selector(
        default=LEAST_FIRST, objects=[LEAST_FIRST, MOST_FIRST], doc="Which heads a curve prunes first."
    )
    chosen = param.ClassSelector(default=NOTHING, class_=Online, doc="A `PrunedImage` of the chosen image.")
    images = param.ClassSelector(
        default=NOTHING,
        class_=Online,
        doc="A `PrunedSoFar` of the set on many images; its status is ``stopped`` when it was cancelled.",
    )
    curves = param.Dict(default={}, doc="An Online `PrunedSoFar` of a curve for each order that was asked for.")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.words: dict[str, str] = {}
        self._asked: SetJob | None = None
        self._curves_are_of: tuple[int, tuple[int, ...], str] | None = None
        super().__init__(scope=next(iter(scopes(session.study, session.selection.images).values())))
        session.selection.param.watch(self._on_set, ["heads", "pinned", "layer", "head", "image", "mode"])
        session.selection.param.watch(self._on_brush, "images")
        self._on_set()

    @property
    def reason(self) -> str:
        """Why nothing can be pruned at all; empty where it can."""
        if self.session.inference is None:
            return NO_MODEL
        return "" if self.session.study.spec.n_classes else self.session.study.reason("probabilities")

    def chosen_set(self) -> HeadSet:
        """Heads that are pruned together; those of a brush that the study cannot tell are none, with the reason."""
        try:
            return chosen_set(self.session.study, self.session.selection)
        except VitpanelError as error:
            return HeadSet((), "brushed heads", f"{error.message} {error.hint}".strip())

    def scope_words(self) -> str:
        """Which images are asked for."""
        known = scopes(self.session.study, self.session.selection.images)
        return next((words for words, key in known.items() if key == self.scope), "")

    def mode_words(self) -> str:
        """What of each head is pruned."""
        mode = PruningMode(self.session.selection.mode)
        return f"mode {int(mode)} ({mode.label})"

    def images_words(self) -> str:
        """What `start` asks for."""
        return f"{self.chosen_set().words}, {self.mode_words()}, {self.scope_words()}"

    def curve_words(self) -> str:
        """What `start_curve` asks for."""
        metric = metric_of(self.session.selection.metric)
        return f"{self.mode_words()}, {self.scope_words()}, heads by their mean importance ({metric.title})"

    # -- the chosen image ------------------------------------------------------------------------------------------

    @param.depends("is_seen", watch=True)
    def _on_set(self, *_: object) -> None:
        """Ask for the chosen image when it or the set has become another, while somebody looks."""
        session, found = self.session, self.chosen_set()
        image, inference = session.selection.image, session.inference
        reason = self.reason or found.reason or (NO_IMAGE if image is None else "")
        if reason or image is None or inference is None:
            self._asked, self.chosen = None, Online("idle", message=reason)
            return
        job = SetJob((found.heads,), session.selection.mode, (image,))
        if self.is_seen and job != self._asked:
            self._asked = job
            inference.prune_image(job, partial(self._receive_image, job))

    def _receive_image(self, job: SetJob, outcome: Online[np.ndarray]) -> None:
        if job != self._asked:
            return
        value: PrunedImage | None = None
        if outcome.value is not None:
            value = pruned_image(self.session.study, job, outcome.value)
        self.chosen = Online(outcome.status, value, outcome.message, outcome.hint)

    # -- many images -----------------------------------------------------------------------------------------------

    def _on_brush(self, event: param.parameterized.Event) -> None:
        """Take the brushed images when some are brushed first, and others when none are any more."""
        known = list(scopes(self.session.study, event.new).values())
        if (event.old is None and event.new is not None) or self.scope not in known:
            self.scope = known[0]

    def start(self) -> None:
        """Prune the set on the images that are asked for."""
        found = self.chosen_set()
        images = asked_images(self.session.study, self.scope, self.session.selection.images)
        reason = self.reason or found.reason or ("" if images else "No image is brushed.")
        if reason or self.session.inference is None:
            self.images = Online("failed", message=reason)
            return
        self.words[IMAGES] = self.images_words()
        self.images = NOTHING
        job = SetJob((found.heads,), self.session.selection.mode, images)
        self.session.inference.prune_images(job, partial(self._receive, IMAGES, ""), purpose=IMAGES)

    def start_curve(self) -> None:
        """Prune all heads, one twelfth more at each step, on the images that are asked for."""
        session, order = self.session, self.order
        images = asked_images(session.study, self.scope, session.selection.images)
        try:
            sets = steps_of_curve(session.study, session.selection.metric, order)
            reason = self.reason or ("" if images else "No image is brushed.")
        except VitpanelError as error:
            sets, reason = (), f"{error.message} {error.hint}".strip()
        if reason or session.inference is None:
            self.curves = {order: Online("failed", message=reason)}
            return
        metric = session.selection.metric
        job = SetJob(sets, session.selection.mode, images)
        if (job.mode, images, metric) != self._curves_are_of:
            self.curves, self._curves_are_of = {}, (job.mode, images, metric)
        self.words[CURVE] = self.curve_words()
        session.inference.prune_images(job, partial(self._receive, CURVE, order), purpose=CURVE)

    def cancel(self, what: str) -> None:
        """Stop what is computed; what is there stays."""
        if self.session.inference is not None:
            self.session.inference.stop_pruning(what)
        stopped = {order: _stopped(outcome) for order, outcome in self.curves.items()}
        if what == IMAGES:
            self.images = _stopped(self.images)
        else:
            self.curves = stopped

    def _receive(self, what: str, order: str, outcome: Online[PrunedSoFar]) -> None:
        if what == IMAGES:
            self.images = _with_what_is_known(outcome, self.images)
        else:
            # Another curve that has not come to its end is not computed any more.
            others = {key: _stopped(known) for key, known in self.curves.items() if key != order}
            self.curves = others | {order: _with_what_is_known(outcome, self.curves.get(order, NOTHING))}


def progress_words(outcome: Online[PrunedSoFar]) -> str:
    """How far a job is, or why it is not; as "37 of 200 images, about 12 s left"."""
    so_far = outcome.value
    if so_far is None or not len(so_far.found):
        return f"{outcome.message} {outcome.hint}".strip()
    n, n_all = len(so_far.found), len(so_far.job.images)
    count = counted(n_all, "image") if n == n_all else f"{n:,} of {counted(n_all, 'image')}"
    if outcome.status == "failed":
        return f"{count}, then: {outcome.message} {outcome.hint}".strip()
    if outcome.status == "stopped":
        return f"{count}; cancelled"
    left = so_far.seconds_left
    if outcome.status == "running" and left is not None:
        return f"{count}, about {_duration(left)} left"
    return count


def _duration(seconds: float) -> str:
    if seconds < 100:  # noqa: PLR2004 - as people say it
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{round(minutes / 60)} h"  # noqa: PLR2004


def _stopped(outcome: Online[PrunedSoFar]) -> Online[PrunedSoFar]:
    """The same, where it was running as one that was cancelled."""
    if outcome.status != "running":
        return outcome
    return replace(outcome, status="stopped", message="cancelled before the first image", hint="")


def _with_what_is_known(outcome: Online[PrunedSoFar], before: Online[PrunedSoFar]) -> Online[PrunedSoFar]:
    """An outcome that says nothing of images yet, with what was known of the same job."""
    return replace(outcome, value=before.value) if outcome.value is None and outcome.status == "running" else outcome
