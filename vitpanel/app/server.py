"""A server for one study or several."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from panel.io.server import get_server
from tornado.process import task_id

from vitpanel.app.access import Access
from vitpanel.app.explorer import create_app, open_once
from vitpanel.app.page import create_frame
from vitpanel.app.placeholder import create_problem
from vitpanel.app.start_page import create_start_page, find_studies
from vitpanel.app.study_card import study_title
from vitpanel.app.tasks import TaskSheet, read_tasks
from vitpanel.errors import VitpanelError
from vitpanel.runtime import patches
from vitpanel.runtime.guards import install
from vitpanel.runtime.incidents import present
from vitpanel.study.reader import open_study

ONE = "vitpanel"  # where a study stands that is alone
HEALTH = "healthz"  # answers as long as the server does; asks nobody to log in


def serve_studies(
    paths: Sequence[Path],
    *,
    access: Access,
    port: int = 0,
    show: bool = False,
    checkpoint: Path | None = None,
    live: bool = True,
    tasks: Path | None = None,
    num_procs: int = 1,
) -> None:
    """Serve the explorers of studies until interrupted.

    Parameters
    ----------
    paths
        Studies, or folders of studies; of several, a page lists all.
    access
        Where to listen, and who may come.
    port
        0 takes a free one.
    show
        Open a browser window.
    checkpoint
        The model's weights; see `vitpanel.app.inference.ModelService`. For a single study only.
    live
        Whether there is a live model at all.
    tasks
        Sheet of tasks in Markdown; see `vitpanel.app.tasks.read_tasks`.
    num_procs
        Processes that answer, each with its own model; 0 for as many as there are cores.

    Raises
    ------
    VitpanelError
        If a study or the sheet of tasks cannot be opened, the port is taken, an origin is none, or it is not said who
        may come.
    """
    access.check()
    sheet = read_tasks(tasks)
    install(embed=access.embed)
    studies = find_studies(paths)
    if checkpoint is not None and len(studies) > 1:
        message = f"{checkpoint} cannot be the weights of {len(studies)} studies."
        raise VitpanelError(message, hint="Serve the study alone that they belong to.")
    pages = _pages(studies, checkpoint=checkpoint, live=live, tasks=sheet)
    server = _started(pages, port=port, access=access, num_procs=num_procs)
    # Here and not before, since a process that is to be split must have no threads.
    for path in studies.values() if len(studies) == 1 else ():
        open_once(path, checkpoint=checkpoint, live=live)
    words = f"{paths[0]} is" if len(studies) == 1 else f"{len(studies)} studies are"
    _run(server, words, slug="" if len(studies) > 1 else ONE, show=show)


def serve_problem(error: VitpanelError, *, access: Access) -> None:
    """Serve a page that says why there is no study to serve, until interrupted."""
    install()

    def page() -> Any:
        present(partial(create_frame, "vitpanel", [create_problem("No study can be shown", error)]), title="vitpanel")

    _run(_started({"/": page}, port=0, access=access, num_procs=1), "No study is", slug="", show=False)


def _pages(
    studies: dict[str, Path], *, checkpoint: Path | None, live: bool, tasks: TaskSheet
) -> dict[str, Callable[[], Any]]:
    """What makes the page at each address. Panel calls plain functions once per session, not partials."""

    def page_of(path: Path, title: str) -> Callable[[], Any]:
        def page() -> Any:
            present(partial(create_app, path, checkpoint=checkpoint, live=live, tasks=tasks), title=title)

        return page

    if len(studies) == 1:
        path = next(iter(studies.values()))
        return {ONE: page_of(path, study_title(open_study(path)))}

    def start() -> Any:
        present(partial(create_start_page, studies), title="vitpanel")

    return {"/": start} | {slug: page_of(path, path.stem) for slug, path in studies.items()}


def _started(pages: Any, *, port: int, access: Access, num_procs: int) -> Any:
    origins = list(access.origins)
    # Cookies of the log-in go to this server alone, not to others behind the same proxy.
    options: dict[str, Any] = access.log_in | {"cookie_path": f"/{access.prefix.strip('/')}"}
    options |= {"liveness": HEALTH, "num_procs": num_procs, "prefix": access.prefix}
    if access.unix_socket is None:
        where, hint = f"Port {port} of {access.address}", "Give another one with --port, or --port 0 for a free one."
        options |= {"port": port, "address": access.address}
    else:
        where, hint = f"The unix socket {access.unix_socket}", "Name another file with --unix-socket."
        options |= {"unix_socket": str(access.unix_socket)}
    if num_procs > 1:
        patches.share_connections()
    try:
        server: Any = get_server(pages, websocket_origin=origins or None, **options)
    except OSError as error:
        message = f"{where} cannot be used: {error}."
        raise VitpanelError(message, hint=hint) from error
    except ValueError as error:  # of Bokeh, about an origin
        message = f"--allow-websocket-origin {' '.join(origins)}: {error}."
        raise VitpanelError(message, hint="Give a host, and the port if it is not 80: lab.example:8000") from error
    server.start()
    return server


def _run(server: Any, words: str, *, slug: str, show: bool) -> None:
    # Of several processes, one speaks.
    if not task_id():
        url = f"http://{server.address or 'localhost'}:{server.port}{server.prefix}/{slug}"
        where = f"at {url}" if server.port else f"behind the unix socket {server.unix_socket}"
        print(f"{words} open {where}  (Ctrl+C ends the server)", flush=True)
        if show and server.port:
            server.io_loop.add_callback(server.show, f"/{slug}")
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        print("vitpanel: server stopped.")
