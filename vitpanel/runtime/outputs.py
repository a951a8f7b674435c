"""What the cells of a notebook have shown, let go of when the cell is run again."""

from typing import Any

import panel as pn
from holoviews import DynamicMap
from holoviews.core import Dimensioned


class Outputs:
    """Says to Panel and HoloViews what they would be told when an output is gone.

    The extension of JupyterLab and Notebook 7 is made to tell them, but never opens the connection for it (`comm` in
    https://github.com/holoviz/pyviz_comms/blob/v3.0.6/src/manager.ts), and what no longer is on the page goes on
    drawing. It would also tell of outputs that come back, as those of a cell that is moved. A cell that is run again
    begins with nothing, for sure.

    Parameters
    ----------
    shell
        That runs the cells.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._roots: dict[str, list[str]] = {}  # of what each cell has shown

    def note(self, _shown: Any, root: Any) -> None:
        """Hear what is about to be shown, or changes: whichever cell changes it, it stays where it is."""
        name, cell = root.ref["id"], self._running()
        if cell is not None and name not in pn.state._views:  # noqa: SLF001 - Panel has no other list of what is shown
            self._roots.setdefault(cell, []).append(name)

    def let_go(self, cell: str | None) -> None:
        """Let go of all that a cell has shown."""
        for name in self._roots.pop(cell or "", ()):
            shown, *_, comm = pn.state._views.get(name, (None, None))  # noqa: SLF001 - as above
            # What is served or saved by a cell has none, and stays.
            if shown is not None and comm is not None:
                pn.extension._process_comm_msg({"event_type": "delete", "id": name})  # noqa: SLF001 - as it were told
                forget_frames(shown)

    def _running(self) -> str | None:
        """Id of the cell that runs; None while what a person does in a figure is handled."""
        return self._shell.get_parent().get("metadata", {}).get("cellId")


def forget_frames(shown: Any) -> None:
    """Let elements be drawn anew when they are shown again.

    HoloViews would show the frame that it has kept, which without a plot nothing has brought up to date.
    """
    for pane in shown.select(pn.pane.HoloViews):
        if isinstance(pane.object, Dimensioned):
            pane.object.traverse(DynamicMap.reset, [DynamicMap])


def apply(shell: Any) -> None:
    """Let go of what a cell has shown when it is run again, from now on."""
    outputs = Outputs(shell)
    # Panel's own modules are told of what is to be shown in this way; there is no other.
    pn.viewable.Viewable._preprocessing_hooks.append(outputs.note)  # noqa: SLF001
    shell.events.register("pre_run_cell", lambda info: outputs.let_go(info.cell_id))
