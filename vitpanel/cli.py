"""The command line: ``vitpanel precompute``, ``inspect``, ``serve``, ``report``, ``export``, ``demo``, ``jupyter``."""

import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from vitpanel import __version__
from vitpanel.errors import VitpanelError
from vitpanel.options import ModelOptions, RecipeOptions

# What a shell reports of a program that a closed pipe has ended.
_BROKEN_PIPE = 128 + 13
# The model with the weights that the study was computed with here.
AS_COMPUTED = ModelOptions()

app = App(
    name="vitpanel",
    help="Linked views that answer how attention works in a given vision transformer.",
    version=__version__,
    # `main` says how to go on.
    suppress_keyboard_interrupt=False,
)


@app.command
def precompute(*, options: RecipeOptions) -> None:
    """Compute a study of a vision transformer on labelled images; run it again to go on after an interruption."""
    # torch takes seconds to import; the other commands do not need it.
    from vitpanel.pipeline.precompute import precompute as run
    from vitpanel.study.summary import describe

    print(describe(run(options.recipe())))
    print(f"\nOpen it with: vitpanel serve {options.out}")


@app.command
def inspect(study: Path, *, verify: Annotated[bool, Parameter(negative=())] = False) -> None:
    """Print what is in a study.

    Parameters
    ----------
    study
        Folder of the study.
    verify
        Read every file and hold it against its checksum; all that is damaged or missing is listed at once, with the way
        out. Without it, only what is printed was read. Either way the exit code is 1 when damage was found.
    """
    from vitpanel.study.reader import open_study
    from vitpanel.study.summary import describe, describe_verification
    from vitpanel.study.verify import missing_files, verify_study

    if verify:
        found = verify_study(study)
        print(describe_verification(study, found))
        sys.exit(1 if found.damages else 0)
    opened = open_study(study)
    print(describe(opened))
    sys.exit(1 if opened.damages or missing_files(study, opened.manifest) else 0)


@app.command
def serve(  # noqa: PLR0913 - each is an option of the command
    *studies: Path,
    model: ModelOptions = AS_COMPUTED,
    port: int = 5006,
    address: str = "localhost",
    unix_socket: Path | None = None,
    show: bool = True,
    tasks: Path | None = None,
    allow_websocket_origin: Annotated[list[str] | None, Parameter(negative=())] = None,
    allow_embed: Annotated[list[str] | None, Parameter(negative=())] = None,
    prefix: str = "",
    basic_auth: str | None = None,
    oauth_provider: str | None = None,
    oauth_key: str | None = None,
    oauth_secret: str | None = None,
    oauth_redirect_uri: str | None = None,
    no_auth: Annotated[bool, Parameter(negative=())] = False,
    num_procs: int = 1,
) -> None:
    """Open studies in the browser; of several, a page lists all.

    Parameters
    ----------
    studies
        Folders of studies, or folders with studies in them.
    model
        See `ModelOptions`.
    port
        Port of the server; 0 takes a free one.
    address
        Address to listen on. One that others than this computer reach needs --allow-websocket-origin, and a log-in or
        --no-auth.
    unix_socket
        File to listen on instead, for a proxy of your own on a computer that others use: a port is open to them all. It
        must be in a folder that only you can enter.
    show
        Open a browser window.
    tasks
        Text file in Markdown with what is to be tried, in the place of the sheet behind Tasks in the page's header;
        each heading of the second level is a task.
    allow_websocket_origin
        HOST or HOST:PORT by which browsers reach the server, where a proxy does not hand it on; may be given several
        times.
    allow_embed
        Origin of a site that may show the app within its pages, for instance https://lab.example; may be given several
        times. Without it no other site may.
    prefix
        What stands before all paths where a proxy hands them on with it, for instance /lab.
    basic_auth
        A password for all visitors, or a JSON file of users and passwords, such as {"anna": "PASSWORD"}. Where others
        use this computer give a file, since they see the words of a command.
    oauth_provider
        Who visitors log in with, as Panel names them: github, google, generic and others.
    oauth_key
        The app's id there.
    oauth_secret
        The app's secret there; better in the variable PANEL_OAUTH_SECRET, since other users see the words of a command.
    oauth_redirect_uri
        Where visitors come back to.
    no_auth
        Let everybody come who reaches the server, for instance behind a proxy that asks who comes.
    num_procs
        Processes that answer, each with its own model; 0 for as many as there are cores.
    """
    from vitpanel.app.access import Access
    from vitpanel.app.server import serve_studies

    access = Access(
        address=address,
        origins=allow_websocket_origin or (),
        embed=allow_embed or (),
        prefix=prefix,
        basic_auth=basic_auth,
        oauth={
            "oauth_provider": oauth_provider,
            "oauth_key": oauth_key,
            "oauth_secret": oauth_secret,
            "oauth_redirect_uri": oauth_redirect_uri,
        },
        is_open=no_auth,
        unix_socket=unix_socket,
    )
    options = {"checkpoint": model.checkpoint, "live": model.live, "tasks": tasks, "num_procs": num_procs}
    serve_studies(studies, port=port, access=access, show=show, **options)


