"""What is worked out of a study, kept as long as the study is."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from vitpanel.study.reader import Study

P = ParamSpec("P")
Result = TypeVar("Result")


def kept_with_study(
    most: int,
) -> Callable[[Callable[Concatenate[Study, P], Result]], Callable[Concatenate[Study, P], Result]]:
    """Keep the last results of a function of a study and of values that can be hashed, for all sessions.

    They go with the study: of one that a run is writing there is another one with each block, which has whole arrays in
    memory. So no result may refer to its study.

    Parameters
    ----------
    most
        Results that are kept for each study; the oldest one goes first.
    """

    def decorate(function: Callable[Concatenate[Study, P], Result]) -> Callable[Concatenate[Study, P], Result]:
        known: WeakKeyDictionary[Study, dict[Hashable, Result]] = WeakKeyDictionary()

        @wraps(function)
        def kept(study: Study, *args: P.args, **options: P.kwargs) -> Result:
            results: Any = known.setdefault(study, {})
            key = (args, tuple(sorted(options.items())))
            with suppress(KeyError):
                return results[key]
            result = results[key] = function(study, *args, **options)
            for old in list(results)[:-most]:
                results.pop(old, None)  # another thread may have done so
            return result

        return kept

    return decorate
