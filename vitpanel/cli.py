"""The command line: ``vitpanel precompute``, ``inspect``, ``serve``, ``demo`` and ``jupyter``."""

import os
import signal
import sys
from ast import literal_eval
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from vitpanel import __version__
from vitpanel.errors import VitpanelError

# What a shell reports of a program that a closed pipe has ended.
_BROKEN_PIPE = 128 + 13

app = App(
    name="vitpanel",
    help="Linked views that answer how attention works in a given vision transformer.",
    version=__version__,
    # `main` says how to go on.
    suppress_keyboard_interrupt=False,
)


@app.command
def precompute(  # noqa: PLR0913 - each is an option of the command
    *,
    images: Path,
    out: Path,
    model: str | None = None,
    checkpoint: Path | None = None,
    model_arg: Annotated[list[str] | None, Parameter(negative=())] = None,
    mean: str | None = None,
    std: str | None = None,
    crop_pct: float | None = None,
    class_names: Path | None = None,
    head: Path | None = None,
    probe: Annotated[bool, Parameter(negative=())] = False,
    image_column: str = "file",
    label_column: str = "label",
    label_order: Literal["natural", "string"] | None = None,
    labels: bool = True,
    exif: bool = True,
    per_class: int | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    batch_size: int = 32,
    layout_sample: int = 250_000,
    seed: int = 0,
    modes: bool | None = None,
    fast_means: Annotated[bool, Parameter(negative=())] = False,
    precision: Literal["float32", "tf32", "fp16"] = "float32",
) -> None:
    """Compute a study of a vision transformer on labelled images; run it again to go on after an interruption.

    Parameters
    ----------
    images
        Folder with one folder of images a class, or a CSV file of image files and labels. A label is the name of a
        class of the model, one of its synonyms, its WordNet synset (n01440764) or its number, counted from 0.
    out
        The study to write, a folder by custom named NAME.study.
    model
        timm's name of the model, for instance vit_base_patch16_224; or hf:FOLDER or hf:OWNER/NAME for a ViT, DeiT or
        DINOv2 of transformers, from a folder or from the hub. May be left out when the checkpoint names it.
    checkpoint
        Your own weights for timm's model, a safetensors file; without it the model's pretrained weights are taken.
    model_arg
        Argument of timm.create_model as KEY=VALUE, for instance img_size=224; may be given several times.
    mean
        What is taken off each channel of an image, of pixels from 0 to 1: one number or one a channel, with commas
        between. Without it the checkpoint's metadata counts, and else what timm has for the model.
    std
        What each channel is divided by, as mean.
    crop_pct
        Share of the shorter side of an image that the model sees, above 0 and at most 1.5.
    class_names
        Text file with one class name a line, in the order of the class head.
    head
        A linear head for the model's pooled features: a safetensors file with weight (classes, width) and, if there is
        one, bias (classes). It stands in the place of a class head of the model's own.
    probe
        Fit a logistic head on the pooled features of the loaded images; a quarter of each class is held out, and the
        accuracy on it reported.
    image_column
        Column of the CSV file with the image files; those that are not absolute are relative to its folder.
    label_column
        Column of the CSV file with the labels.
    label_order
        How labels are numbered where the model's classes have no names: natural (2 before 10, as timm does) or string
        (10 before 2, as torchvision does). It is asked for only where it makes a difference.
    labels
        Judge images by their labels; --no-labels judges every image by the model's own top-1 class.
    exif
        Turn images upright by their EXIF orientation; --no-exif leaves them as timm and torchvision do.
    per_class
        Draw at most so many images of each class.
    device
        Where to compute; auto takes CUDA where there is one.
    batch_size
        Largest number of pruned images in one forward; changes speed and memory, not results.
    layout_sample
        Lay at most so many heads out by t-SNE and place the others by their nearest neighbours among them.
    seed
        Of the draw of images, the autoencoder and the layouts.
    modes
        Compute all pruning modes of every head beforehand, so that they are shown at once and without the model. It
        takes about five times as long as the importance of all heads. By default it is done on CUDA alone; a study
        that is finished without it gets it when the same command is run again with --modes added.
    fast_means
        Estimate the mean importance of every head first, from a gradient on all images and exact values of a seventh;
        it is shown with its 95 % interval until the exact values of all images have taken its place.
    precision
        Of the matrix products on CUDA: the factors of tf32 and fp16 have 10 bits, which is several times faster and
        errs by a few thousandths of the importance; sums are float32 in any case. A model with values above 65,504
        has no fp16.
    """
    # torch takes seconds to import; the other commands do not need it.
    from vitpanel.pipeline.precompute import Recipe
    from vitpanel.pipeline.precompute import precompute as run
    from vitpanel.study.summary import describe

    recipe = Recipe(
        images=images,
        out=out,
        model=model,
        checkpoint=checkpoint,
        model_args=dict(_model_arg(text) for text in model_arg or []),
        preparation=_preparation(mean, std, crop_pct),
        class_names=None if class_names is None else _lines(class_names),
        head=head,
        probe=probe,
        columns=(image_column, label_column),
        label_order=label_order,
        labels=labels,
        exif=exif,
        per_class=per_class,
        device=device,
        batch_size=batch_size,
        layout_sample=layout_sample,
        seed=seed,
        modes=modes,
        fast_means=fast_means,
        precision=precision,
    )
    print(describe(run(recipe)))
    print(f"\nOpen it with: vitpanel serve {out}")


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
    checkpoint: Path | None = None,
    port: int = 5006,
    address: str = "localhost",
    unix_socket: Path | None = None,
    show: bool = True,
    live: bool = True,
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
    checkpoint
        The model's weights, a safetensors file. Not needed where you have computed the study on this machine and the
        file is where it was; what a study itself says of files is not followed.
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
    live
        Load the model for pruning modes and attention matrices; --no-live takes a quarter of the memory and no torch.
    allow_websocket_origin
        HOST or HOST:PORT by which browsers reach the server, where a proxy does not hand it on; may be given several
        times.
    allow_embed
        Origin of a site that may show the app within its pages, for instance https://lab.example; may be given several
        times. Without it no other site may.
    prefix
        What stands before all paths where a proxy hands them on with it, for instance /lab.
    basic_auth
        A password for all visitors, or a JSON file of users and passwords. Where others use this computer give a file,
        since they see the words of a command.
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
    serve_studies(studies, port=port, access=access, show=show, checkpoint=checkpoint, live=live, num_procs=num_procs)


