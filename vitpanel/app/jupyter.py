"""The app as a part of a Jupyter server, which starts it behind a unix socket when its tile is clicked.

jupyter-server-proxy finds `server_process` by an entry point of the package.
"""

import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

STUDIES = "studies"  # in the user's home
_START = "from vitpanel.cli import main; main()"


def server_process() -> dict[str, Any]:
    """Return how jupyter-server-proxy starts the app, and the tile of the launcher.

    A port would be open to all users of the computer, and to everybody on a hub by the proxies of their own servers.
    The socket is in a folder that jupyter-server-proxy makes for its user alone.
    """
    return {
        # Its own substitution fills in the socket.
        "command": [sys.executable, "-c", _START, "jupyter", "--unix-socket", "{unix_socket}"],
        "unix_socket": True,
        "timeout": 180,  # seconds; what it imports comes slowly from a network's disk
        "launcher_entry": {"title": "vitpanel", "icon_path": str(files("vitpanel.app").joinpath("icon.svg"))},
    }


def own_studies() -> Path | None:
    """Folder ``studies`` in the user's home; None where there is no study in it."""
    # Here, since it imports Panel, which a Jupyter server does not need for its launcher.
    from vitpanel.app.start_page import is_study

    folder = Path.home() / STUDIES
    return folder if folder.is_dir() and any(map(is_study, folder.iterdir())) else None
