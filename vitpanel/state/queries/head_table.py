"""The chart of all heads by two of their numbers, and all numbers of every head in one table (C1)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vitpanel.errors import VitpanelError
from vitpanel.state.brush import HEAD, Brush, Ids, InRange, mask_of
from vitpanel.state.head_numbers import (
    LAYER,
    TOKEN_SHARE,
    Found,
    HeadNumber,
    axis_places,
    head_number,
    head_numbers,
)
from vitpanel.state.queries.marks import MARKS, all_heads, with_marks
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study


@dataclass(frozen=True)
class Shown:
    """A number of every head as it is shown: which one, what it is called with its unit, and what was found."""

    number: HeadNumber
    label: str
    found: Found

    @property
    def key(self) -> str:
        """That of the number."""
        return self.number.key

    @property
    def values(self) -> np.ndarray:
        """Values over the flat head index, float64."""
        return self.found.per_head.ravel().astype(np.float64)

    @property
    def std(self) -> np.ndarray:
        """Standard deviations over the flat head index, NaN where there are none."""
        std = self.found.std
        return np.full(self.found.per_head.size, np.nan) if std is None else std.ravel()


@dataclass(frozen=True)
class Scatter:
    """What the chart of all heads shows.

    Parameters
    ----------
    x, y, colour
        What goes across, what goes up, and what colours mean.
    no_colour
        Why brushed tokens give no colours; empty where they do, or none are brushed.
    n_unknown
        Heads that the model has and that have no value along an axis, so that they have no point.
    """

    x: Shown
    y: Shown
    colour: Shown
    no_colour: str
    n_unknown: int

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates of the points over the flat head index; NaN for a head without one."""
        n_layers, n_heads = self.x.found.per_head.shape
        heads = np.tile(np.arange(n_heads), n_layers)
        x, y = (
            axis_places(shown.values, heads, key=shown.key, other=other.key, n_heads=n_heads)
            for shown, other in ((self.x, self.y), (self.y, self.x))
        )
        is_shown = np.isfinite(x) & np.isfinite(y)
        return np.where(is_shown, x, np.nan), np.where(is_shown, y, np.nan)


def scatter_keys(selection: Selection) -> tuple[str, str, str]:
    """Keys of what goes across, of what goes up, and of what colours mean.

    Brushed tokens take the place of the colours of layers.
    """
    chosen = (selection.scatter_x, selection.scatter_y, selection.scatter_colour)
    x, y, colour = (head_number(key, selection).key for key in chosen)
    return x, y, TOKEN_SHARE if colour == LAYER and selection.tokens is not None else colour


def shown_number(session: Session, key: str) -> Shown:
    """A number of every head by its key; raises as its `find` does."""
    number = head_number(key, session.selection)
    return Shown(number, number.axis_label(session.selection), number.find(session))


def scatter_of(session: Session) -> Scatter:
    """What the chart of all heads shows of a session.

    Raises
    ------
    VitpanelError
        If a number cannot be had; the message is the reason. Where colours would be those of tokens that are brushed,
        they are those of layers then.
    """
    selection = session.selection
    x_key, y_key, colour_key = scatter_keys(selection)
    x, y, no_colour = shown_number(session, x_key), shown_number(session, y_key), ""
    try:
        colour = shown_number(session, colour_key)
    except VitpanelError as error:
        if colour_key == selection.scatter_colour:
            raise
        colour, no_colour = shown_number(session, LAYER), error.message
    is_unknown = ~np.isfinite(x.found.per_head) | ~np.isfinite(y.found.per_head)
    return Scatter(x, y, colour, no_colour, int((is_unknown & session.study.spec.is_there).sum()))


def head_table(study: Study, selection: Selection) -> pd.DataFrame:
    """All numbers of every head, on the chosen image or over all, one row a head.

    Returns
    -------
    The columns of `table_columns`. ``…_std`` is over images, NaN when one is chosen. NaN where the study does not have
    a number. What takes long to count is NaN unless it goes across or up or is what colours mean.

    Raises
    ------
    VitpanelError
        If what goes across or up or what colours mean cannot be had; the message is the reason.
    """
    return table_of(Session(study, selection=selection.but()))  # a session listens to its selection for good


def table_of(session: Session) -> pd.DataFrame:
    """As `head_table` has it, with what the live model has answered in a session."""
    found, table = scatter_of(session), all_heads(session.study)
    known = {shown.key: shown.found for shown in (found.x, found.y, found.colour)}
    for key, number in head_numbers().items():
        if key not in table:
            values = known.get(key) or _found(session, number)
            table[key] = np.nan if values is None else values.per_head.ravel()
            if number.array:
                table[f"{key}_std"] = np.nan if values is None or values.std is None else values.std.ravel()
    return with_marks(table, session.study, session.selection)


def table_columns() -> tuple[str, ...]:
    """Columns of `head_table`: layer, head, every other number with its standard deviation, and the marks."""
    numbers = (
        name
        for key, number in head_numbers().items()
        for name in ((key, f"{key}_std") if number.array else (key,))
    )  # fmt: skip
    return (*numbers, *MARKS)


def brush_of_box(session: Session, across: tuple[float, float], up: tuple[float, float]) -> Brush:
    """Heads inside a box in the chart, ends included: a rule where one says exactly what is inside, else the heads.

    An axis along which the box holds all heads is not said.

    Parameters
    ----------
    across, up
        Ends of the box along each axis, the lower one first.
    """
    found = scatter_of(session)
    sides = [
        (shown, (places >= low) & (places <= high), (low, high))
        for shown, places, (low, high) in zip((found.x, found.y), found.places, (across, up), strict=True)
    ]
    inside = sides[0][1] & sides[1][1]
    named = brush_of_heads(session, inside)
    if session.selection.image is not None:  # rules are of means
        return named
    has_point = np.isfinite(found.places[0])
    limiting = [(shown.number.array, ends) for shown, within, ends in sides if not within[has_point].all()]
    if not limiting or not all(array for array, _ in limiting):
        return named
    rules = [InRange(array, *ends, item=HEAD) for array, ends in limiting]
    rule = rules[0] if len(rules) == 1 else rules[0] & rules[1]
    return rule if np.array_equal(mask_of(session.study, rule).ravel(), inside) else named


def brush_of_heads(session: Session, inside: np.ndarray) -> Ids:
    """Brush of some heads, from a mask over the flat head index."""
    n_heads = session.study.spec.n_heads
    return Ids(tuple(divmod(int(flat), n_heads) for flat in np.flatnonzero(inside)), HEAD)


def _found(session: Session, number: HeadNumber) -> Found | None:
    """A number that is not asked for by name; None where it cannot be had, or not at once."""
    try:
        return None if number.work(session) else number.find(session)
    except VitpanelError:
        return None
