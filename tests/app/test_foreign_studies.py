"""A study is a stranger's text: opening one asks no network and opens no file but its own and those of its person."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.hugging_face import write_folder
from tests.models.test_loading import local_hub
from tests.tiny_vit import write_images
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.study.manifest import Manifest
from vitpanel.study.reader import open_study

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("audited.py")
# What Python, torch and the system need themselves.
SYSTEM = (sys.prefix, sys.base_prefix, str(ROOT), "/proc/", "/sys/", "/dev/null", "/usr/", "/etc/localtime")
pytestmark = [pytest.mark.slow, pytest.mark.reliability]

Change = Callable[[dict[str, Any], Path], None]


def with_args(**more: Any) -> Change:
    return lambda model, bait: model["args"].update(
        {key: value(bait) if callable(value) else value for key, value in more.items()}
    )


def with_record(**more: Any) -> Change:
    return lambda model, bait: model.update(
        {key: value(bait) if callable(value) else value for key, value in more.items()}
    )


def file_in(bait: Path) -> str:
    return str(bait / "hub" / "model.safetensors")


ADDRESS = "http://127.0.0.1:9/evil.pth"
HOSTILE: dict[str, Change] = {
    "hub name": with_record(name="hf-hub:x/y", checkpoint=None),
    "old hub name": with_record(name="hf_hub:x/y", checkpoint=None),
    "hub name with a checkpoint": with_record(name="hf-hub:x/y"),
    "name with a slash": with_record(name="x/y", checkpoint=None),
    "folder": with_record(name=lambda bait: f"local-dir:{bait / 'hub'}", checkpoint=None),
    "folder as the architecture": with_record(architecture=lambda bait: f"local-dir:{bait / 'hub'}"),
    "timm's weights": with_record(name="vit_tiny_patch16_224.augreg_in21k", source="timm", checkpoint=None, args={}),
    "address": with_args(pretrained_cfg={"url": ADDRESS}),
    "address and no checkpoint": lambda model, _: model.update(
        checkpoint=None, args=model["args"] | {"pretrained_cfg": {"url": ADDRESS}, "pretrained": True}
    ),
    "file of a configuration": with_args(pretrained_cfg=lambda bait: {"file": file_in(bait)}),
    "overlay": with_args(pretrained_cfg_overlay=lambda bait: {"file": file_in(bait), "url": ADDRESS}),
    "checkpoint path": with_args(checkpoint_path=file_in),
    "cache": with_args(cache_dir=str),
    "checkpoint elsewhere": with_record(checkpoint=file_in),
    "password file": with_record(checkpoint="/etc/passwd"),
    "pipe": with_record(checkpoint=lambda bait: str(bait / "pipe")),
    "hash that is a path": with_record(weight_hash="../../../../etc/passwd"),
    "head elsewhere": with_record(head={"kind": "head", "file": "../../hub/model.safetensors"}),
}
# These are looked at only when there are weights.
OVERSIZED: dict[str, Change] = {
    "width": with_args(embed_dim=3_000_000),
    "wide within the range": with_args(embed_dim=12_288, depth=48),
    "depth": with_args(depth=10**9),
    "pixels": with_args(img_size=8192, patch_size=1),
    "classes": with_args(num_classes=10**12),
    "wrong types": with_args(embed_dim="24", depth=[2], mlp_ratio={"a": 1}),
    "mean": with_record(preprocessing={"mean": "x" * 100, "std": [0, 0, 0]}),
    "channels": with_record(in_chans=10**9),
    "no arguments": with_record(args=[1, 2]),
    "name of no type": with_record(name={"a": 1}),
}


@pytest.fixture(scope="module")
def bait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what no study may lead to."""
    folder = tmp_path_factory.mktemp("bait")
    local_hub(folder / "hub")
    os.mkfifo(folder / "pipe")
    return folder


def hostile(study: Path, path: Path, change: Change, bait: Path) -> Path:
    """A copy of a study whose manifest says something else, with a fitting checksum."""
    shutil.copytree(study, path)
    manifest = Manifest.read(path)
    change(manifest.model, bait)
    manifest.write(path)
    return path


def audited(cases: list[tuple[str, Path, Path | None]], user_data: Path) -> dict[str, Any]:
    """What a process opened, by case."""
    words = json.dumps([[name, str(path), str(weights) if weights else None] for name, path, weights in cases])
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(user_data)}
    command = [sys.executable, str(SCRIPT), words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=500)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def led_out(found: dict[str, Any], *allowed: Path) -> list[str]:
    """Connections, and files that are neither allowed nor the system's."""
    inside = (*SYSTEM, *map(str, allowed))
    return [what for event, what in found["events"] if event != "open" or not what.startswith(inside)]


