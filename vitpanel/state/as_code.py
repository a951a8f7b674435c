"""What a person looks at as lines of Python that draw it elsewhere."""

from typing import Any

import numpy as np

from vitpanel.state.brush import Brush
from vitpanel.state.saved_state import said_values, starting_values
from vitpanel.state.selection import Selection
from vitpanel.study.kept import kept_with_study
from vitpanel.study.reader import Study

WIDEST = 100


def script(study: Study, selection: Selection, expression: str) -> str:
    """Lines that open a study, choose what is chosen, and end with an expression of ``study`` and ``selection``.

    The study is named by its folder, not by its path, which is the business of whoever runs the server.
    """
    lines = [
        "import holoviews as hv",
        "",
        "import vitpanel",
        "from vitpanel import elements",
        "",
        'hv.extension("bokeh")',
        f"study = vitpanel.open_study({study.path.resolve().name!r})",
        f"selection = {selection_code(study, selection)}",
        expression,
    ]
    return "\n".join(lines) + "\n"


def selection_code(study: Study, selection: Selection) -> str:
    """Call that makes a selection: what differs from where a page of the study starts."""
    start = _start(study)
    told = [f"{name}={_code(value)}" for name, value in said_values(selection, study=study, start=start).items()]
    line = f"vitpanel.Selection({', '.join(['study', *told])})"
    if len(line) <= WIDEST:
        return line
    return "\n".join(["vitpanel.Selection(", *(f"    {part}," for part in ("study", *told)), ")"])


@kept_with_study(1)
def _start(study: Study) -> dict[str, Any]:
    """Values of a selection that nothing has been chosen in."""
    return starting_values(Selection(study))


def _code(value: Any) -> str:
    if isinstance(value, Brush):
        return f"vitpanel.Brush.from_dict({value.to_dict()!r})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {_code(part)}" for name, part in value.items()) + "}"
    return repr(value.item() if isinstance(value, np.generic) else value)
