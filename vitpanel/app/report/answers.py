"""What the live model says of one choice, asked beforehand."""

from collections.abc import Callable
from typing import TypeVar

from vitpanel.core.pruned_head import PrunedHead
from vitpanel.errors import VitpanelError
from vitpanel.state.live import LiveModel, attention_of, modes_of
from vitpanel.state.online import Matrices
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

Answer = TypeVar("Answer")


class GivenAnswers:
    """A `LiveModel` of one head on one image that never lets anybody wait: it was asked when this was made.

    Parameters
    ----------
    live
        Asked now, for what the study does not have; what it refuses is refused here too.
    study, selection
        Say which head on which image; without an image nothing is asked.
    """

    def __init__(self, live: LiveModel, study: Study, selection: Selection) -> None:
        self._head, self._attention = selection.head, _asked(lambda: attention_of(study, selection, live))
        self._modes = _asked(lambda: modes_of(study, selection, live))

    def attention(self, image: int, layer: int) -> Matrices:  # noqa: ARG002 - there is one answer
        """Attention of the head, by its number; raises what the model has raised."""
        return {self._head: _given(self._attention)}

    def modes(self, image: int, layer: int, head: int) -> PrunedHead:  # noqa: ARG002 - there is one answer
        """All pruning modes of the head; raises what the model has raised."""
        return _given(self._modes)


def _asked(ask: Callable[[], Answer]) -> Answer | VitpanelError:
    try:
        return ask()
    except VitpanelError as error:
        return error


def _given(answer: Answer | VitpanelError) -> Answer:
    if isinstance(answer, VitpanelError):
        raise answer
    return answer
