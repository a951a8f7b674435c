"""The bar in the page's header that says what is brushed, keeps brushes, and holds them against each other."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import param

from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.brush import ITEMS, WAYS, Brush, Not
from vitpanel.state.parameters import LONGEST_NAME
from vitpanel.state.queries.brush_words import brush_size, comparison
from vitpanel.state.saved_state import BRUSHES
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.background import Background
from vitpanel.views.bridge import Bridge
from vitpanel.views.component import Component

COUNTING = "counting …"
_BAR = f"""
    :host {{ flex: 1 1 0; min-width: 0 !important; align-self: center; }}
    .bar {{ min-width: 0; display: flex; align-items: center; justify-content: flex-end; gap: 6px; height: 28px;
        font: 12.5px/1.2 sans-serif; }}
    .bar[hidden] {{ display: none; }}
    .chip {{ display: flex; align-items: center; flex: 0 1 auto; min-width: 60px; height: 26px; padding: 0 2px 0 12px;
        border-radius: 13px; color: {css("text")}; background: {css("surface")};
        box-shadow: inset 4px 0 0 {css("brush")}; overflow: hidden; }}
    .words {{ flex: 1 1 auto; min-width: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
    .cross {{ flex: none; width: 22px; height: 22px; padding: 0; border: 0; border-radius: 11px; color: inherit;
        background: none; cursor: pointer; font: 18px/20px sans-serif; }}
    .cross:hover {{ background: {css("grid")}; }}
    .cross:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .opener {{ flex: none; height: 24px; padding: 0 10px; border: 1px solid {css("muted")}; border-radius: 12px;
        cursor: pointer; font: 12.5px/20px sans-serif; color: white; background: none; white-space: nowrap; }}
    .opener:hover, .opener[aria-expanded=true] {{ border-color: white; background: rgba(0, 0, 0, 0.25); }}
    .opener:focus-visible {{ outline: 2px solid white; outline-offset: 1px; }}
"""
_PANEL = f"""
    .panel {{ inset: auto; margin: 0; padding: 10px 14px; width: min(440px, 94vw); max-height: 84vh; overflow-y: auto;
        box-sizing: border-box; font: 12.5px/1.4 sans-serif; color: {css("text")}; background: {css("surface")};
        border: 1px solid {css("muted")}; border-radius: 4px; box-shadow: 0 4px 16px rgba(0, 0, 0, 0.25); }}
    .panel h2 {{ margin: 8px 0 2px; font-size: 13px; }}
    .panel h2:first-child {{ margin-top: 0; }}
    .panel p {{ margin: 0 0 4px; overflow-wrap: anywhere; }}
    .panel .row {{ display: flex; flex-wrap: wrap; align-items: center; gap: 6px; margin: 2px 0 6px; }}
    .panel .kept {{ display: grid; grid-template-columns: 1fr auto auto; gap: 4px 6px; align-items: center; }}
    .panel .kept span {{ min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
    .panel .kept small {{ color: {css("hint")}; font-size: inherit; }}
    .panel :is(button, select, input) {{ height: 24px; box-sizing: border-box; padding: 0 8px; font: inherit;
        color: inherit; background: none; border: 1px solid {css("muted")}; border-radius: 4px; }}
    .panel button {{ cursor: pointer; }}
    .panel option {{ color: {css("text")}; background: {css("surface")}; }}
    .panel input {{ width: 130px; }}
    .panel button:hover {{ background: {css("grid")}; }}
    .panel :is(button, select, input):focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .panel [role=alert] {{ color: {css("warning")}; }}
    .panel [role=alert]:empty {{ display: none; }}
"""


class BrushBar(Component):
    """Says in a sentence each which images, heads and tokens are brushed; a press on it clears, inverts and keeps them.

    It also says what the next brush does to this one, for who has no keys to hold, and what brushed images are held
    against. Without any brush, brushed or kept, it is empty and has its place in the header all the same, so that no
    view moves.

    Parameters
    ----------
    session
        Whose brushes it speaks of.
    bridge
        The session's; what is brushed is counted beside its event loop.
    """

    brushes = param.List(default=[], doc="What is brushed: name of its parameter, its items, its words and its size.")
    comparison = param.String(default="", doc="What brushed images are held against, in words; empty for the rest.")
    kept = param.List(default=[], doc="What is kept: name, items and words of each.")
    against = param.String(default=None, allow_None=True, doc="What brushed images are held against; None: the rest.")
    way = param.Selector(default="replace", objects=list(WAYS), doc="What the next brush does to this one.")

    longest_name = param.Integer(default=LONGEST_NAME, constant=True, doc="Characters of a name at most.")

    _module = ("vitpanel.app", "brush_bar.js")
    _stylesheets: ClassVar[list[str]] = [_BAR, _PANEL]

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self._session, self._counted, self._sizes = session, session.study, dict[Brush, str]()
        self._counter = Background(bridge, is_slow=True)
        selection = session.selection
        selection.param.watch(self._on_brush, list(BRUSHES))
        selection.param.watch(self._on_kept, ["kept", "against"])
        self.param.watch(lambda event: selection.param.update(way=event.new), "way")
        selection.param.watch(lambda event: self.param.update(way=event.new), "way")
        self._on_kept()
        self._on_brush()

    # -- answers to the selection ----------------------------------------------------------------------------------

    def _on_kept(self, *_: param.parameterized.Event) -> None:
        selection = self._session.selection
        kept = [{"name": name, "items": ITEMS[b.item], "words": b.words} for name, b in selection.kept.items()]
        self.param.update(kept=kept, against=selection.against)
        self._count()

    def _on_brush(self, *_: param.parameterized.Event) -> None:
        brushed, study = self._brushed().values(), self._session.study
        # A study that grows is another one each time.
        known = self._sizes if study is self._counted else {}
        self._sizes, self._counted = {brush: size for brush, size in known.items() if brush in brushed}, study
        self._show()
        self._count()

    def _count(self) -> None:
        brushes, selection = self._brushed(), self._session.selection.but()
        unknown = [brush for brush in brushes.values() if brush not in self._sizes]
        self.comparison = ""
        if unknown or (selection.against is not None and "images" in brushes):
            self._counter.run(
                partial(_words, self._session.study, unknown, selection), partial(self._on_words, selection)
            )

    def _on_words(self, asked: Selection, found: tuple[dict[Brush, str], str]) -> None:
        sizes, words = found
        self._sizes |= sizes
        self._show()
        if all(
            getattr(asked, name) == getattr(self._session.selection, name) for name in ("images", "kept", "against")
        ):
            self.comparison = words

    def _show(self) -> None:
        self.brushes = [
            {"name": name, "items": ITEMS[brush.item], "words": brush.words, "size": self._sizes.get(brush, COUNTING)}
            for name, brush in self._brushed().items()
        ]

    def _brushed(self) -> dict[str, Brush]:
        brushes = {name: getattr(self._session.selection, name) for name in BRUSHES}
        return {name: brush for name, brush in brushes.items() if brush is not None}

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _handle_msg(self, data: dict[str, Any]) -> None:
        """Do what a button asks for; say why that cannot be."""
        try:
            self._act(str(data.get("act")), data)
        except VitpanelError as error:
            self._send_msg({"refusal": public_words(f"{error.message} {error.hint}")})

    def _act(self, act: str, data: dict[str, Any]) -> None:
        selection, name, kept = self._session.selection, str(data.get("name")), data.get("kept")
        brush = self._brushed().get(name)
        if act == "against" and (kept is None or isinstance(kept, str)):
            selection.hold_against(kept)
        elif act == "use" and str(kept) in selection.kept:
            selection.mark(selection.kept[str(kept)])
        elif act == "forget":
            selection.forget(str(kept))
        elif brush is not None and act == "keep":
            selection.keep(str(kept), brush)
        elif brush is not None and act == "clear":
            selection.param.update(**{name: None})
        elif brush is not None and act == "invert":
            selection.param.update(**{name: brush.part if isinstance(brush, Not) else Not(brush)})


def _words(study: Study, brushes: list[Brush], selection: Selection) -> tuple[dict[Brush, str], str]:
    """What `brush_size` says of each brush, or why it cannot; and what `comparison` says."""
    sizes = {brush: _or_why_not(partial(brush_size, study, brush)) for brush in brushes}
    return sizes, _or_why_not(partial(comparison, study, selection.images, selection))


def _or_why_not(words: Callable[[], str]) -> str:
    try:
        return words()
    except VitpanelError as error:
        return public_words(error.message)
