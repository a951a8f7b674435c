"""The Dockerfile, held against the tree and the command line: none is built here."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.building import build
from tests.serving import ROOT, VITPANEL, get, serving
from tests.synthetic import write_synthetic_study
from vitpanel.cli import app


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile and what stands behind it."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).split("\n")
    return [(name, words) for name, _, words in (line.partition(" ") for line in lines if line)]


INSTRUCTIONS = instructions()
DOCS = (ROOT / "docs" / "docker.md").read_text("utf-8")


def all_of(instruction: str) -> list[str]:
    """What stands behind an instruction, each time that it is given."""
    return [words for name, words in INSTRUCTIONS if name == instruction]


ENTRYPOINT: list[str] = json.loads(all_of("ENTRYPOINT")[0])
HEALTHCHECK: list[str] = json.loads(all_of("HEALTHCHECK")[0].partition("CMD ")[2])
COPIED = [tuple(words.split()) for words in all_of("COPY") if not words.startswith("--from")]
# What the guide gives to `docker run` after the name of the image.
RUNS = [
    shlex.split(words.rpartition(" vitpanel ")[2])
    for words in re.findall(r"^docker run (.+)$", DOCS.replace("\\\n", ""), flags=re.MULTILINE)
]


def context(folder: Path) -> Path:
    """Lay out what the image copies of the tree, and that alone."""
    for *sources, target in COPIED:
        for source in sources:
            into = folder / target / Path(source).name if target.endswith("/") else folder / target
            into.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, into, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(ROOT / source, into)
    return folder


def test_what_is_copied_is_all_that_a_wheel_needs(tmp_path: Path):
    copied = build(context(tmp_path / "context"), tmp_path / "copied", target="wheel")
    whole = build(ROOT, tmp_path / "whole", target="wheel")
    assert copied.read_bytes() == whole.read_bytes()


def test_what_is_copied_is_not_ignored_and_all_else_is():
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    let_through = {pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")}
    assert let_through == {source for *sources, _ in COPIED for source in sources}
    assert [pattern for pattern in patterns[1:] if not pattern.startswith("!")] == ["**/__pycache__"]


def test_both_stages_begin_with_one_image_of_a_python_that_vitpanel_runs_on():
    images = {words.split()[0] for words in all_of("FROM")}
    (image,) = images
    found = re.fullmatch(r"python:(3\.\d+)-slim-\w+", image)
    assert found
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert found[1] in SpecifierSet(project["requires-python"])


def test_it_does_not_run_as_root():
    (user,) = all_of("USER")
    assert int(user) > 0
    order = [name for name, _ in INSTRUCTIONS]
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert any(f"--uid {user}" in words for words in all_of("RUN"))


def test_the_extras_in_the_guide_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    named = re.findall(r"--build-arg EXTRAS=([\w,]+)", DOCS)
    assert named
    assert {extra for words in named for extra in words.split(",")} <= set(extras)


def test_without_a_word_on_who_may_come_it_does_not_start():
    done = subprocess.run([*VITPANEL, *ENTRYPOINT[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--allow-websocket-origin" in done.stderr


@pytest.mark.parametrize("words", RUNS, ids=" ".join)
def test_the_commands_of_the_guide_are_some(words: list[str]):
    serves = words[0].startswith("--")
    words = [*ENTRYPOINT[1:], *words] if serves else words
    command, arguments, *_ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert command.__name__ == ("serve" if serves else "precompute")
    assert arguments.args == ((Path("/studies"),) if serves else ())


@pytest.mark.slow
def test_it_serves_and_is_found_healthy(tmp_path: Path):
    """As the image runs it, but on a free port and on a folder of this machine."""
    write_synthetic_study(tmp_path / "x.study")
    here = {"/studies": str(tmp_path), "5006": "0"}
    words = [here.get(word, word) for word in ENTRYPOINT[1:]]
    open_to_all = ["--allow-websocket-origin", "localhost:5006", "--no-auth", "--no-live"]
    with serving([*VITPANEL, *words, *open_to_all], ready=r"open at (http://\S+)") as server:
        port = server.origin.rpartition(":")[2]
        assert get(f"http://127.0.0.1:{port}/vitpanel").status == 200
        healthy = [sys.executable, *(word.replace("5006", port) for word in HEALTHCHECK[1:])]
        assert subprocess.run(healthy, check=False).returncode == 0
    gone = subprocess.run(healthy, capture_output=True, check=False)
    assert gone.returncode == 1
