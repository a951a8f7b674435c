"""The explorer: views A to D linked by one selection, laid out after Fig. 1 of the paper."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn

from vitpanel.app.address import Address
from vitpanel.app.brush_bar import BrushBar
from vitpanel.app.growing import Growing, RunLine
from vitpanel.app.heading import StudyHeading
from vitpanel.app.history_buttons import HistoryButtons
from vitpanel.app.inference import ModelService
from vitpanel.app.lifetime import freeze_what_is_there, served_document, sessions
from vitpanel.app.on_demand import OnDemand
from vitpanel.app.opening import open_in_turn
from vitpanel.app.page import HEADER_HEIGHT, create_frame
from vitpanel.app.page_buttons import PageButtons
from vitpanel.app.page_menu import PageMenu
from vitpanel.app.placeholder import Placeholder, create_problem
from vitpanel.app.report.button import ReportButton
from vitpanel.app.session_inference import SessionInference
from vitpanel.app.study_card import study_title
from vitpanel.app.task_panel import TaskPanel
from vitpanel.app.tasks import TaskSheet, read_tasks
from vitpanel.app.trust_badge import TrustBadge
from vitpanel.elements.density import warm_up
from vitpanel.errors import VitpanelError
from vitpanel.runtime.incidents import report
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.theme.notices import create_notice
from vitpanel.views.base import escaped
from vitpanel.views.bridge import Bridge
from vitpanel.views.controls import create_button
from vitpanel.views.damage import despite_damage
from vitpanel.views.registry import on_demand
from vitpanel.views.registry import views as known_views
from vitpanel.views.view import Place, View

# Where every chart still has its place, below headers of two rows; in a smaller window the views scroll both ways.
SMALLEST = (1180, 668)
FILLED: dict[str, Any] = {"sizing_mode": "stretch_both", "margin": 0}
NARROW = {"min-width": "0", "min-height": "0"}
LAST = Place(row=100, width=100)  # of a view that is opened on demand, where it is asked for by name


class Explorer(pn.viewable.Viewer):
    """One person's linked views of a study.

    Parameters
    ----------
    study
        May be shared by all sessions of a process.
    service
        The live model, shared as well; None shows what the study alone gives.
    views
        Slugs of the views to make, one or several; None makes all but those that are opened on demand.
    selection
        What is looked at, to be shared with another explorer; None starts one.
    height
        Pixels, or a CSS height, of the whole.
    is_whole
        Whether to build all views now; else `parts` builds them one by one.

    Raises
    ------
    VitpanelError
        If there is no view of such a slug; the hint gives those that there are.
    """

    def __init__(
        self,
        study: Study,
        *,
        service: ModelService | None = None,
        views: str | Sequence[str] | None = None,
        selection: Selection | None = None,
        height: int | str = 880,
        is_whole: bool = True,
    ) -> None:
        super().__init__()
        self.bridge = Bridge()
        self._inference = None if service is None else SessionInference(service, self.bridge)
        self.session = despite_damage(partial(Session, study, selection=selection, inference=self._inference))
        self.views: dict[str, View] = {}
        self._height = height
        self._kinds = chosen_views(views)
        self._is_all = views is None
        self._cells = {
            slug: pn.Column(Placeholder(kind.title), **FILLED, css_classes=[f"vp-at-{slug}"])
            for slug, kind in self._kinds.items()
        }
        if is_whole:
            deque(self.parts(), maxlen=0)

    def parts(self) -> Iterator[None]:
        """Build what is not built yet, one part at each step; a view that fails says why in its place.

        The views of a row come together: at each change of what a page contains, Bokeh goes through all of its models.
        """
        for row in self._rows():
            made: dict[str, Any] = {}
            for slug in row:
                made[slug] = self._made(slug)
                yield
            document = pn.state.curdoc
            with nullcontext() if document is None else document.models.freeze():
                for slug, view in made.items():
                    self._place(slug, view)
            yield

    def _made(self, slug: str) -> View | pn.viewable.Viewable:
        """Return a view, or words on why there is none."""
        try:
            self.views[slug] = despite_damage(partial(all_kinds()[slug], self.session, self.bridge))
        except Exception as error:  # noqa: BLE001 - the other views stand
            return self._problem(slug, error)
        return self.views[slug]

    def _place(self, slug: str, view: View | pn.viewable.Viewable) -> None:
        """Put a view, or words on why there is none, in its place."""
        try:
            self._cells[slug].objects = [view]
        except Exception as error:  # noqa: BLE001 - the other views stand
            self._cells[slug].objects = [self._problem(slug, error)]

    def opened(self, slug: str) -> pn.viewable.Viewable:
        """Build a view that is opened on demand, or return words on why there is none."""
        try:
            return pn.Column(self._made(slug), **FILLED)
        except Exception as error:  # noqa: BLE001 - the page stands
            return self._problem(slug, error)

    def _problem(self, slug: str, error: Exception) -> pn.viewable.Viewable:
        known = error if isinstance(error, VitpanelError) else VitpanelError(report(f"{slug} failed.", error))
        return create_problem(all_kinds()[slug].title, known)

    def _rows(self) -> list[list[str]]:
        """Slugs of the views in the rows of the page, from the top."""
        rows: dict[int, list[str]] = {}
        for slug, kind in self._kinds.items():
            rows.setdefault((kind.place or LAST).row, []).append(slug)
        return [rows[row] for row in sorted(rows)]

    def close(self) -> None:
        """Want nothing of the live model any more; once the session has ended."""
        if self._inference is not None:
            self._inference.close()

    def tell(self, n_before: int) -> None:
        """Say in the places of the views how many other pages are built first."""
        for name, cell in self._cells.items():
            placeholder = cell[0]
            if name not in self.views and isinstance(placeholder, Placeholder):
                placeholder.tell(n_before)

    @property
    def selection(self) -> Selection:
        """What is looked at; can be set from code, and given to another explorer."""
        return self.session.selection

    def state(self) -> dict[str, Any]:
        """What is chosen, brushed and kept, ready for JSON; see `vitpanel.Selection.state`."""
        return self.selection.state()

    def restore(self, state: Mapping[str, Any]) -> list[str]:
        """Choose what a state says; see `vitpanel.Selection.restore`, which says what is returned and raised."""
        return self.selection.restore(state)

    def __panel__(self) -> pn.viewable.Viewable:
        """Rows of views, A and B above C and D; made once, since Bokeh models belong to one document."""
        rows = self._rows()
        heights = [max((self._kinds[slug].place or LAST).height for slug in row) for row in rows]
        laid_out = [self._row(row, height) for row, height in zip(rows, heights, strict=True)]
        width, height = SMALLEST
        # 100 are the shares of the two rows that come with vitpanel.
        low = {"min-width": f"{width}px", "min-height": f"{height * sum(heights) / 100:.0f}px"} if self._is_all else {}
        if isinstance(self._height, int):
            # In a cell nothing but a height of its own keeps the output from being as low as its first line.
            size = {"height": self._height, "sizing_mode": "stretch_width", "margin": 0}
            return pn.Column(*laid_out, **size, styles=low)
        page = pn.Column(*laid_out, **FILLED, styles={"flex": "1 0 auto", **low})
        return pn.Column(page, **FILLED, styles={"height": self._height, "overflow": "auto"})

    def _row(self, slugs: list[str], height: int) -> pn.Row:
        """Views side by side, with their shares of the width, in a row with its share of the page's height."""
        for slug in slugs:
            self._cells[slug].styles = {"flex": f"{(self._kinds[slug].place or LAST).width} 1 0", **NARROW}
        return pn.Row(*(self._cells[slug] for slug in slugs), **FILLED, styles={"flex": f"{height} 1 0", **NARROW})