@app.command
def demo(*, port: int = 5006, address: str = "localhost", show: bool = True, force: bool = False) -> None:
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
    """
    from vitpanel.app.access import Access
    from vitpanel.app.server import serve_studies
    from vitpanel.demo import CHECKPOINT, growing_demo_study

    with growing_demo_study(force=force) as study:
        serve_studies([study], port=port, access=Access(address), show=show, checkpoint=CHECKPOINT)


@app.command
def jupyter(
    *,
    unix_socket: Path,
    studies: Annotated[Path | None, Parameter(env_var="VITPANEL_STUDIES")] = None,
    checkpoint: Annotated[Path | None, Parameter(env_var="VITPANEL_CHECKPOINT")] = None,
    live: Annotated[bool, Parameter(env_var="VITPANEL_LIVE")] = True,
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
            serve_studies([path], access=access, checkpoint=checkpoint if folder else CHECKPOINT, live=live)
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


def _model_arg(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        message = f"--model-arg {text!r} is not of the form KEY=VALUE."
        raise VitpanelError(message, hint="For instance --model-arg img_size=224.")
    try:
        return key, literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value


def _preparation(mean: str | None, std: str | None, crop_pct: float | None) -> dict[str, object]:
    given: dict[str, object] = {} if crop_pct is None else {"crop_pct": crop_pct}
    for name, text in (("mean", mean), ("std", std)):
        try:
            given |= {} if text is None else {name: tuple(map(float, text.split(",")))}
        except ValueError as error:
            message = f"--{name} {text!r} is not numbers with commas between."
            raise VitpanelError(message, hint=f"For instance --{name} 0.485,0.456,0.406.") from error
    return given


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"The class names in {path} cannot be read: {error}."
        raise VitpanelError(message, hint="Give a text file with one class name a line.") from error