def test_nothing_that_a_study_says_leads_out_of_it(live_study_path: Path, bait: Path, tmp_path: Path):
    names = {**HOSTILE, **OVERSIZED}
    studies = {
        name: hostile(live_study_path, tmp_path / f"{n}.study", names[name], bait) for n, name in enumerate(names)
    }
    report = audited([(name, path, None) for name, path in studies.items()], tmp_path / "user")
    assert {name: led_out(found, studies[name], tmp_path / "user") for name, found in report.items()} == {
        name: [] for name in studies
    }
    assert [name for name, found in report.items() if found["said"] == "answered"] == []


def test_with_weights_that_a_person_names_only_these_are_opened(live_study_path: Path, bait: Path, tmp_path: Path):
    weights = live_study_path.with_name("tiny.safetensors")
    names = {**HOSTILE, **OVERSIZED}
    studies = {
        name: hostile(live_study_path, tmp_path / f"{n}.study", names[name], bait) for n, name in enumerate(names)
    }
    report = audited([(name, path, weights) for name, path in studies.items()], tmp_path / "user")
    allowed = (weights, tmp_path / "user")
    assert {name: led_out(found, studies[name], *allowed) for name, found in report.items()} == {
        name: [] for name in studies
    }
    # Where the study names another file than the person, the person's is taken.
    answered = {name for name, found in report.items() if found["said"] == "answered"}
    assert answered == {"checkpoint elsewhere", "password file", "pipe"}
    for name in OVERSIZED:
        assert len(report[name]["said"]) > 20, name


def test_the_person_who_computed_a_study_need_not_say_where_the_weights_are(live_study_path: Path, tmp_path: Path):
    weights = live_study_path.with_name("tiny.safetensors")
    known = Path(os.environ["XDG_DATA_HOME"])
    report = audited([("own", live_study_path, None)], known)
    assert report["own"]["said"] == "answered"
    assert led_out(report["own"], live_study_path, weights, known) == []
    report = audited([("foreign", live_study_path, None)], tmp_path / "somebody")
    said = report["foreign"]["said"]
    assert "tiny.safetensors" in said
    assert "--checkpoint" in said
    assert "checkpoint=" in said
    assert str(live_study_path.parent) not in said
    assert open_study(live_study_path).manifest.model["checkpoint"] == str(weights)


OF_TRANSFORMERS: dict[str, Change] = {
    "another library": with_record(adapter="timm"),
    "unknown library": with_record(adapter="os"),
    "library of no type": with_record(adapter={"a": 1}),
    "folder in the arguments": with_args(_name_or_path=lambda bait: str(bait / "hub")),
    "folder for a class": with_args(architecture=lambda bait: str(bait / "hub")),
    "another class of the library": with_args(architecture="BertModel"),
    "activation elsewhere": with_args(hidden_act="os.system"),
    "code of the hub": with_args(auto_map={"AutoModel": "x/y--module.Class"}),
    "wide and deep": with_args(hidden_size=16_384, intermediate_size=1_048_576, num_hidden_layers=512),
    "pixels": lambda model, _: model["preprocessing"].update(input_size=[3, 8192, 8192], resize=[8192, 8192]),
}
NAMED_ELSEWHERE: dict[str, Change] = {
    "hub name": with_record(name="hf:x/y"),
    "folder": with_record(name=lambda bait: f"hf:{bait / 'hub'}"),
    "password file": with_record(checkpoint="/etc/passwd"),
}


def test_a_study_of_a_model_of_transformers_leads_nowhere_either(bait: Path, tmp_path: Path):
    folder = write_folder(tmp_path / "model", "vit")
    recipe = Recipe(images=write_images(tmp_path / "photos", n_per_class=2), out=tmp_path / "own.study", latent_dim=4)
    own = precompute(replace(recipe, model=f"hf:{folder}"), progress=Progress(is_shown=False)).path
    names, weights = {**OF_TRANSFORMERS, **NAMED_ELSEWHERE}, folder / "model.safetensors"
    studies = {name: hostile(own, tmp_path / f"{n}.study", names[name], bait) for n, name in enumerate(names)}
    cases: list[tuple[str, Path, Path | None]] = [
        (name, path, weights) for name, path in {**studies, "own": own}.items()
    ]
    report = audited(cases, tmp_path / "user")
    allowed = (weights, tmp_path / "user")
    assert {name: led_out(found, studies.get(name, own), *allowed) for name, found in report.items()} == {
        name: [] for name in report
    }
    answered = {name for name, found in report.items() if found["said"] == "answered"}
    assert answered == {*NAMED_ELSEWHERE, "own"}
