"""A set of heads pruned together, on the chosen image and on many, opened on demand."""

from functools import partial
from typing import Any, ClassVar

import pandas as pd
import panel as pn

from vitpanel.core.regions import PruningMode
from vitpanel.errors import VitpanelError
from vitpanel.state.queries.pruned_images import curve_table, image_table
from vitpanel.state.queries.pruned_set import PrunedSoFar, scopes
from vitpanel.state.session import Session
from vitpanel.state.set_pruning import CURVE, IMAGES, SetPruning
from vitpanel.views.background import Background
from vitpanel.views.base import FILLED
from vitpanel.views.bridge import Bridge
from vitpanel.views.controls import create_select, linked
from vitpanel.views.figures.set_pruning import ORDERS, SetPruningPanel, curve_record, image_record, images_record
from vitpanel.views.view import View

CHOSEN_FILE, IMAGES_FILE = "pruned-set_image", "pruned-set_images"
HEADS_FILE, CURVE_FILE = "pruned-set_heads", "necessity-curve"
_TITLES = {
    CHOSEN_FILE: "Classes of the chosen image",
    IMAGES_FILE: "Images, before and after",
    HEADS_FILE: "Heads that were pruned on them",
    CURVE_FILE: "Necessity curve",
}


class PruneSet(View):
    """The brushed heads, the pinned ones or the chosen one, pruned together by the live model."""

    title = "Prune set"
    slug = "prune-set"
    place = None
    has_ramps = False
    redraws: ClassVar = {
        "_show_image": ("heads", "pinned", "layer", "head", "image", "mode"),
        "_show_scopes": ("images",),
        "_show_next": ("heads", "pinned", "layer", "head", "image", "mode", "images", "metric"),
    }

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        self.pruning = SetPruning(session)
        self._saving = Background(bridge, is_slow=True)
        modes = {f"{int(mode)}: {mode.label}": int(mode) for mode in PruningMode}
        self.mode = linked(
            create_select("What is pruned of each head", modes, session.selection.mode, width=230),
            session.selection,
            "mode",
        )
        self.scope = create_select("On which images", {}, None, width=180)
        self.panel = SetPruningPanel(**FILLED)
        self.panel.on_msg(self._on_message)
        for name, show in (("chosen", self._show_image), ("images", self._show_images), ("curves", self._show_curve)):
            self.pruning.param.watch(partial(self._soon, name, show), name)
        self.pruning.param.watch(partial(self._soon, "order", self._show_curve), "order")
        for name, show in (("scope", self._show_scopes), ("next", self._show_next)):
            self.pruning.param.watch(partial(self._soon, name, show), "scope")
        self._show_scopes()
        self.scope.param.watch(self._on_scope, "value")
        self._show_image()
        self._show_images()
        self._show_curve()
        self._show_next()
        self.follow()

    def controls(self) -> list[pn.viewable.Viewable]:
        """What is pruned of each head, and on which images."""
        return [self.mode, self.scope]

    def body(self) -> pn.viewable.Viewable:
        """Show the panel."""
        return self.panel

    def _soon(self, name: str, show: Any, *_: Any) -> None:
        self.bridge.put((self.slug, name), show)

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_scope(self, event: Any) -> None:
        # A menu whose options are exchanged has no value for a moment.
        if event.new is not None:
            self.pruning.scope = event.new

    def _on_message(self, message: Any) -> None:
        """Do what the browser asks for, as far as there is such a thing."""
        told = message.data
        if isinstance(told.get("seen"), bool):
            self.pruning.is_seen = told["seen"]
        elif told.get("order") in ORDERS:
            self.pruning.order = told["order"]
        elif told.get("run") in {IMAGES, CURVE}:
            (self.pruning.start if told["run"] == IMAGES else self.pruning.start_curve)()
        elif told.get("cancel") in {IMAGES, CURVE}:
            self.pruning.cancel(told["cancel"])
        elif told.get("choose") in range(self.session.study.n_images):
            self.bridge.put("choose image", partial(self.session.selection.param.update, image=told["choose"]))

    # -- answers ---------------------------------------------------------------------------------------------------

    def _show_scopes(self) -> None:
        known = scopes(self.session.study, self.session.selection.images)
        self.scope.param.update(options=known, value=self.pruning.scope)

    def _set_words(self) -> str:
        found = self.pruning.chosen_set()
        if found.reason:
            return found.reason
        together = " together" if len(found.heads) > 1 else ""
        return f"Pruned{together}: {found.words} ({found.names}), {self.pruning.mode_words()}."

    def _show_image(self) -> None:
        session = self.session
        image = session.selection.image
        self.panel.param.update(
            image=image_record(session.study, image, self.pruning.chosen, words=self._set_words()),
            chosen=-1 if image is None else image,
        )

    def _show_next(self) -> None:
        self.panel.next = {IMAGES: self.pruning.images_words(), CURVE: self.pruning.curve_words()}

    def _show_images(self) -> None:
        self.panel.images = images_record(
            self.session.study,
            self.pruning.images,
            words=self.pruning.words.get(IMAGES, ""),
        )

    def _show_curve(self) -> None:
        self.panel.curve = curve_record(
            self.session.study.spec,
            self.pruning.curves,
            self.pruning.order,
            words=self.pruning.words.get(CURVE, ""),
        )

    # -- files -----------------------------------------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """What the menu of files says of the numbers."""
        reasons = dict.fromkeys(_TITLES, "")
        if self.pruning.chosen.value is None:
            reasons[CHOSEN_FILE] = "There is no answer for the chosen image."
        if self.pruning.images.value is None:
            reasons[IMAGES_FILE] = reasons[HEADS_FILE] = "Press Run first."
        if not self._known_curves():
            reasons[CURVE_FILE] = "Press Run first."
        return [
            {"stem": stem, "title": title, "kinds": ["csv"], "reason": reasons[stem], "absent": ""}
            for stem, title in _TITLES.items()
        ]

    def _known_curves(self) -> dict[str, PrunedSoFar]:
        return {order: known.value for order, known in self.pruning.curves.items() if known.value is not None}

    def _table(self, stem: str) -> pd.DataFrame:
        """Numbers that are in sight."""
        study, of_images, of_image = self.session.study, self.pruning.images.value, self.pruning.chosen.value
        curves = self._known_curves().items()
        if stem == CURVE_FILE and curves:
            return pd.concat([curve_table(known.job, known.found).assign(order=order) for order, known in curves])
        if stem == CHOSEN_FILE and of_image is not None:
            return of_image.classes
        if stem == IMAGES_FILE and of_images is not None:
            return image_table(study, of_images.found)
        if stem == HEADS_FILE and of_images is not None:
            return pd.DataFrame(of_images.job.sets[0], columns=["layer", "head"]).assign(mode=of_images.job.mode)
        message = "There is nothing to save yet."
        raise VitpanelError(message, hint="Press Run first.")

    def save(self, stem: str, kind: str, *, scale: int = 1) -> None:
        """Save numbers that are in sight, written beside the page: there may be many images."""
        del scale
        image = f"_image{self.session.selection.image}" if stem == CHOSEN_FILE else ""
        self._saving.run(
            lambda: self._table(stem).to_csv(index=False),
            lambda text: self.view_tools.download(None, kind=kind, file=f"{stem}{image}.csv", text=text),
            refuse=lambda error: self.view_tools.say(f"{error.message} {error.hint}"),
        )