@app.command
def report(
    study: Path,
    *,
    out: Path,
    state: str = "",
    model: ModelOptions = AS_COMPUTED,
) -> None:
    """Write what is looked at as one page of HTML, which needs neither a server nor a network.

    Parameters
    ----------
    study
        Folder of the study.
    out
        The file to write, NAME.html; one that is there is replaced.
    state
        What is looked at, as the address of the app has it: the whole of it or what begins with its question mark, for
        instance "?image=12&layer=0&head=4". Without it, what the app starts with.
    model
        See `ModelOptions`.
    """
    from vitpanel.app.report.report import write_report
    from vitpanel.app.report.state import selection_of
    from vitpanel.study.reader import open_study

    opened = open_study(study)
    write_report(opened, out, selection=selection_of(opened, state), live=model.of(opened))
    print(f"{out} shows {study} ({out.stat().st_size / 1e6:.1f} MB).")


@app.command
def export(
    study: Path,
    out: Path,
    *,
    image: Annotated[list[int] | None, Parameter(negative=())] = None,
    model: ModelOptions = AS_COMPUTED,
) -> None:
    """Write a study as a folder of pages, which open without a server and without a network.

    Parameters
    ----------
    study
        Folder of the study.
    out
        The folder to write. One that is there must be empty, or written by this command before: its pages are replaced.
    image
        Number of an image that has a page of its own; may be given several times. Without it, the 6 images of as many
        classes at which the head that matters most on average matters most.
    model
        See `ModelOptions`.
    """
    from vitpanel.app.report.folder import export_study
    from vitpanel.study.reader import open_study

    opened = open_study(study)
    done = export_study(opened, out, images=image or (), live=model.of(opened))
    replaced = ", in the place of an earlier export" if done.is_again else ""
    print(f"{out} shows {study}: {done.n_files} files, {done.n_bytes / 1e6:.1f} MB{replaced}. Open {done.index}.")


@app.command
def demo(
    *,
    port: int = 5006,
    address: str = "localhost",
    show: bool = True,
    force: bool = False,
    tasks: Path | None = None,
) -> None:
    """Open the embedded demo study; it is computed the first time, and its page fills meanwhile.

    Parameters
    ----------
    port
        Port of the server; 0 takes a free one.
    address
        Address to listen on.
    show
        Open a browser window.
    force
        Compute the study again.
    tasks
        Text file in Markdown with what is to be tried; as for serve.
    """
    from vitpanel.app.access import Access, check_port
    from vitpanel.app.server import serve_studies
    from vitpanel.demo import CHECKPOINT, growing_demo_study

    access = Access(address)
    # Before a study is begun that would not be served.
    access.check()
    check_port(port)
    with growing_demo_study(force=force) as study:
        serve_studies([study], port=port, access=access, show=show, checkpoint=CHECKPOINT, tasks=tasks)


@app.command
def jupyter(
    *,
    unix_socket: Path,
    studies: Annotated[Path | None, Parameter(env_var="VITPANEL_STUDIES")] = None,
    checkpoint: Annotated[Path | None, Parameter(env_var="VITPANEL_CHECKPOINT")] = None,
    live: Annotated[bool, Parameter(env_var="VITPANEL_LIVE")] = True,
    tasks: Annotated[Path | None, Parameter(env_var="VITPANEL_TASKS")] = None,
) -> None:
    """Serve the studies of a user to the Jupyter server that starts this when its tile vitpanel is clicked.

    What keeps a study from being shown is said on the page.

    Parameters
    ----------
    unix_socket
        File to listen on, in a folder that only you can enter.
    studies
        Folder of studies, or a study. Without it ~/studies is shown, and the demo where no study is in there.
    checkpoint
        The model's weights, where there is one study.
    live
        Load the model for pruning modes and attention matrices; --no-live, or VITPANEL_LIVE=no, takes a quarter of the
        memory and no torch.
    tasks
        Text file in Markdown with what is to be tried; as for serve.
    """
    from vitpanel.app.access import Access
    from vitpanel.app.jupyter import own_studies
    from vitpanel.app.server import serve_problem, serve_studies
    from vitpanel.demo import CHECKPOINT, growing_demo_study

    # This is how Jupyter ends what it has started; the run of the demo is to end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    access, folder = Access(unix_socket=unix_socket), studies or own_studies()
    try:
        with growing_demo_study() if folder is None else nullcontext(folder) as path:
            weights = checkpoint if folder else CHECKPOINT
            serve_studies([path], access=access, checkpoint=weights, live=live, tasks=tasks)
    except VitpanelError as error:
        serve_problem(error, access=access)


def main() -> None:
    """Run the command line; what a user can act on is printed without a traceback, with exit code 1."""
    try:
        try:
            app(sys.argv[1:])
        finally:
            # Here and not when Python ends, where an error would have its traceback.
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has read enough, as `head` does; what is still unwritten must not be tried again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_BROKEN_PIPE)
    except VitpanelError as error:
        print(f"vitpanel: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("vitpanel: interrupted; run the same command again to go on.", file=sys.stderr)
        sys.exit(130)
