"""Open studies as a server does, and print as JSON what the process opened and where it wanted to connect.

Arguments: a JSON list of ``[name, study, checkpoint or null]``.
"""

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import vitpanel.models.ablation
import vitpanel.models.restoring
import vitpanel.pipeline.known_weights  # noqa: F401 - what is imported before is not seen below
from vitpanel import cli
from vitpanel.app.explorer import open_once
from vitpanel.elements.density import warm_up
from vitpanel.errors import VitpanelError

events: list[list[str]] = []
is_on = False


def note(event: str, arguments: tuple[Any, ...]) -> None:
    """Keep what leads out of the process."""
    if not is_on:
        return
    if event == "open" and isinstance(arguments[0], str | bytes):
        path = arguments[0] if isinstance(arguments[0], str) else arguments[0].decode()
        events.append([event, path])
    elif event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "urllib.Request"}:
        events.append([event, repr(arguments)])


def opened(study: Path, checkpoint: Path | None) -> str:
    """Inspect a study and ask its model; returns what was said."""
    sys.argv = ["vitpanel", "inspect", str(study)]
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        cli.main()
    try:
        service = open_once(study, checkpoint=checkpoint)[1].service
        assert service is not None
        service.request(("modes", 0, 0, 0), object()).result(100)
    except VitpanelError as error:
        return f"{error.message} {error.hint}"
    return "answered"


warm_up()  # compiling reads the code of libraries, as importing does
sys.addaudithook(note)
report = {}
for name, path, weights in json.loads(sys.argv[1]):
    events.clear()
    is_on = True
    said = opened(Path(path), Path(weights) if weights else None)
    is_on = False
    report[name] = {"said": said, "events": list(events)}
sys.stdout.write(json.dumps(report))
