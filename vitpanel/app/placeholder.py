"""What stands in the place of a view that is not there: not yet, or because it failed."""

import panel as pn

from vitpanel.errors import VitpanelError
from vitpanel.theme.notices import create_notice
from vitpanel.theme.palette import css
from vitpanel.views.base import FILLED, counted, error_words, escaped

OPENING_CLASS = "vp-opening"  # CSS class of a view that is still to come
_STYLE = f"""
    :host {{ border-radius: 4px; border: 1px dashed #8888; }}
    .words {{ height: 100%; display: flex; flex-direction: column; align-items: center; justify-content: center;
        gap: 6px; font: 13px/1.4 sans-serif; color: {css("hint")}; text-align: center; }}
"""


class Placeholder(pn.pane.HTML):
    """Words in the place of a view that is still to come.

    Parameters
    ----------
    title
        Name of the view.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        super().__init__(
            self._words(0), css_classes=[OPENING_CLASS], stylesheets=[_STYLE], **FILLED | {"margin": 4},
        )  # fmt: skip

    def tell(self, n_before: int) -> None:
        """Say how many other pages are built first."""
        self.object = self._words(n_before)

    def _words(self, n_before: int) -> str:
        verb = "is" if n_before == 1 else "are"
        before = f"<div>{counted(n_before, 'other page')} {verb} opened first</div>" if n_before else ""
        return f'<div class="words" role="status"><div>Opening {escaped(self._title)} …</div>{before}</div>'


def create_problem(title: str, error: VitpanelError) -> pn.pane.HTML:
    """Return what failed and the way out, in the place of a view."""
    message, hint = (error_words(words) for words in (error.message, error.hint))
    return create_notice(f"<b>{escaped(title)}: {message}</b> {hint}")
