"""Compute the demo study at the path that is given, in a process beside the server's."""

import signal
import sys
from pathlib import Path

from vitpanel.demo import compute_demo
from vitpanel.errors import VitpanelError

# A shell that starts programs in the background lets them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    compute_demo(Path(sys.argv[1]))
except VitpanelError as error:
    sys.stderr.write(f"vitpanel: {error.message}\n  {error.hint}\n")
    sys.exit(1)
except KeyboardInterrupt:
    sys.exit(130)
