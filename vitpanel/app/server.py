"""A server for one study."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn

from vitpanel.app.explorer import create_app, open_once
from vitpanel.app.study_card import study_title
from vitpanel.errors import VitpanelError
from vitpanel.runtime.guards import install
from vitpanel.runtime.incidents import present


def serve_study(
    path: Path,
    *,
    port: int,
    address: str,
    show: bool,
    checkpoint: Path | None = None,
    live: bool = True,
    origins: Sequence[str] = (),
    embed: Sequence[str] = (),
) -> None:
    """Serve the explorer of a study until interrupted.

    Parameters
    ----------
    path
        The study.
    port
        0 takes a free one.
    address
        To listen on.
    show
        Open a browser window.
    checkpoint
        The model's weights; see `vitpanel.app.inference.ModelService`.
    live
        Whether there is a live model at all.
    origins
        Hosts by which browsers may reach the server besides its own, as HOST or HOST:PORT.
    embed
        Origins of other sites that may show the app within their pages.

    Raises
    ------
    VitpanelError
        If the study cannot be opened, the port is taken, or an origin is none.
    """
    install(embed=embed)
    study, _ = open_once(path, checkpoint=checkpoint, live=live)

    # Panel calls plain functions once per session; it takes a partial for something to display.
    def page() -> Any:
        present(partial(create_app, path, checkpoint=checkpoint, live=live), title=study_title(study))

    try:
        server: Any = pn.serve(
            {"vitpanel": page},
            title=study_title(study),
            port=port,
            address=address,
            websocket_origin=list(origins) or None,
            show=False,
            start=False,
        )
    except OSError as error:
        message = f"Port {port} of {address} cannot be used: {error}."
        raise VitpanelError(message, hint="Give another one with --port, or --port 0 for a free one.") from error
    except ValueError as error:  # of Bokeh, about an origin
        message = f"--allow-websocket-origin {' '.join(origins)}: {error}."
        raise VitpanelError(message, hint="Give a host, and the port if it is not 80: lab.example:8000") from error
    url = f"http://{address}:{server.port}/vitpanel"
    print(f"{path} is open at {url}  (Ctrl+C ends the server)", flush=True)
    server.start()
    if show:
        server.io_loop.add_callback(server.show, "/vitpanel")
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        print("vitpanel: server stopped.")