def chosen_views(slugs: str | Sequence[str] | None) -> dict[str, type[View]]:
    """Views asked for as they stand on the page; without a wish all but those that are opened on demand.

    Raises
    ------
    VitpanelError
        If there is no view of such a slug; the hint gives those that there are.
    """
    known = all_kinds()
    asked = list(known_views()) if slugs is None else [slugs] if isinstance(slugs, str) else list(slugs)
    for slug in asked:
        if slug not in known:
            message = f"There is no view {slug!r}."
            raise VitpanelError(message, hint=f"The views are {', '.join(known)}.")
    return {slug: kind for slug, kind in known.items() if slug in asked}


def all_kinds() -> dict[str, type[View]]:
    """All views, those on the page first."""
    return known_views() | on_demand()


def create_page(
    study: Study,
    *,
    service: ModelService | None = None,
    growing: Growing | None = None,
    tasks: TaskSheet | None = None,
) -> pn.Column:
    """Return the whole page of a session.

    On a server the views come once the browser is there, in turn with those of other visitors; a page that nobody
    looks at costs little. Those of a study that is not finished show more as it comes.

    Parameters
    ----------
    growing
        The same study, of which there may be more.
    tasks
        What is to be tried; None takes the sheet that comes with vitpanel.
    """
    document = served_document()
    height = f"calc(100vh - {HEADER_HEIGHT}px)"
    explorer = Explorer(study, service=service, height=height, is_whole=document is None)
    address = Address(explorer.session)
    buttons = PageButtons(explorer.session, styles={"color": "white"})
    history = HistoryButtons(explorer.session, explorer.bridge, lambda: address.left_out, styles={"color": "white"})
    buttons.param.watch(lambda event: address.say(theme="dark" if event.new == "dark" else ""), "theme")
    menu = PageMenu(explorer.selection, margin=(0, 8, 0, 0))
    menu.param.watch(lambda event: address.say(type="large" if event.new == "large" else ""), "type_size")
    openers = [OnDemand(kind, partial(explorer.opened, slug), margin=(0, 3)) for slug, kind in on_demand().items()]
    bar, badge = BrushBar(explorer.session, explorer.bridge, margin=(0, 6)), TrustBadge(study)
    report_button = ReportButton(explorer.session, explorer.bridge, live=service, styles={"color": "white"})
    sheet = TaskPanel(tasks or read_tasks(), study, margin=(0, 3))
    header = [bar, *openers, sheet, badge, history, report_button, buttons, menu, address]
    content: list[Any] = [*_notices(address), explorer]
    heading = StudyHeading(explorer.session)
    page = create_frame(study_title(study), content, heading=heading, header=header)
    if document is not None and growing is not None and not study.is_finished:
        on_more = (badge.renew, heading.renew, lambda more: address.param.update(tab=study_title(more)))
        line = RunLine(explorer.session, explorer.bridge, growing, is_free=not address.has_asked, on_more=on_more)
        page.insert(1, line)
    if document is not None:
        pn.state.onload(partial(open_in_turn, document, explorer.parts(), explorer.tell))
    sessions.begin(explorer.close)
    return page


