"""Defaults of the properties of Bokeh's models, which Bokeh works out for each model, worked out once for each class.

Bokeh reads the default of each property of a model to describe the model, and leaves it out (a comment there says that
it should not), it looks through the bases of a class for each default, and copies and checks it anew (`HasProps` and
`PropertyDescriptor` in https://github.com/bokeh/bokeh/blob/3.9.2/src/bokeh/core). Of a page of 700 models that is
nearly half of what a visitor costs (``benchmarks/page.py``).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.core.property.singletons import Undefined

_models: Any = HasProps
_descriptors: Any = PropertyDescriptor
_query = _models.query_properties_with_values
_has_unstable_default = _descriptors.has_unstable_default
_instance_default = _descriptors.instance_default
_CONSTANTS = (str, int, float, type(None))  # what all models of a class can have together, as nobody can change it


def apply() -> None:
    """Work them out once from now on, for all models of this process."""
    _models._overridden_defaults = classmethod(cache(_models._overridden_defaults.__func__))  # noqa: SLF001
    _descriptors.has_unstable_default = lambda self, obj: _is_unstable(self, type(obj))
    _descriptors.instance_default = _default
    _models.query_properties_with_values = _with_values
    _models.themed_values = _themed_values


@cache
def _is_unstable(descriptor: PropertyDescriptor[Any], kind: type[HasProps]) -> bool:
    """Whether a model of a class gets a default of its own; of the model, Bokeh looks at its class alone."""
    return _has_unstable_default(descriptor, kind)


@cache
def _has_default(descriptor: PropertyDescriptor[Any], kind: type[HasProps]) -> bool:
    """Whether a property has a value in each model of a class, also where nobody has set it."""
    return descriptor.class_default(kind, no_eval=True) is not Undefined


def _themed_values(self: Any) -> dict[str, Any] | None:
    """Return the values of a theme; where there are none, Bokeh raises and catches an error to find that out."""
    return vars(self).get("__themed_values__")


def _default(self: PropertyDescriptor[Any], obj: HasProps) -> Any:
    """Return the default of a property of a model."""
    is_themed = self.name in (obj.themed_values() or ())
    default = None if is_themed else _constant_default(self, type(obj))
    return _instance_default(self, obj) if default is None else default[0]


@cache
def _constant_default(descriptor: PropertyDescriptor[Any], kind: type[HasProps]) -> tuple[Any] | None:
    """Return the one default of all models of a class, alone in a tuple; None where it may differ."""
    if _is_unstable(descriptor, kind):
        return None
    default = descriptor.class_default(kind)
    return (default,) if isinstance(default, _CONSTANTS) or default is Undefined else None


def _with_values(
    self: HasProps,
    query: Callable[[PropertyDescriptor[Any]], bool],
    *,
    include_defaults: bool = True,
    include_undefined: bool = False,
) -> dict[str, Any]:
    """Collect values as Bokeh does, without a look at those that it would leave out."""
    if include_defaults:
        return _query(self, query, include_defaults=True, include_undefined=include_undefined)
    own = {*self._property_values, *self._unstable_default_values, *(self.themed_values() or ())}
    kind = type(self)

    def is_asked(descriptor: PropertyDescriptor[Any]) -> bool:
        return (descriptor.name in own or not _has_default(descriptor, kind)) and query(descriptor)

    return _query(self, is_asked, include_defaults=False, include_undefined=include_undefined)
