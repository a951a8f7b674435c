"""What each head does for each class of images, opened on demand."""

from functools import partial
from threading import Event
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import panel as pn
from bokeh.events import DoubleTap, Tap

from vitpanel.core.metrics import metric_of
from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.brush import OfClass
from vitpanel.state.queries.class_differences import N_PERMUTATIONS, class_test_table
from vitpanel.state.queries.class_statistics import ClassMatrix, class_codes, class_matrix, class_table
from vitpanel.state.session import Session
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.background import Background
from vitpanel.views.base import FILLED, FULL_WIDTH, counted, escaped
from vitpanel.views.bridge import Bridge
from vitpanel.views.brush_ways import way_of
from vitpanel.views.chart import Chart
from vitpanel.views.controls import create_button, create_select
from vitpanel.views.figures.class_matrix import create_class_matrix
from vitpanel.views.view import View

NUMBERS = {"Importance": "importance", "Entropy": "entropy", "Distance": "distance"}
LEVEL = 0.05
NO_CLASS = "–"
TEST, STOP = "Test the heads", "Stop the test"
ALIKE = "Alike classes are side by side, and so are alike heads. A click chooses the head and brushes the class."
NO_LABELS = "No image has a label among the classes of the model."
_EVERY = 20  # permutations between two words on how far the test is
_WORDS = {"font": "12px/1.4 sans-serif", "color": css("text"), "padding": "2px 8px 6px"}


