"""Where the progress of a run goes."""

from typing import Any

from tqdm import tqdm


class Progress:
    """Bars and lines on standard error, or nothing.

    Parameters
    ----------
    is_shown
        False for tests and notebooks that want silence.
    """

    def __init__(self, *, is_shown: bool = True) -> None:
        self.is_shown = is_shown

    def bar(self, label: str, *, total: int, unit: str, done: int = 0) -> "tqdm[Any]":
        """Bar to be used in ``with`` and advanced by ``update``."""
        return tqdm(total=total, initial=done, desc=label, unit=unit, disable=not self.is_shown, dynamic_ncols=True)

    def say(self, text: str) -> None:
        """One line."""
        if self.is_shown:
            tqdm.write(text)
