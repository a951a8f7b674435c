"""What a person chose, one after the other, to be undone and done again."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any

import param

from vitpanel.state.change_words import change_words

MOST_CHOICES = 100
CONTINUOUS = ("threshold", "viewport")  # what changes many times in one act, like a drag
SAME_ACT = 1.0  # seconds; a later change of it is another act


@dataclass(frozen=True)
class Choice:
    """What one act has chosen, and all else as it was then.

    Parameters
    ----------
    number
        Grows from one to the next, and belongs to no other choice.
    values
        Of all parameters that are remembered.
    words
        What was changed to come here, plain text; empty for where one started.
    """

    number: int
    values: dict[str, Any]
    words: str


class History:
    """Remembers what was chosen, and goes back and forth in it.

    Each change is one choice, with all that changes at once, as by ``param.update``. Changes of `CONTINUOUS` parameters
    that follow each other within `SAME_ACT` are one. What is done after an undo takes the place of what was undone.

    Parameters
    ----------
    chosen
        Whose parameters are remembered. Those who watch it and were there later find the history up to date.
    names
        Which of them.
    clock
        Seconds, from anywhere.
    """

    def __init__(
        self, chosen: param.Parameterized, names: Sequence[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._chosen, self._names, self._clock = chosen, tuple(names), clock
        self._is_held = False
        self._changed: tuple[frozenset[str], float] = frozenset(), 0.0
        self._choices, self._at = [Choice(0, self._values(), "")], 0
        chosen.param.watch(self._on_change, list(names))

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All choices, the oldest first; those after the `present` were undone."""
        return tuple(self._choices)

    @property
    def present(self) -> Choice:
        """Where one is."""
        return self._choices[self._at]

    @property
    def before(self) -> Choice | None:
        """Where `undo` goes; None where there is nothing to undo."""
        return self._choices[self._at - 1] if self._at else None

    @property
    def after(self) -> Choice | None:
        """Where `redo` goes; None where there is nothing to do again."""
        return self._choices[self._at + 1] if self._at + 1 < len(self._choices) else None

    def undo(self) -> bool:
        """Take the last choice back; return whether there was one."""
        return self.before is not None and self.go_to(self.before.number)

    def redo(self) -> bool:
        """Do again what was undone last; return whether there was anything."""
        return self.after is not None and self.go_to(self.after.number)

    def go_to(self, number: int) -> bool:
        """Let all be as it was after a choice; return whether it is remembered."""
        places = [place for place, choice in enumerate(self._choices) if choice.number == number]
        if not places:
            return False
        # First, so that whoever hears of the values finds the history there, and this hears of nothing new.
        self._at, self._changed = places[0], (frozenset(), 0.0)
        self._chosen.param.update(**{name: copy(value) for name, value in self.present.values.items()})
        return True

    def forget(self) -> None:
        """Start here: there is nothing to undo any more."""
        self._choices, self._at = [Choice(self.present.number + 1, self._values(), "")], 0
        self._changed = frozenset(), 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let changes be one choice with that before if that was of the same parameters, as while a key is held."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False

    def _values(self) -> dict[str, Any]:
        # Lists are copied, lest somebody changes one that is remembered.
        return {name: copy(getattr(self._chosen, name)) for name in self._names}

    def _on_change(self, *_: param.parameterized.Event) -> None:
        now, last = self._values(), self.present.values
        changed = frozenset(name for name in self._names if now[name] != last[name])
        if not changed:
            return
        del self._choices[self._at + 1 :]
        if self._is_same_act(changed):
            self._replace_present(now)
        else:
            self._choices.append(Choice(self.present.number + 1, now, change_words(last, now)))
            del self._choices[: -(MOST_CHOICES + 1)]
        self._at = len(self._choices) - 1
        self._changed = changed, self._clock()

    def _is_same_act(self, changed: frozenset[str]) -> bool:
        before, when = self._changed
        if self._at == 0 or changed != before:
            return False
        return self._is_held or (changed <= set(CONTINUOUS) and self._clock() - when < SAME_ACT)

    def _replace_present(self, now: dict[str, Any]) -> None:
        """Let the last choice end elsewhere; one that has come back to where it began is none."""
        *earlier, present = self._choices
        words = change_words(earlier[-1].values, now)
        self._choices = [*earlier, Choice(present.number, now, words)] if words else earlier
