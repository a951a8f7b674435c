"""The explorer as a servable: ``panel serve apps/explorer.py --plugins vitpanel.runtime.plugin --args X.study``."""

import sys
from pathlib import Path

import panel as pn

from vitpanel.app.explorer import create_app
from vitpanel.runtime.guards import present_guarded

pn.extension()

USAGE = (
    "Give the study, and the model's weights where the study was not computed here: "
    "`panel serve apps/explorer.py --args X.study [WEIGHTS.safetensors]`"
)


def page() -> pn.viewable.Viewable | pn.viewable.Viewer:
    """Page of a visitor."""
    if len(sys.argv) > 1:
        return create_app(Path(sys.argv[1]), checkpoint=Path(sys.argv[2]) if len(sys.argv) > 2 else None)  # noqa: PLR2004
    return pn.pane.Alert(USAGE, alert_type="warning")


present_guarded(page, title="vitpanel")