def _notices(address: Address) -> list[pn.Row]:
    """What the address asked for in vain, in words that can be closed."""
    if not address.notices:
        return []
    words = create_notice(escaped(" ".join(address.notices)), sizing_mode="stretch_width", margin=0)
    close = create_button("Close", sign="×", width=30)
    notice = pn.Row(words, close, sizing_mode="stretch_width", margin=4)
    close.js_on_click(args={"notice": notice}, code="notice.visible = false")
    return [notice]


def create_app(
    path: Path, *, checkpoint: Path | None = None, live: bool = True, tasks: TaskSheet | None = None
) -> pn.Column:
    """Page of the study at ``path``; what is wrong with it is said on the page.

    The study and its model are opened once per process; of a study that is not finished, more is read as it comes.
    """
    try:
        study, growing = open_once(path, checkpoint=checkpoint, live=live)
        return create_page(study, service=growing.service if live else None, growing=growing, tasks=tasks)
    except VitpanelError as error:
        return create_frame("vitpanel", [create_problem(path.name, error)])


def open_once(path: Path, *, checkpoint: Path | None = None, live: bool = True) -> tuple[Study, Growing]:
    """Study at ``path`` as it stands now, and with its model what all sessions of the process share.

    One that is read in the middle of a change is as it was before.

    Raises
    ------
    VitpanelError
        If the study cannot be opened.
    """
    growing: Growing = pn.state.as_cached(f"vitpanel:{path.resolve()}", partial(_open, path, checkpoint, live=live))
    with suppress(VitpanelError):
        growing.look()
    return growing.service.study, growing


def _open(path: Path, checkpoint: Path | None, *, live: bool) -> Growing:
    service = ModelService(open_study(path), checkpoint=checkpoint)
    warm_up()
    if live:
        service.warm_up().add_done_callback(lambda _: freeze_what_is_there())
    return Growing(service)
