"""Views go on without what of the study is damaged."""

from collections.abc import Callable
from typing import TypeVar

from vitpanel.errors import StudyFormatError

Result = TypeVar("Result")


def despite_damage(call: Callable[[], Result]) -> Result:
    """Make a call, and make it again when it finds an array of the study damaged.

    From then on the study does not have that array, and says why; what needs it shows these words in its place.

    Raises
    ------
    StudyFormatError
        If the call cannot do without what is damaged.
    """
    found: set[str] = set()
    while True:
        try:
            return call()
        except StudyFormatError as error:
            if error.message in found:
                raise
            found.add(error.message)