class ClassStatistics(View):
    """Mean of a number of every head over the images of every class, and which heads differ between classes."""

    title = "Class Statistics"
    slug = "class-statistics"
    place = None
    has_ramps = False
    redraws: ClassVar = {"_draw": ("metric",), "_mark": ("layer", "head", "images")}

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        self.matrix: ClassMatrix | None = None
        self.tested: pd.DataFrame | None = None
        # Array and number of images of the test that is made or running; its study is let go of with the test.
        self._test_of: tuple[str, int] | None = None
        self.plot = create_class_matrix()
        self.chart = Chart(
            self.plot.figure, bridge, name="class-statistics", table=self._table, title="Classes and heads",
            detail=lambda: self.array.replace("/", "-"),
        )  # fmt: skip
        self._background, self._tester = Background(bridge, is_slow=True), Background(bridge, is_slow=True)
        self._stop: Event | None = None
        self.number = create_select("Number", NUMBERS, "importance", width=120)
        self.brush = create_select("Brush a class", [NO_CLASS], NO_CLASS, width=150)
        self.whole = create_button("Show all", is_outlined=True)
        self.test = create_button(TEST, is_outlined=True)
        self.words = pn.pane.HTML("", styles=_WORDS, **FULL_WIDTH)
        self.number.param.watch(lambda _: self._put("_draw"), "value")
        self.brush.param.watch(self._on_class, "value")
        self.whole.on_click(lambda _: bridge.put((self.slug, "whole"), self.plot.show_all))
        self.test.on_click(self._on_test)
        # Bokeh tells of two quick clicks as a double one, also where they are on different cells.
        for kind in (Tap, DoubleTap):
            self.plot.figure.on_event(kind, self._on_tap)
        self._draw()
        self.follow()

    def controls(self) -> list[pn.viewable.Viewable]:
        """Which number is shown, a class to brush by keyboard, and the test."""
        return [self.number, self.brush, self.whole, self.test]

    def body(self) -> pn.viewable.Viewable:
        """Put the matrix above what is said of it."""
        return pn.Column(self.chart, self.words, **FILLED)

    @property
    def array(self) -> str:
        """Name of the array whose means are shown."""
        return f"importance/{self.session.selection.metric}" if self.number.value == "importance" else self.number.value

    def _table(self) -> pd.DataFrame:
        table = class_table(self.session.study, self.array)
        if self.tested is None:
            return table
        table = table.merge(self.tested, on=["layer", "head"], how="left")
        n_tested = self._images_of_older_test()
        return table if n_tested is None else table.assign(images_tested=n_tested)

    # -- the matrix ------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        study, array = self.session.study, self.array
        if self._test_of is None or self._test_of[0] != array:
            self._end_test()
            self._say("")
        if reason := study.reason(array):
            self._refuse(VitpanelError(reason))
            return
        self.chart.wait()
        self._background.run(partial(class_matrix, study, array), partial(self._show, array), refuse=self._refuse)

    def _show(self, array: str, matrix: ClassMatrix) -> None:
        if array != self.array:
            return
        if not matrix.classes:
            self._refuse(VitpanelError(NO_LABELS))
            return
        self.matrix = matrix
        self.brush.options = [NO_CLASS, *matrix.classes]
        metric = metric_of(self.session.selection.metric)
        is_importance = self.number.value == "importance"
        title = f"{metric.legend if is_importance else self.number.value}, mean over the images of a class"
        is_signed = is_importance and metric.is_signed
        self.chart.clear()
        self.plot.show(matrix, self.session.study.spec.n_heads, title=title, is_signed=is_signed)
        if self.tested is not None:
            self._star(matrix, self.tested)
        elif self._test_of is None:
            self._say(ALIKE)
        self._mark()

    def _refuse(self, error: VitpanelError) -> None:
        self.matrix = None
        self._end_test()
        self._say("")
        self.chart.say(error.message, hint=error.hint)

    def _mark(self) -> None:
        if self.matrix is None:
            return
        layer, head = self.session.chosen_head
        column = np.flatnonzero(self.matrix.head_order == layer * self.session.study.spec.n_heads + head)
        self.plot.mark(int(column[0]) if len(column) else None, self._brushed_rows(self.matrix))

    def _brushed_rows(self, matrix: ClassMatrix) -> list[int]:
        """Rows of the classes all of whose images are brushed."""
        mask = self.session.brushed
        if mask is None:
            return []
        codes = class_codes(self.session.study, self.array)[1]
        n_all, n_brushed = (
            np.bincount(codes[rows & (codes >= 0)], minlength=len(matrix.classes))
            for rows in (np.ones(len(codes), bool), mask)
        )
        return np.flatnonzero(((n_all > 0) & (n_all == n_brushed))[matrix.class_order]).tolist()

    def _say(self, text: str) -> None:
        self.words.object = f'<span role="status">{escaped(text)}</span>' if text else ""

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_tap(self, event: Tap | DoubleTap) -> None:
        if self.matrix is None or event.x is None or event.y is None:
            return
        column, row = round(event.x), round(event.y)
        if not (0 <= column < len(self.matrix.head_order) and 0 <= row < len(self.matrix.class_order)):
            return
        layer, head = divmod(int(self.matrix.head_order[column]), self.session.study.spec.n_heads)
        name, how = self.matrix.classes[self.matrix.class_order[row]], way_of(event.modifiers or {})
        selection = self.session.selection

        def choose() -> None:
            selection.choose_head(layer, head)
            selection.mark(OfClass(name, "label"), how=how or selection.way)

        self.bridge.put("choose head", choose)

    def _on_class(self, event: Any) -> None:
        if event.new != NO_CLASS:
            selection = self.session.selection
            selection.mark(OfClass(event.new, "label"), how=selection.way)

    # -- the test --------------------------------------------------------------------------------------------------

    def _on_test(self, _: Any) -> None:
        if self._stop is not None:
            self._stop.set()
        elif self.matrix is not None:
            self._end_test()
            study, array = self.session.study, self.array
            self._test_of, self._stop, self.test.label = (array, study.n_done), Event(), STOP
            self._tester.run(
                partial(self._work, study, array, self._stop),
                partial(self._show_test, self._stop),
                refuse=partial(self._refuse_test, self._stop),
            )

    def _work(self, study: Study, array: str, stop: Event) -> pd.DataFrame:
        """Run the test, in another thread."""

        def on_step(n_done: int) -> None:
            if stop.is_set():
                message = "The test was stopped."
                raise VitpanelError(message)
            if n_done % _EVERY == 0:
                self.bridge.put((self.slug, "progress"), partial(self._show_progress, stop, n_done))

        return class_test_table(study, array, on_step=on_step)

    def _show_progress(self, stop: Event, n_done: int) -> None:
        if self._stop is stop:
            self._say(f"Testing: {n_done} of {N_PERMUTATIONS} permutations of the labels …")

    def _show_test(self, stop: Event, table: pd.DataFrame) -> None:
        if self._stop is not stop:
            return
        self._stop, self.tested, self.test.label = None, table, TEST
        if self.matrix is not None:
            self._star(self.matrix, table)

    def _star(self, matrix: ClassMatrix, tested: pd.DataFrame) -> None:
        """Mark the heads that differ, and say how many do."""
        p = tested["p_corrected"].to_numpy()[matrix.head_order]
        places = np.flatnonzero(p <= LEVEL)
        self.plot.star(places)
        n_tested, n_images = int(np.isfinite(p).sum()), self._images_of_older_test()
        older = "" if n_images is None else f" The test is of the {counted(n_images, 'image')} there were at its start."
        self._say(
            f"{len(places)} of {n_tested} heads (★) differ between the classes by more than chance: p ≤ {LEVEL}, "
            f"corrected for all heads by the largest F in each of {N_PERMUTATIONS} permutations of the labels. "
            f"The table in the menu of files has F and p.{older}"
        )

    def _images_of_older_test(self) -> int | None:
        """Images that the test is of, None if there are no more now: a run may have gone on since it began."""
        if self._test_of is None or self._test_of[1] == self.session.study.n_done:
            return None
        return self._test_of[1]

    def _refuse_test(self, stop: Event, error: VitpanelError) -> None:
        if self._stop is stop:
            self._end_test()
            self._say(public_words(f"{error.message} {error.hint}".strip()))

    def _end_test(self) -> None:
        """Want no test any more, and forget the last one."""
        if self._stop is not None:
            self._stop.set()
        self._stop, self.tested, self._test_of, self.test.label = None, None, None, TEST
        if len(self.plot.found.data["x"]):
            self.plot.star(np.zeros(0))
