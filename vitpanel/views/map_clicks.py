"""What a click on the map of all heads chooses."""

from functools import partial

from bokeh.events import DoubleTap, Tap

from vitpanel.drawing.viewport import Viewport
from vitpanel.state.pattern_map import Near, PatternMap
from vitpanel.state.session import Session
from vitpanel.views.background import Background
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.pattern_map import NEAR_PIXELS
from vitpanel.views.figures.picking import REACH, DoubleClicks


class MapClicks:
    """Chooses the head that is clicked at, and takes the choice of a double click's first click back.

    Before the map is sorted a click waits for that beside the event loop; of several the latest counts, and none does
    once something else has been chosen.

    Parameters
    ----------
    session
        Whose selection is changed.
    bridge
        The session's.
    """

    def __init__(self, session: Session, bridge: Bridge) -> None:
        self._session = session
        self._background = Background(bridge, is_slow=True)
        self._doubles = DoubleClicks()
        self._before, self._choice = self._place, session.selection.history.present.number
        self._latest: object = None

    @property
    def _place(self) -> tuple[int | None, int, int]:
        return (self._session.selection.image, *self._session.chosen_head)

    def is_double(self, event: Tap | DoubleTap) -> bool:
        """Whether a click ends a double click; what its first click has chosen is then taken back."""
        if not self._doubles.is_second(event):
            return False
        self._latest = None
        history = self._session.selection.history
        if history.before is not None and history.before.number == self._choice:
            history.undo()
        elif self._place != self._before:
            self._session.selection.choose_pattern(*self._before)
        return True

    def choose(self, at: tuple[float, float], found: PatternMap, viewport: Viewport) -> None:
        """Choose the nearest head within reach: the chosen image's first, else that of any image."""
        self._before, self._latest = self._place, None
        self._choice = self._session.selection.history.present.number
        image = self._session.selection.image
        own = None if image is None else found.nearest_of(image, at, viewport, pixels=NEAR_PIXELS)
        look = partial(found.near, at, viewport, pixels=REACH)
        if own is not None:
            self._session.selection.choose_head(*own)
        elif found.is_sorted:
            self._go_to(look())
        else:
            self._latest = click = object()
            self._background.run(look, partial(self._answer, click, self._before))

    def _answer(self, click: object, asked_at: tuple[int | None, int, int], near: Near | None) -> None:
        if click is self._latest and asked_at == self._place:
            self._go_to(near)

    def _go_to(self, near: Near | None) -> None:
        if near is not None:
            self._session.selection.jump(*near.nearest)
