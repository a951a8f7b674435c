"""What one person looks at now, and what they marked; all that share it are linked."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import param

from vitpanel.core.metrics import metric_keys
from vitpanel.core.spec import ViTSpec, head_name
from vitpanel.drawing.display import HEAT, MASKS, SCALES
from vitpanel.errors import ChoiceError, VitpanelError
from vitpanel.state.brush import IMAGE, TOKEN, WAYS, Brush, combined
from vitpanel.state.first_values import first_values
from vitpanel.state.head_numbers import MEASURE, head_numbers
from vitpanel.state.history import History
from vitpanel.state.image_groups import COLOURINGS, NUMBERS
from vitpanel.state.parameters import BrushOrNone, HeadList, Index, KeptBrushes, MapBounds, Registered
from vitpanel.state.saved_state import FIELDS, apply_state, check_names, starting_values, to_state
from vitpanel.state.strength import MEASURES
from vitpanel.study.metric_arrays import all_image_layouts
from vitpanel.study.reader import Study

MAP_COLOURS = ("layer", "head", "class", "importance", "density", "tokens")
MOST_PINNED = 4
MOST_JUMPS = 50


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
    scatter_x = Registered(keys=lambda: list(head_numbers()), doc="What goes across in the chart of all heads.")
    scatter_y = Registered(
        keys=lambda: [MEASURE, *head_numbers()],
        doc="What goes up in the chart of all heads; measure stands for the one that is chosen.",
    )
    scatter_colour = Registered(
        keys=lambda: list(head_numbers()), doc="What the colours in the chart of all heads mean."
    )
    map_colour = param.Selector(
        default="layer", objects=list(MAP_COLOURS), doc="What the colours on the map of all heads mean."
    )
    cloud = param.Boolean(default=False, doc="Highlight the chosen head on all images on the map of all heads.")
    images = BrushOrNone(doc="Brush of images that this person marked.")
    heads = BrushOrNone(doc="Brush of heads, or of heads on images, of this person.")
    tokens = BrushOrNone(doc="Brush of tokens that this person marked.")
    kept = KeptBrushes(default={}, doc="Brushes that this person keeps, by name.")
    against = param.String(
        default=None,
        allow_None=True,
        doc="Name of the kept brush of images that brushed images are held against; None for all other images.",
    )
    viewport = MapBounds(doc="Part of the map of all heads that is in sight, x0, x1, y0 and y1; None for all of it.")
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
        self._study: Study | None = None
        super().__init__(**({} if study is None else first_values(study)) | values)
        # Before all others, so that they hear of what goes together.
        self.param.watch(self._settle, ["pattern", "viewport", "kept", "against"])
        if study is not None:
            self.fit(study)
        self.history = History(self, [*FIELDS, "jumps"])
        """What was chosen before, to be undone and done again."""

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
        self._spec, self._study = spec, study
        self.pin_all(self.pinned)
        return self

    def _settle(self, *events: param.parameterized.Event) -> None:
        """Let nothing be held against a brush that is kept no more, and no part of one map be seen on another."""
        changed = {event.name for event in events}
        if self.against is not None and self.against not in self.kept_images:
            self.against = None
        if "pattern" in changed and "viewport" not in changed:
            self.viewport = None

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
        copy._spec, copy._study = self._spec, self._study
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
        jumps = self.jumps if before[0] == image else [*self.jumps, before][-MOST_JUMPS:]
        self.param.update(jumps=jumps, image=image, layer=layer, head=head)

    def go_back(self) -> None:
        """Return to where one was before the last jump."""
        if self.jumps:
            *earlier, (image, layer, head) = self.jumps
            self.param.update(jumps=earlier, image=image, layer=layer, head=head)

    def mark(self, brush: Brush, *, how: str = "replace") -> None:
        """Brush images, heads or tokens, whichever the brush is a set of.

        Parameters
        ----------
        how
            What becomes of what is brushed already, one of `vitpanel.state.brush.WAYS`.
        """
        name = {IMAGE: "images", TOKEN: "tokens"}.get(brush.item, "heads")
        self.param.update(**{name: combined(getattr(self, name), brush, how=how)})

    # -- kept brushes ----------------------------------------------------------------------------------------------

    @property
    def kept_images(self) -> dict[str, Brush]:
        """Kept brushes of images, which others can be held against."""
        return {name: brush for name, brush in self.kept.items() if brush.item == IMAGE}

    def keep(self, name: str, brush: Brush) -> None:
        """Keep a brush under a name; another one of that name goes.

        Raises
        ------
        ChoiceError
            If the name is empty or long, or there is no room for one more.
        """
        self.kept = self.kept | {name.strip(): brush}

    def forget(self, name: str) -> None:
        """Keep a brush no more; brushed images are then held against all others if they were against it."""
        self.kept = {other: brush for other, brush in self.kept.items() if other != name}

    def hold_against(self, name: str | None) -> None:
        """Hold brushed images against those of a kept brush, or against all others.

        Raises
        ------
        ChoiceError
            If no brush of images is kept under the name.
        """
        if name is not None and name not in self.kept_images:
            message = f"No brush of images is kept as {name!r}."
            raise ChoiceError(message, hint=f"Kept are {', '.join(self.kept_images) or 'none'}.")
        self.against = name

    # -- what was and what will be ---------------------------------------------------------------------------------

    def undo(self) -> bool:
        """Take the last choice back; return whether there was one. See `history` for all of them."""
        return self.history.undo()

    def redo(self) -> bool:
        """Choose again what was undone last; return whether there was anything."""
        return self.history.redo()

    def state(self) -> dict[str, Any]:
        """What is chosen, as far as it is not what a page of the study starts with; ready for JSON.

        Raises
        ------
        ChoiceError
            If no study is known to this selection.
        """
        study = self._known_study()
        return to_state(self, study=study, start=starting_values(Selection(study)))

    def restore(self, state: Mapping[str, Any]) -> list[str]:
        """Choose what a state says, and what a page of the study starts with where it says nothing.

        Parameters
        ----------
        state
            As `state` gives it.

        Returns
        -------
        A sentence if it is of another study, and for each value that this study does not have.

        Raises
        ------
        ChoiceError
            If no study is known to this selection, or the state has names that mean nothing; nothing is chosen then.
        """
        study = self._known_study()
        check_names(state)
        return apply_state(self, state, study=study, start=starting_values(Selection(study)))

    def _known_study(self) -> Study:
        if self._study is None:
            message = "This selection is of no study yet."
            raise ChoiceError(message, hint="Make it by vitpanel.Selection(study), or show it first.")
        return self._study

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
