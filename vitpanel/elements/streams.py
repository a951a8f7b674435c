"""How an element follows a selection, and how what a person does in it is written there."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from holoviews.streams import BoundsXY, Lasso, Params, Tap

from vitpanel.elements.style import laid_over
from vitpanel.errors import InferenceError, VitpanelError
from vitpanel.runtime import comms, patches
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

# All elements come through here.
patches.apply()
comms.apply()


class AsChosen(Enum):
    """Stands for an option that is not given where None means something: then the selection decides."""

    AS_CHOSEN = "as chosen"


AS_CHOSEN = AsChosen.AS_CHOSEN
Image = int | None | AsChosen


@dataclass(frozen=True)
class Frame:
    """What is drawn now.

    Parameters
    ----------
    study
        What it is of.
    seen
        What is looked at: the selection but for the options that are fixed. Nobody else has it.
    table
        Answer to the question of the chart; without rows where there is none.
    error
        Why there is no answer; None if there is one.
    """

    study: Study
    seen: Selection
    table: pd.DataFrame
    error: VitpanelError | None = None

    def title(self, text: str) -> str:
        """The title of the figure: why it is empty, where it is."""
        return text if self.error is None else f"{self.error.message} {self.error.hint}".strip()

    @property
    def who(self) -> str:
        """Whom values are of, for a title."""
        return "mean of all images" if self.seen.image is None else f"image {self.seen.image}"


@dataclass(frozen=True)
class Layer:
    """One of the elements that lie over each other in a chart.

    Parameters
    ----------
    draw
        Makes the element; each time of the same type, whatever the frame has.
    listen
        Lets what a person does be written to the selection; called once with what is drawn and the chart.
    """

    draw: Callable[[Frame], Any]
    listen: Callable[[hv.DynamicMap, "Shown"], None] | None = None


@dataclass(frozen=True)
class Chart:
    """What an element is made of.

    Parameters
    ----------
    query
        The question, asked of a study and what is looked at.
    columns
        Of its answer.
    follows
        Parameters of the selection that change the picture.
    layers
        Lowest first.
    needs_image
        Whether there is an answer for a single image only.
    """

    query: Callable[[Study, Selection], pd.DataFrame]
    columns: tuple[str, ...]
    follows: tuple[str, ...]
    layers: tuple[Layer, ...]
    needs_image: bool = False


def present(chart: Chart, study: Study, selection: Selection | None, *, table: bool, **options: Any) -> Any:
    """Return a chart as the convention has it: see `vitpanel.elements`.

    Parameters
    ----------
    options
        Values of parameters of the selection; `AS_CHOSEN`, and None unless it stands for all images, leave them to the
        selection.

    Raises
    ------
    ChoiceError
        If an option has a value that it cannot have.
    VitpanelError
        If the question has no answer. A chart that follows a selection says so in its title, unless there is no live
        model.
    """
    comms.choose()
    means_something = set() if chart.needs_image else {"image"}
    fixed = {n: v for n, v in options.items() if v is not AS_CHOSEN and (v is not None or n in means_something)}
    shown = Shown(chart, study, selection, fixed)
    if table:
        return shown.asked().table
    return shown.static() if selection is None else shown.linked(selection)


class Shown:
    """A chart of a study, as a selection and fixed options have it.

    Parameters
    ----------
    selection
        Followed and written to; None draws once what a page of the study starts with, over all images where that can
        be.
    fixed
        Values of the selection's parameters that stay.
    """

    def __init__(self, chart: Chart, study: Study, selection: Selection | None, fixed: dict[str, Any]) -> None:
        self.study = study
        self._chart, self._fixed = chart, fixed
        if selection is None:
            self.selection = Selection(study) if chart.needs_image else Selection(study, image=None)
        else:
            self.selection = selection.fit(study)
        self._last: tuple[tuple[Hashable, ...], Frame] | None = None

    def asked(self) -> Frame:
        """What is to be drawn now; raises as the question does."""
        seen = self.selection.but(**self._fixed)
        return Frame(self.study, seen, self._chart.query(self.study, seen))

    def frame(self) -> Frame:
        """What is to be drawn now, or why nothing; all layers share one answer."""
        now = tuple(_hashable(getattr(self.selection, name)) for name in self._chart.follows)
        if self._last is None or self._last[0] != now:
            self._last = now, self._answered()
        return self._last[1]

    def static(self) -> Any:
        """All layers, drawn once."""
        frame = self.asked()
        return laid_over([layer.draw(frame) for layer in self._chart.layers])

    def linked(self, selection: Selection) -> Any:
        """All layers, each drawn anew when the selection changes."""
        first = self.frame()
        if isinstance(first.error, InferenceError):
            raise first.error
        # One stream for all layers, so that a change redraws the figure once.
        stream = Params(selection, list(self._chart.follows))
        maps = []
        for layer in self._chart.layers:
            # Streams reach a figure from maps of single elements alone, so an overlay is a product of maps.
            drawn = hv.DynamicMap(partial(self._draw, layer), streams=[stream])
            if layer.listen is not None:
                layer.listen(drawn, self)
            maps.append(drawn)
        return laid_over(maps)

    def _draw(self, drawn: Layer, /, **_: object) -> Any:
        return drawn.draw(self.frame())

    def _answered(self) -> Frame:
        try:
            return self.asked()
        except VitpanelError as error:
            nothing = pd.DataFrame({name: [] for name in self._chart.columns})
            return Frame(self.study, self.selection.but(), nothing, error)


def on_tap(act: Callable[["Shown", float, float], None]) -> Callable[[hv.DynamicMap, Shown], None]:
    """What lets a chart hear of clicks: ``act`` gets the chart and the place."""

    def listen(source: hv.DynamicMap, shown: Shown) -> None:
        def hear(x: float | None, y: float | None) -> None:
            if x is not None and y is not None:
                act(shown, x, y)

        Tap(source=source).add_subscriber(hear)

    return listen


def on_box(act: Callable[["Shown", float, float, float, float], None]) -> Callable[[hv.DynamicMap, Shown], None]:
    """What lets a chart hear of boxes: ``act`` gets the chart, and left, bottom, right and top."""

    def listen(source: hv.DynamicMap, shown: Shown) -> None:
        def hear(bounds: tuple[float, float, float, float] | None) -> None:
            if bounds is not None:
                act(shown, *bounds)

        BoundsXY(source=source).add_subscriber(hear)

    return listen


def on_outline(source: Any, act: Callable[[list[float], list[float]], None]) -> None:
    """Let ``act`` hear of lassos and boxes that a person draws, each as x and y of its corners."""

    def hear_lasso(geometry: np.ndarray | None) -> None:
        if geometry is not None and len(geometry):
            act(*np.asarray(geometry, float).T.tolist())

    def hear_box(bounds: tuple[float, float, float, float] | None) -> None:
        if bounds is not None:
            x0, y0, x1, y1 = bounds
            act([x0, x1, x1, x0], [y0, y0, y1, y1])

    Lasso(source=source).add_subscriber(hear_lasso)
    BoundsXY(source=source).add_subscriber(hear_box)


def nearest_row(table: pd.DataFrame, *, x: tuple[str, float], y: tuple[str, float]) -> Any:
    """Row of a table whose point is nearest to a place, in shares of what all points span; None without any.

    Parameters
    ----------
    x, y
        Name of the column and the place along it.
    """
    distance = np.zeros(len(table))
    for column, place in (x, y):
        values = table[column].to_numpy(float)
        span = np.nanmax(values) - np.nanmin(values) if np.isfinite(values).any() else 0
        distance += ((values - place) / (span or 1)) ** 2
    if not np.isfinite(distance).any():
        return None
    return table.iloc[int(np.nanargmin(distance))]


def _hashable(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value
