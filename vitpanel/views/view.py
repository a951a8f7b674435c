"""What a view is: a title, its place on the page, what it is redrawn for, and what can be saved of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import pandas as pd
import panel as pn
import param

from vitpanel.errors import VitpanelError
from vitpanel.state.as_code import script
from vitpanel.state.caption import caption_lines, choice_facts
from vitpanel.state.session import Session
from vitpanel.theme.palette import css
from vitpanel.views.background import Background
from vitpanel.views.base import FILLED, FULL_WIDTH
from vitpanel.views.bridge import Bridge
from vitpanel.views.chart import Chart
from vitpanel.views.popover import chapter
from vitpanel.views.tables import TABLE_KINDS, file_text
from vitpanel.views.view_tools import VIEW_CLASS, ViewTools

HEADER_HEIGHT = 44
TOOLS_WIDTH = 60
_HEADER = {
    "flex-wrap": "wrap",
    "align-items": "center",
    "justify-content": "flex-end",
    "min-height": f"{HEADER_HEIGHT}px",
    "padding-right": f"{TOOLS_WIDTH}px",
}
_LOOK = f"""
    :host {{ position: relative; border-radius: 4px; color: {css("text")}; background: {css("surface")};
        box-shadow: 0px 2px 1px -1px rgba(0, 0, 0, 0.2), 0px 1px 1px 0px rgba(0, 0, 0, 0.14),
            0px 1px 3px 0px rgba(0, 0, 0, 0.12); }}
