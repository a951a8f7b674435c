"""A server for one study or several."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from panel.io.server import get_server
from tornado.process import task_id

from vitpanel.app.access import Access
from vitpanel.app.explorer import create_app, open_once
from vitpanel.app.start_page import create_start_page, find_studies
from vitpanel.app.study_card import study_title
from vitpanel.errors import VitpanelError
from vitpanel.runtime.guards import install
from vitpanel.runtime.incidents import present
from vitpanel.study.reader import open_study

ONE = "vitpanel"  # where a study stands that is alone
HEALTH = "healthz"  # answers as long as the server does; asks nobody to log in


def serve_studies(
    paths: Sequence[Path],
    *,
    port: int,
    access: Access,
    show: bool,
    checkpoint: Path | None = None,
    live: bool = True,
    num_procs: int = 1,
) -> None:
    """Serve the explorers of studies until interrupted.

    Parameters
    ----------
    paths
        Studies, or folders of studies; of several, a page lists all.
    port
        0 takes a free one.
    access
        Where to listen, and who may come.
    show
        Open a browser window.
    checkpoint
        The model's weights; see `vitpanel.app.inference.ModelService`. For a single study only.
    live
        Whether there is a live model at all.
    num_procs
        Processes that answer, each with its own model; 0 for as many as there are cores.

    Raises
    ------
    VitpanelError
        If a study cannot be opened, the port is taken, an origin is none, or it is not said who may come.
    """
    access.check()
    install(embed=access.embed)
    studies = find_studies(paths)
    if checkpoint is not None and len(studies) > 1:
        message = f"{checkpoint} cannot be the weights of {len(studies)} studies."
        raise VitpanelError(message, hint="Serve the study alone that they belong to.")
    pages = _pages(studies, checkpoint=checkpoint, live=live)
    server = _started(pages, port=port, access=access, num_procs=num_procs)
    # Here and not before, since a process that is to be split must have no threads.
    for path in studies.values() if len(studies) == 1 else ():
        open_once(path, checkpoint=checkpoint, live=live)
    words = f"{paths[0]} is" if len(studies) == 1 else f"{len(studies)} studies are"
    _run(server, words, slug="" if len(studies) > 1 else ONE, show=show)


def _pages(studies: dict[str, Path], *, checkpoint: Path | None, live: bool) -> dict[str, Callable[[], Any]]:
    """What makes the page at each address. Panel calls plain functions once per session, not partials."""

    def page_of(path: Path, title: str) -> Callable[[], Any]:
        def page() -> Any:
            present(partial(create_app, path, checkpoint=checkpoint, live=live), title=title)

        return page

    if len(studies) == 1:
        path = next(iter(studies.values()))
        return {ONE: page_of(path, study_title(open_study(path)))}

    def start() -> Any:
        present(partial(create_start_page, studies), title="vitpanel")

    return {"/": start} | {slug: page_of(path, path.stem) for slug, path in studies.items()}


def _started(pages: Any, *, port: int, access: Access, num_procs: int) -> Any:
    origins, options = (
        list(access.origins),
        access.log_in | {"liveness": HEALTH, "num_procs": num_procs, "prefix": access.prefix},
    )
    try:
        server: Any = get_server(pages, port=port, address=access.address, websocket_origin=origins or None, **options)
    except OSError as error:
        message = f"Port {port} of {access.address} cannot be used: {error}."
        raise VitpanelError(message, hint="Give another one with --port, or --port 0 for a free one.") from error
    except ValueError as error:  # of Bokeh, about an origin
        message = f"--allow-websocket-origin {' '.join(origins)}: {error}."
        raise VitpanelError(message, hint="Give a host, and the port if it is not 80: lab.example:8000") from error
    server.start()
    return server


def _run(server: Any, words: str, *, slug: str, show: bool) -> None:
    # Of several processes, one speaks.
    if not task_id():
        url = f"http://{server.address or 'localhost'}:{server.port}{server.prefix}/{slug}"
        print(f"{words} open at {url}  (Ctrl+C ends the server)", flush=True)
        if show:
            server.io_loop.add_callback(server.show, f"/{slug}")
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        print("vitpanel: server stopped.")
