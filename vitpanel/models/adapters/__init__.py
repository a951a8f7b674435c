"""The libraries whose models vitpanel takes.

Two come with vitpanel. Others are registered by `register`, or by a package that names its adapter's class as an entry
point of the group ``vitpanel.adapters``.
"""

from collections.abc import Iterator
from functools import cache

from vitpanel.core.packages import records_of_packages, refuse
from vitpanel.errors import VitpanelError
from vitpanel.models.adapters.base import Adapter, ModelRequest
from vitpanel.models.adapters.timm import TimmAdapter
from vitpanel.models.adapters.transformers import TransformersAdapter

GROUP = "vitpanel.adapters"
_registered: list[Adapter] = []


def register(adapter: Adapter) -> None:
    """Let models of a library be found by `vitpanel.models.loading.load_model`, in this process."""
    _registered.append(adapter)


def adapters() -> list[Adapter]:
    """All adapters in the order in which they are asked; timm, which takes any plain name, comes last."""
    return [*reversed(_registered), *_of_packages(), TransformersAdapter(), TimmAdapter()]


def adapter_for(request: ModelRequest) -> Adapter:
    """The first adapter that a person's request is for."""
    return next(adapter for adapter in adapters() if adapter.matches(request))


def adapter_named(key: object) -> Adapter:
    """The adapter of that key.

    Raises
    ------
    VitpanelError
        If there is none; the key may come from a stranger's study.
    """
    for adapter in adapters():
        if adapter.key == key:
            return adapter
    message = f"The study's model is of the library {key!r:.80}, for which there is no adapter here."
    raise VitpanelError(message, hint="Install the package that has it, or open the study without its model.")


@cache
def _of_packages() -> tuple[Adapter, ...]:
    return tuple(_made_of_packages())


def _made_of_packages() -> Iterator[Adapter]:
    for name, adapter in records_of_packages(GROUP, type):
        if not issubclass(adapter, Adapter):
            refuse(GROUP, name, "it is no subclass of Adapter")
            continue
        try:
            yield adapter()
        except Exception as error:  # noqa: BLE001 - code of others, which may raise anything
            refuse(GROUP, name, f"{type(error).__name__}: {error}")
