"""The explorer as a servable: ``panel serve apps/explorer.py --plugins vitpanel.runtime.plugin --args X.study``."""

from argparse import ArgumentParser
from pathlib import Path

import panel as pn

from vitpanel.app.explorer import create_app
from vitpanel.app.page import create_frame
from vitpanel.app.placeholder import create_problem
from vitpanel.app.tasks import read_tasks
from vitpanel.errors import VitpanelError
from vitpanel.runtime.guards import present_guarded

pn.extension()

USAGE = (
    "Give the study, the model's weights where the study was not computed here, and a sheet of tasks if you have one: "
    "`panel serve apps/explorer.py --args X.study [WEIGHTS.safetensors] [--tasks FILE.md]`"
)
arguments = ArgumentParser()
for name in ("study", "weights", "--tasks"):
    arguments.add_argument(name, type=Path, nargs="?")
asked = arguments.parse_known_args()[0]


def page() -> pn.viewable.Viewable | pn.viewable.Viewer:
    """Page of a visitor."""
    if asked.study is None:
        return pn.pane.Alert(USAGE, alert_type="warning")
    try:
        return create_app(asked.study, checkpoint=asked.weights, tasks=read_tasks(asked.tasks))
    except VitpanelError as error:
        return create_frame("vitpanel", [create_problem("No tasks can be shown", error)])


present_guarded(page, title="vitpanel")
