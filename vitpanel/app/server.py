"""A server for one study."""

from pathlib import Path
from typing import Any

import panel as pn

from vitpanel.app.explorer import create_app, open_once
from vitpanel.app.page import Page
from vitpanel.app.study_card import study_title
from vitpanel.errors import VitpanelError


def serve_study(path: Path, *, port: int, address: str, show: bool, checkpoint: Path | None = None) -> None:
    """Serve the explorer of a study until interrupted.

    Raises
    ------
    VitpanelError
        If the study cannot be opened or the port is taken.
    """
    study, _ = open_once(path, checkpoint=checkpoint)

    # Panel calls plain functions once per session; it takes a partial for something to display.
    def page() -> Page:
        return create_app(path, checkpoint=checkpoint)

    try:
        server: Any = pn.serve(
            {"vitpanel": page},
            title=study_title(study),
            port=port,
            address=address,
            websocket_origin=[f"{address}:{port}"] if port else None,
            show=False,
            start=False,
        )
    except OSError as error:
        message = f"Port {port} of {address} cannot be used: {error}."
        raise VitpanelError(message, hint="Give another one with --port, or --port 0 for a free one.") from error
    url = f"http://{address}:{server.port}/vitpanel"
    print(f"{path} is open at {url}  (Ctrl+C ends the server)", flush=True)
    server.start()
    if show:
        server.io_loop.add_callback(server.show, "/vitpanel")
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        print("vitpanel: server stopped.")
