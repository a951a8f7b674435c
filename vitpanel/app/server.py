"""A server for one study or several."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from panel.io.server import get_server
from tornado.process import task_id
from tornado.web import RedirectHandler

from vitpanel.app.access import Access, check_port
from vitpanel.app.explorer import create_app, open_once
from vitpanel.app.log_in import LogIn
from vitpanel.app.page import create_frame
from vitpanel.app.placeholder import create_problem
from vitpanel.app.processes import count_processes, forked
from vitpanel.app.start_page import create_start_page, find_studies
from vitpanel.app.study_card import study_title
from vitpanel.app.tasks import TaskSheet, read_tasks
from vitpanel.errors import CheckpointError, VitpanelError
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
        If a study, the weights or the sheet of tasks cannot be opened, the port is taken or there is none like it, an
        origin is none, or it is not said who may come.
    """
    access.check()
    check_port(port)
    n_processes = count_processes(num_procs)
    sheet = read_tasks(tasks)
    install(embed=access.embed)
    studies = find_studies(paths)
    _check_checkpoint(checkpoint, studies)
    pages = _pages(studies, checkpoint=checkpoint, live=live, tasks=sheet)
    with _until_stopped():
        server = _started(pages, port=port, access=access, n_processes=n_processes)
        # Here and not before, since a process that is to be split must have no threads.
        if len(studies) == 1:
            open_once(next(iter(studies.values())), checkpoint=checkpoint, live=live)
            _run(server, f"{paths[0]} is", slug=ONE, show=show)
        else:
            _run(server, partial(_words_of, studies), slug="", show=show)


def serve_problem(error: VitpanelError, *, access: Access) -> None:
    """Serve a page that says why there is no study to serve, until interrupted."""
    install()

    def page() -> Any:
        present(partial(create_frame, "vitpanel", [create_problem("No study can be shown", error)]), title="vitpanel")

    with _until_stopped():
        _run(_started({"/": page}, port=0, access=access, n_processes=1), "No study is", slug="", show=False)


def _check_checkpoint(path: Path | None, studies: Mapping[str, Path]) -> None:
    if path is None:
        return
    if len(studies) > 1:
        message = f"{path} cannot be the weights of {len(studies)} studies."
        raise VitpanelError(message, hint="Serve the study alone that they belong to.")
    # Only looked for: torch, which reads it, takes seconds to come.
    if not path.is_file():
        message = f"{path} is a folder." if path.is_dir() else f"There is no file {path}."
        raise CheckpointError(message, hint="Give a safetensors file." if path.is_dir() else "Check the path.")


def _words_of(studies: Mapping[str, Path]) -> str:
    """How many of several studies are open, after what keeps each of the others from it."""
    refused: list[str] = []
    for path in studies.values():
        try:
            open_study(path)
        except VitpanelError as error:
            refused.append(f"{path.name} cannot be opened: {error.message} {error.hint}\n")
    count = f"{len(studies) - len(refused)} of {len(studies)}" if refused else len(studies)
    return f"{''.join(refused)}{count} studies are"


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


def _started(pages: Mapping[str, Any], *, port: int, access: Access, n_processes: int) -> Any:
    origins = list(access.origins)
    # Cookies of the log-in go to this server alone, not to others behind the same proxy.
    options: dict[str, Any] = access.log_in | {"cookie_path": f"/{access.prefix.strip('/')}"}
    options |= {"liveness": HEALTH, "num_procs": n_processes, "prefix": access.prefix}
    if access.users is not None:
        options |= {"auth_provider": LogIn(access.users)}
    if access.unix_socket is None:
        where, hint = f"Port {port} of {access.address}", "Give another one with --port, or --port 0 for a free one."
        options |= {"port": port, "address": access.address}
    else:
        where, hint = f"The unix socket {access.unix_socket}", "Name another file with --unix-socket."
        options |= {"unix_socket": str(access.unix_socket)}
    make = partial(get_server, dict(pages), websocket_origin=origins or None, **options)
    if n_processes > 1:
        patches.share_connections()
    try:
        server: Any = forked(make) if n_processes > 1 else make()
    except OSError as error:
        message = f"{where} cannot be used: {error}."
        raise VitpanelError(message, hint=hint) from error
    except ValueError as error:  # of Bokeh, about an origin
        message = f"--allow-websocket-origin {' '.join(origins)}: {error}."
        raise VitpanelError(message, hint="Give a host, and the port if it is not 80: lab.example:8000") from error
    _mend_slashes(server, [slug for slug in pages if slug != "/"])
    server.start()
    return server


def _mend_slashes(server: Any, slugs: Sequence[str]) -> None:
    """Lead an address that has no slash behind the prefix, or one behind a page, to where it was meant to.

    What stands on a page, and the way to the log-in, is relative to the address of the page. So are these ways, since a
    proxy may know the server by another address.
    """
    prefix = re.escape(server.prefix)
    ways = [(rf"{prefix}/({'|'.join(map(re.escape, slugs))})/", "../{0}")] if slugs else []
    if server.prefix:
        ways.append((prefix, f"./{server.prefix.rpartition('/')[2]}/"))
    # Before all other rules, of which that for the first page takes the prefix without a slash.
    server._tornado.add_handlers(  # noqa: SLF001 - Bokeh lets none be added before its own
        ".*", [(pattern, RedirectHandler, {"url": url, "permanent": False}) for pattern, url in ways]
    )


def _run(server: Any, words: str | Callable[[], str], *, slug: str, show: bool) -> None:
    # Of several processes, one speaks.
    if not task_id():
        url = f"http://{server.address or 'localhost'}:{server.port}{server.prefix}/{slug}"
        where = f"at {url}" if server.port else f"behind the unix socket {server.unix_socket}"
        said = words if isinstance(words, str) else words()
        print(f"{said} open {where}  (Ctrl+C ends the server)", flush=True)
        if show and server.port:
            server.io_loop.add_callback(server.show, f"/{slug}")
    server.io_loop.start()


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Say that the server has stopped, whether Panel stops its loop at Ctrl+C or a process of ours is interrupted."""
    with suppress(KeyboardInterrupt):
        yield
    print("vitpanel: server stopped.")
