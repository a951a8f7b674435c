"""vitpanel in a notebook cell."""

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import panel as pn

from vitpanel.app.explorer import Explorer
from vitpanel.app.live_model import live_model
from vitpanel.runtime import comms
from vitpanel.runtime.scripts import module_text
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

_MODELS = "var docs_json = "


class _Cell(Explorer):
    """The linked views as the result of a cell."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """Return what Jupyter is given, with words for where nobody hears of what is done in the views."""
        bundle: Any = super()._repr_mimebundle_(include, exclude)
        if bundle is None or _MODELS not in bundle[0].get("text/html", ""):
            return bundle  # not in a notebook, or by a way of its own, like that of VS Code
        shown, about = bundle
        return {**shown, "text/html": _note() + shown["text/html"]}, about


def _note() -> str:
    """What says why nothing happens, hidden unless nothing would."""
    name = f"vitpanel-{uuid.uuid4().hex}"
    # In braces, since what a script declares outside of them is there for all cells.
    script = module_text("vitpanel.app", "in_cell.js").replace("NOTE", name)
    return f'<p id="{name}" class="vitpanel-unheard" hidden><b>{comms.UNHEARD}</b></p><script>{{\n{script}}}</script>'


def explore(
    study: Study,
    *,
    views: str | Sequence[str] | None = None,
    selection: Selection | None = None,
    live: bool = True,
    checkpoint: str | Path | None = None,
    height: int | None = None,
) -> Explorer:
    """Show the linked views of a study, or some of them, in a cell.

    Each call makes views of their own: one result belongs to one cell.

    Parameters
    ----------
    views
        ``"image-overview"``, ``"head-importance"``, ``"attention-strength"``, ``"pattern-overview"``,
        ``"attention-detail"`` or ``"diagnosis"``, or several of them; None shows all but the last, which the page of
        a server opens on demand.
    selection
        A `vitpanel.Selection`, or the ``selection`` of another result, to link the views of two cells with each other
        and with elements; None starts a new one. Its parameters, like ``image`` and ``layer``, can be set from code.
    live
        Load the study's model for pruning modes and attention matrices; needs torch.
    checkpoint
        The model's weights, a safetensors file. Not needed where you have computed the study on this machine and the
        file is where it was; what a study itself says of files is not followed.
    height
        Pixels; None gives a view alone 480 and more of them 880.

    Raises
    ------
    VitpanelError
        If there is no view of such a name; the hint gives those that there are.

    Examples
    --------
    >>> first = vitpanel.explore(study, views="head-importance")  # doctest: +SKIP
    >>> vitpanel.explore(study, views="attention-detail", selection=first.selection)  # doctest: +SKIP
    """
    # Inline resources make the views work without the internet.
    pn.extension(inline=True)
    comms.choose()
    service = live_model(study, checkpoint=checkpoint) if live else None
    if service is not None:
        service.warm_up()
    is_alone = views is not None and (isinstance(views, str) or len(views) == 1)
    height = height or (480 if is_alone else 880)
    return _Cell(study, service=service, views=views, selection=selection, height=height)
