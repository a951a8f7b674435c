"""The explorer as a servable: ``panel serve apps/explorer.py --args X.study [WEIGHTS.safetensors]``."""

import sys
from pathlib import Path

import panel as pn

from vitpanel.app.explorer import create_app

pn.extension()

USAGE = (
    "Give the study, and the model's weights where the study was not computed here: "
    "`panel serve apps/explorer.py --args X.study [WEIGHTS.safetensors]`"
)

if len(sys.argv) > 1:
    weights = Path(sys.argv[2]) if len(sys.argv) > 2 else None  # noqa: PLR2004
    create_app(Path(sys.argv[1]), checkpoint=weights).servable(title="vitpanel")
else:
    pn.pane.Alert(USAGE, alert_type="warning").servable(title="vitpanel")
