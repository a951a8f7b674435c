"""The explorer as a servable: ``panel serve apps/explorer.py --args X.study``."""

import sys
from pathlib import Path

import panel as pn

from vitpanel.app.explorer import create_app

pn.extension()

USAGE = "Give the study: `panel serve apps/explorer.py --args X.study`"

if len(sys.argv) > 1:
    create_app(Path(sys.argv[1])).servable()
else:
    pn.pane.Alert(USAGE, alert_type="warning").servable(title="vitpanel")
