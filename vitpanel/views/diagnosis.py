"""The table of heads on images by what pruning does to the true class, opened on demand."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import panel as pn

from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.brush import Brush
from vitpanel.state.queries.diagnosis import DiagnosisPage, diagnosis_page
from vitpanel.state.queries.diagnosis_presets import presets
from vitpanel.state.session import Session
from vitpanel.study.reader import Study
from vitpanel.views.background import Background
from vitpanel.views.base import FILLED
from vitpanel.views.bridge import Bridge
from vitpanel.views.checkbox import Checkbox
from vitpanel.views.controls import create_select
from vitpanel.views.figures.diagnosis_table import HEADINGS, DiagnosisTable, page_record, row_pictures
from vitpanel.views.tables import TABLE_KINDS
from vitpanel.views.view import View

STEM = "diagnosis"
COUNT = 15  # rows of a page
MOST_SAVED = 1000


@dataclass(frozen=True)
class Question:
    """Which rows are asked for.

    Parameters
    ----------
    preset
        Key of the preset.
    among
        Brush of images that the rows are limited to.
    by, descending
        As in `diagnosis_page`.
    number
        Of the page, from 0.
    """

    preset: str = "all"
    among: Brush | None = None
    by: str | None = None
    descending: bool = True
    number: int = 0

    def sorted_by(self, column: str) -> "Question":
        """First page by another column; by the same one the other way, and then in the order of the preset again."""
        first = HEADINGS[column][1]
        if self.by != column:
            return replace(self, by=column, descending=first, number=0)
        if self.descending == first:
            return replace(self, descending=not first, number=0)
        return replace(self, by=None, descending=True, number=0)


class Diagnosis(View):
    """Heads on images that are in a preset, page by page; a row that is pressed is chosen."""

    title = "Diagnosis"
    slug = "diagnosis"
    place = None
    has_ramps = False
    redraws: ClassVar = {
        "_follow_brush": ("images",),
        "_mark": ("image", "layer", "head"),
        # Whatever is chosen is told anew when there is more of the study.
        "_follow_study": ("image",),
    }

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        self.study = session.study
        self.presets = presets(session.study)
        self.question = Question()
        self.n_rows = 0
        self.reason = ""
        self._background = Background(bridge)
        self.preset = create_select("Which heads on which images", self._titles(), self.question.preset, width=250)
        self.only_brushed = Checkbox(label="only brushed images", margin=(10, 8, 0, 8))
        self.table = DiagnosisTable(**FILLED)
        self.preset.param.watch(self._on_preset, "value")
        self.only_brushed.param.watch(self._on_only_brushed, "value")
        self.table.on_msg(self._on_message)
        self._follow_brush()
        self._mark()
        self._ask(self.question)
        self.follow()

    def _titles(self) -> dict[str, str]:
        return {preset.title: key for key, preset in self.presets.items()}

    def controls(self) -> list[pn.viewable.Viewable]:
        """Which rows are shown."""
        return [self.only_brushed, self.preset]

    def body(self) -> pn.viewable.Viewable:
        """Show the table."""
        return self.table

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_preset(self, event: Any) -> None:
        # A menu whose options are exchanged has no value for a moment.
        if event.new not in {None, self.question.preset}:
            self._ask(Question(preset=event.new, among=self.question.among))

    def _on_only_brushed(self, event: Any) -> None:
        self._ask(replace(self.question, among=self.session.selection.images if event.new else None, number=0))

    def _on_message(self, message: Any) -> None:
        """Do what the browser asks for, as far as there is such a thing."""
        told = message.data
        if told.get("sort") in HEADINGS:
            self._ask(self.question.sorted_by(told["sort"]))
        elif told.get("page") in range(-(-self.n_rows // COUNT)):
            self._ask(replace(self.question, number=told["page"]))
        elif "choose" in told:
            self._choose(told["choose"])

    def _choose(self, place: Any) -> None:
        spec = self.session.study.spec
        sizes = self.session.study.n_images, spec.n_layers, spec.n_heads
        is_place = isinstance(place, list) and len(place) == len(sizes)
        if is_place and all(index in range(size) for index, size in zip(place, sizes, strict=True)):
            self.bridge.put("choose head", partial(self.session.selection.jump, *place))
        self.bridge.put((self.slug, "_mark"), self._mark)

    # -- answers ---------------------------------------------------------------------------------------------------

    def _mark(self) -> None:
        selection = self.session.selection
        self.table.chosen = [] if selection.image is None else [selection.image, *selection.chosen_head]

    def _follow_brush(self) -> None:
        brush = self.session.selection.images
        self.only_brushed.is_off = brush is None
        if brush is None:
            self.only_brushed.value = False
        elif self.only_brushed.value and brush != self.question.among:
            self._ask(replace(self.question, among=brush, number=0))

    def _follow_study(self) -> None:
        """Ask the same once more where there is more of the study, which may say more of predictions now."""
        if self.session.study is self.study:
            return
        self.study = self.session.study
        self.presets = presets(self.study)
        self.preset.param.update(options=self._titles(), value=self.question.preset)
        self._ask(self.question)

    def _ask(self, question: Question) -> None:
        """Have rows looked up beside the page; those of the latest question alone are shown."""
        self.question = question
        self.table.param.update(is_busy=True, help=self.presets[question.preset].help)
        asked = question, self.study
        self._background.run(
            partial(self._look_up, *asked), partial(self._show, asked), refuse=partial(self._refuse, asked)
        )

    def _is_wanted(self, asked: tuple[Question, Study]) -> bool:
        question, study = asked
        return question == self.question and study is self.study

    def _look_up(self, question: Question, study: Study) -> tuple[DiagnosisPage, dict[str, str]]:
        found = self._rows(question, study, start=question.number * COUNT, count=COUNT)
        return found, row_pictures(study, found)

    def _rows(self, question: Question, study: Study, *, start: int, count: int) -> DiagnosisPage:
        return diagnosis_page(
            study,
            question.preset,
            among=question.among,
            by=question.by,
            descending=question.descending,
            start=start,
            count=count,
        )

    def _show(self, asked: tuple[Question, Study], answer: tuple[DiagnosisPage, dict[str, str]]) -> None:
        if not self._is_wanted(asked):
            return
        (question, _), (found, pictures) = asked, answer
        self.n_rows = found.n_rows
        last = max(-(-found.n_rows // COUNT) - 1, 0)
        if question.number > last:  # more of a study can be fewer rows, where it says for certain what changes
            self._ask(replace(question, number=last))
            return
        order = question.by, question.descending
        page = page_record(found, pictures, number=question.number, count=COUNT, order=order)
        images = "image" if question.among is None else "brushed image"
        self.reason = "" if found.n_rows else f"No head on any {images} is like this."
        self.table.param.update(page=page, words=self.reason, is_busy=False)

    def _refuse(self, asked: tuple[Question, Study], error: VitpanelError) -> None:
        if self._is_wanted(asked):
            self.n_rows = 0
            self.reason = public_words(f"{error.message} {error.hint}".strip())
            self.table.param.update(words=self.reason, is_busy=False)

    # -- files -----------------------------------------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """What the menu of files says of the table."""
        title = f"First {MOST_SAVED:,} rows"
        return [{"stem": STEM, "title": title, "kinds": [*TABLE_KINDS], "reason": self.reason, "absent": ""}]

    def save(self, stem: str, kind: str, *, scale: int = 1) -> None:
        """Save the first rows of the table, in its order, once they are looked up."""
        del stem, scale  # there is one table
        rows = partial(self._rows, self.question, self.study, start=0, count=MOST_SAVED)
        self.save_table(lambda: rows().table, kind=kind, file=f"{STEM}_{self.question.preset}.{kind}")