"""


@dataclass(frozen=True)
class Place:
    """Where a view stands on the page.

    Parameters
    ----------
    row
        Rows are laid out by this number, from the top; in a row the views that come with vitpanel stand left.
    width
        Share of the row: twice as much as another's is twice as wide.
    height
        Share of the page's height that the row gets; where views of a row differ, the largest.
    """

    row: int
    width: int = 50
    height: int = 50


class View(pn.viewable.Viewer):
    """One view: a title, a "?" with its chapter of the guide on how to read it, and a body.

    A view is given a `Session`; when the selection changes it asks the session for named results and patches the
    sources that it made once. It knows no other view. Its header has a menu that saves each `Chart` which is an
    attribute of the view, and a button that makes the view fill the page.

    A class of its own, given to `vitpanel.views.registry.register`, is one view more.
    """

    title: ClassVar[str]
    """Words in the header."""
    slug: ClassVar[str]
    """Name by which the view is asked for, like ``head-importance``: small letters, digits and hyphens."""
    place: ClassVar[Place | None]
    """Where it stands; a view with None is not on the page until a button in the page's header opens it over the lower
    row, and is not built before."""
    redraws: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Methods that draw, each with what it is called for when that changes: parameters of the selection; with
    ``session.`` before them of the session, with ``view.`` of the view. A view draws for the first time by itself, and
    then calls `follow`."""

    has_ramps: ClassVar[bool] = True
    """Whether its figures have the ramps of colours of attention values, which then are exchanged with the theme."""

    dark = param.Boolean(default=False, doc="Whether the ground is dark, for what is painted in Python.")
    maximised = param.Boolean(default=False, doc="Whether the view fills the page.")

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self.session = session
        self.bridge = bridge
        self._saving = Background(bridge, is_slow=True)
        text = self.help()
        self.view_tools = ViewTools.for_layers(
            session.study.spec.n_layers,
            heading=self.title,
            mark="?" if text else "",
            label=f"How to read {self.title}",
            text=text,
            list_charts=self.records,
            has_ramps=self.has_ramps,
            save=self.save,
        )
        self.view_tools.param.watch(self._on_browser, ["dark", "maximised"])

    def _on_browser(self, *events: param.parameterized.Event) -> None:
        """Take over what the browser has told, one thing or both at once."""
        self.param.update({event.name: event.new for event in events})

    @classmethod
    def help(cls) -> str:
        """How to read the view, as HTML; empty where there is nothing to say."""
        return chapter(cls.title)

    def follow(self) -> None:
        """Draw from now on at each change of what `redraws` names; called once, when the view is whole."""
        owners = {"": self.session.selection, "session": self.session, "view": self}
        for draw, parameters in self.redraws.items():
            for owner, watched in owners.items():
                names = [name for place, _, name in (text.rpartition(".") for text in parameters) if place == owner]
                if names:
                    watched.param.watch(partial(self._put, draw), names)

    def _put(self, draw: str, *_: param.parameterized.Event) -> None:
        self.bridge.put((self.slug, draw), getattr(self, draw))

    def body(self) -> pn.viewable.Viewable:
        """Build what the view shows; called once."""
        raise NotImplementedError

    def controls(self) -> list[pn.viewable.Viewable]:
        """Widgets shown at the right of the title."""
        return []

    def draw(self, chart: Chart, change: Callable[[], None], *, needs: str) -> None:
        """Apply a change and show its chart, or say in its place why there is nothing to see.

        Parameters
        ----------
        chart
            What is patched.
        change
            Patches the sources; a `VitpanelError` that it raises is shown in place.
        needs
            Name of the array without which there is nothing to draw.
        """
        reason = self.session.study.reason(needs)
        if reason:
            chart.say(reason)
            return
        try:
            change()
        except VitpanelError as error:
            chart.say(error.message, hint=error.hint)
        else:
            chart.clear()

    @property
    def charts(self) -> dict[str, Chart]:
        """Charts that can be saved, by the beginning of their files' names."""
        charts = [value for value in vars(self).values() if isinstance(value, Chart)]
        return {chart.stem: chart for chart in charts if chart.stem is not None}

    def records(self) -> list[dict[str, Any]]:
        """What the menu of files says of what can be saved."""
        return [chart.record() | {"python": self._script(chart)} for chart in self.charts.values()]

    def _script(self, chart: Chart) -> str:
        """Lines of Python that draw a chart as it is now; empty where no element does."""
        study, selection = self.session.study, self.session.selection
        return script(study, selection, chart.python) if chart.python else ""

    def file_name(self, stem: str, kind: str) -> str:
        """Name of a file that says what was chosen, like ``head-importance_L0H4_image12.csv``."""
        (layer, head), image = self.session.chosen_head, self.session.selection.image
        place, detail = "all-images" if image is None else f"image{image}", self.charts[stem].detail()
        return f"{'_'.join(filter(None, (stem, f'L{layer}H{head}', place, detail)))}.{kind}"

    def save(self, stem: str, kind: str, *, scale: int = 1) -> None:
        """Save one of the charts in the browser, as ``"png"`` of some scale or ``"svg"``, or its table."""
        chart = self.charts[stem]
        if chart.message:
            self.view_tools.say(f"There is nothing to save: {chart.message}")
        elif kind in TABLE_KINDS:
            self.save_table(self.table_maker(chart), kind=kind, file=self.file_name(stem, kind))
        else:
            file, legend = self.file_name(stem, kind), chart.legend()
            look = {"scale": scale, "legend": legend, "caption": self.caption()}
            self.view_tools.download(chart.figure, kind=kind, file=file, **look)

    def table_maker(self, chart: Chart) -> Callable[[], pd.DataFrame]:
        """What makes the table of a chart as it is now; called in another thread, so nothing that is drawn is read."""
        table = pd.DataFrame() if chart.table is None else chart.table()
        return lambda: table

    def save_table(self, make: Callable[[], pd.DataFrame], *, kind: str, file: str) -> None:
        """Save a table in the browser, as ``"csv"`` or ``"parquet"``, once it is made, beside the event loop."""
        facts = choice_facts(self.session.study, self.session.selection)
        self._saving.run(
            lambda: file_text(make(), kind, facts),
            lambda text: self.view_tools.download(None, kind=kind, file=file, text=text),
            refuse=lambda error: self.view_tools.say(f"{error.message} {error.hint}".strip()),
        )

    def caption(self) -> list[str]:
        """Lines below pictures that are saved."""
        return caption_lines(self.session.study, self.session.selection)

    def __panel__(self) -> pn.viewable.Viewable:
        """Lay out title, controls and body once per view; controls that find no room go below the title."""
        header = pn.Row(self.view_tools, *self.controls(), **FULL_WIDTH, styles=_HEADER)
        look = FILLED | {"margin": 4}
        return self.bridge.column(header, self.body(), **look, css_classes=[VIEW_CLASS], stylesheets=[_LOOK])
