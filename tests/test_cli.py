"""The command line as a person meets it: what it prints, and how it ends."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.synthetic import write_synthetic_study
from tests.tiny_vit import CLASSES, write_checkpoint, write_images
from vitpanel import __version__, cli, demo
from vitpanel.app import server
from vitpanel.options import ModelOptions
from vitpanel.study import reader

ROOT = Path(__file__).parent.parent


def vitpanel(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run a command in this process; its exit code, and what it printed on both streams."""
    before = sys.argv
    sys.argv = ["vitpanel", *map(str, words)]
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Run a command that must fail in words, without a traceback."""
    code, out, err = vitpanel(capsys, *words)
    assert code == 1
    assert err.startswith("vitpanel: ")
    assert "\n  " in err
    assert "Traceback" not in out + err
    return err


def started(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    command, environment = [sys.executable, "-c", script, *words], os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """Weights of the tiny vision transformer."""
    return write_checkpoint(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    """Return a folder of two images in each of four classes."""
    return write_images(tmp_path_factory.mktemp("images") / "photos", n_per_class=2)


def test_version(capsys):
    assert vitpanel(capsys, "--version")[1].strip() == __version__


@pytest.mark.parametrize("command", ["precompute", "inspect", "serve", "report", "export", "demo"])
def test_every_command_has_help(capsys, command: str):
    code, out, _ = vitpanel(capsys, command, "--help")
    assert code == 0
    assert f"vitpanel {command}" in out
    assert "Parameters" in out


@pytest.mark.parametrize(
    "words", [("serve",), ("report", "--out", "y.html"), ("export", "y")], ids=lambda words: words[0]
)
def test_the_model_is_named_by_every_command_alike(words: tuple[str, ...]):
    command, *others = words
    given = [command, "x.study", *others, "--checkpoint", "w.safetensors", "--no-live"]
    _, bound, *_ = cli.app.parse_args(given, exit_on_error=False, print_error=False)
    assert bound.arguments["model"] == ModelOptions(checkpoint=Path("w.safetensors"), live=False)


def test_every_option_of_precompute_is_explained_in_the_readme(capsys):
    readme = (ROOT / "README.md").read_text("utf-8")
    out = vitpanel(capsys, "precompute", "--help")[1]
    options = {word.strip(",") for word in out.split() if word.startswith("--")}
    assert {"--model", "--images", "--out", "--seed"} <= options
    assert [option for option in sorted(options) if option not in readme and not option.startswith("--empty")] == []


@pytest.mark.slow
def test_a_study_is_computed_and_inspected(capsys, checkpoint: Path, images: Path, tmp_path: Path):
    names = tmp_path / "names.txt"
    names.write_text("\n".join(CLASSES))
    out = tmp_path / "x.study"
    words = ("--images", images, "--out", out, "--checkpoint", checkpoint, "--class-names", names, "--per-class", 1)
    code, printed, err = vitpanel(capsys, "precompute", *words)
    assert code == 0, err
    assert "Open it with: vitpanel serve" in printed
    code, inspected, _ = vitpanel(capsys, "inspect", out)
    assert code == 0
    assert inspected.strip() in printed
    for text in ("2 layers × 3 heads", "4 with 4 labels", "finished", "raw float32 attention", "most important"):
        assert text in inspected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "vit_bse_patch16_224"), "vit_base_patch16_224"),
        (("--model", "no such model at all"), "no model named"),
        (("--model", "resnet50"), "resnet50 is not supported"),
        (("--checkpoint", "absent.safetensors"), "absent.safetensors"),
        (("--class-names", "absent.txt"), "absent.txt"),
        (("--per-class", "0"), "--per-class is 0"),
        (("--batch-size", "-1"), "--batch-size is -1"),
        (("--model-arg", "img_size"), "KEY=VALUE"),
        (("--device", "cuda"), "CUDA"),
    ],
)
def test_bad_options_are_refused_in_words(capsys, checkpoint: Path, images: Path, tmp_path: Path, words, said: str):
    weights = () if "--model" in words or "--checkpoint" in words else ("--checkpoint", checkpoint)
    error = refused(capsys, "precompute", "--images", images, "--out", tmp_path / "x.study", *weights, *words)
    assert said in error
    assert not (tmp_path / "x.study").exists()


def test_a_checkpoint_of_another_shape_is_refused(capsys, images: Path, tmp_path: Path):
    wide = write_checkpoint(tmp_path / "wide.safetensors", sizes={"embed_dim": 48})
    words = ("--checkpoint", wide, "--model-arg", "embed_dim=24", "--images", images, "--out", tmp_path / "x.study")
    error = refused(capsys, "precompute", *words)
    assert "wide.safetensors" in error
    assert "(1, 1, 48)" in error
    assert "(1, 1, 24)" in error


def test_weights_that_are_no_safetensors_are_refused(capsys, images: Path, tmp_path: Path):
    bad = tmp_path / "weights.pt"
    bad.write_bytes(b"PK\x03\x04 a pickle in a zip")
    error = refused(capsys, "precompute", "--checkpoint", bad, "--images", images, "--out", tmp_path / "x.study")
    assert "weights.pt" in error
    assert "save_file" in error


def test_images_that_are_not_there_are_refused(capsys, checkpoint: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for folder, said in ((tmp_path / "absent", "nothing at"), (tmp_path / "empty", "names no images")):
        words = ("--images", folder, "--out", tmp_path / "x.study", "--checkpoint", checkpoint)
        assert said in refused(capsys, "precompute", *words)


@pytest.mark.parametrize("command", ["inspect", "serve", "report", "export"])
def test_what_is_no_study_is_refused(capsys, tmp_path: Path, command: str):
    out = {"report": ("--out", tmp_path / "r.html"), "export": (tmp_path / "pages",)}.get(command, ())
    assert "no study at" in refused(capsys, command, tmp_path / "absent.study", *out)
    assert "not a study" in refused(capsys, command, tmp_path, *out)


def test_serving_nothing_is_refused(capsys):
    assert "No study is named" in refused(capsys, "serve")
    assert "--allow-websocket-origin" in refused(capsys, "serve", "X.study", "--address", "0.0.0.0")  # noqa: S104


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("serve", "x.study", "--port", "99999"), "--port is 99999"),
        (("serve", "x.study", "--port", "-1"), "--port is -1"),
        (("demo", "--port", "99999"), "--port is 99999"),
        (("serve", "x.study", "--num-procs", "-1"), "--num-procs is -1"),
        (("serve", "x.study", "--basic-auth", ""), "--basic-auth is empty"),
        (("serve", "x.study", "--checkpoint", "nofile.safetensors"), "There is no file nofile.safetensors"),
        (("serve", "x.study", "--checkpoint", "x.study", "--no-live"), "x.study is a folder"),
    ],
)
def test_what_cannot_be_served_is_refused_at_the_start(
    capsys, monkeypatch, tmp_path: Path, words: tuple[str, ...], said: str
):
    monkeypatch.chdir(tmp_path)
    write_synthetic_study(tmp_path / "x.study")
    monkeypatch.setattr(demo, "growing_demo_study", lambda **_: pytest.fail("a study is begun"))
    monkeypatch.setattr(server, "_started", lambda *_, **__: pytest.fail("it is served"))
    assert said in refused(capsys, *words, "--no-show")


@pytest.mark.parametrize("command", ["inspect", "serve"])
def test_a_study_of_a_newer_format_is_refused(capsys, tmp_path: Path, command: str):
    path = write_synthetic_study(tmp_path / "new.study")
    manifest = path / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"format_version": 2', '"format_version": 99'), "utf-8")
    error = refused(capsys, command, path)
    assert "format 99" in error
    assert "Upgrade" in error


def test_a_report_is_written_of_what_an_address_says(capsys, tmp_path: Path):
    path, out = write_synthetic_study(tmp_path / "x.study"), tmp_path / "r.html"
    words = ("report", path, "--state", "?image=4&layer=1&head=2", "--out", out, "--no-live")
    code, printed, err = vitpanel(capsys, *words)
    assert code == 0, err
    assert printed.startswith(f"{out} shows {path} (")
    page = out.read_text("utf-8")
    assert "L1 H2" in page
    assert "this page was made without it" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--state", "?image=400"), "image 400"),
        (("--state", "?layer=last"), "layer 'last'"),
        (("--state", "somewhere"), "says nothing"),
        (("--out", "r.pdf"), "r.pdf"),
        (("--out", "nowhere/r.html"), "nowhere"),
    ],
)
def test_a_report_that_cannot_be_made_is_refused(
    capsys, monkeypatch, tmp_path: Path, words: tuple[str, ...], said: str
):
    monkeypatch.chdir(tmp_path)
    path = write_synthetic_study(tmp_path / "x.study")
    out = () if "--out" in words else ("--out", "r.html")
    assert said in refused(capsys, "report", path, "--no-live", *words, *out)
    assert not (tmp_path / "r.html").exists()


def test_an_export_says_what_it_has_written_and_may_be_written_anew(capsys, tmp_path: Path):
    path, out = write_synthetic_study(tmp_path / "x.study"), tmp_path / "pages"
    words = ("export", path, out, "--no-live", "--image", 1)
    code, printed, err = vitpanel(capsys, *words, "--image", 4)
    assert code == 0, err
    size = sum(file.stat().st_size for file in out.iterdir())
    assert printed == f"{out} shows {path}: 7 files, {size / 1e6:.1f} MB. Open {out / 'index.html'}.\n"
    code, printed, err = vitpanel(capsys, *words)
    assert code == 0, err
    assert "6 files" in printed
    assert "in the place of an earlier export" in printed
    assert sorted(file.name for file in out.glob("*.html")) == ["image-1.html", "index.html"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pages", "--image", "400"), "400"),
        (("mine",), "mine is not empty"),
        (("mine/notes.txt",), "mine/notes.txt"),
        (("x.study/pages",), "within the study"),
        (("x.study",), "within the study"),
    ],
)
def test_an_export_that_cannot_be_made_is_refused(
    capsys, monkeypatch, tmp_path: Path, words: tuple[str, ...], said: str
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    path = write_synthetic_study(tmp_path / "x.study")
    assert said in refused(capsys, "export", path, *words, "--no-live")
    assert not (tmp_path / "pages").exists()
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["notes.txt"]


@pytest.mark.slow
def test_a_full_disk_is_said_and_what_is_there_stays(checkpoint: Path, images: Path, tmp_path: Path):
    """A limit on the size of files is as near to a full disk as a test gets without one."""
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "import vitpanel.pipeline.precompute, vitpanel.cli;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000));"
        "sys.argv[0] = 'vitpanel'; vitpanel.cli.main()"
    )
    words = ["precompute", "--checkpoint", checkpoint, "--images", images, "--out", tmp_path / "x.study"]
    done = started(script, *map(str, words))
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "vitpanel: " in done.stderr


@pytest.mark.slow
def test_a_port_that_is_taken_is_said(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "x.study")
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        words = ["serve", str(path), "--port", str(taken.getsockname()[1]), "--no-show"]
        done = started("from vitpanel.cli import main; main()", *words)
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_run_says_how_to_go_on(capsys, monkeypatch: pytest.MonkeyPatch):
    def interrupt(_study: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reader, "open_study", interrupt)
    code, _, err = vitpanel(capsys, "inspect", "a.study")
    assert code == 130
    assert "same command again" in err
