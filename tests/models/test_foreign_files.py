"""What is no safetensors is called what it is, without running anything of it."""

import argparse
import pickle  # noqa: TID251 - to write files that must not be read
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from tests.models.test_fitting import META, state
from tests.tiny_vit import ARCHITECTURE
from vitpanel.errors import CheckpointError
from vitpanel.models.loading import load_model


def refusal(path: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        load_model(ARCHITECTURE, checkpoint=path, device="cpu")
    assert str(path) in caught.value.message
    return caught.value


def converted(error: CheckpointError, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """Do what the hint says, and return the weights."""
    code = error.hint.split("make safetensors of it: ")[1].split(" Only if")[0].removesuffix(".")
    monkeypatch.chdir(folder)
    import safetensors.torch

    exec(code, {"torch": torch, "safetensors": safetensors})  # noqa: S102 - the hint's own two lines
    (new,) = folder.glob("*.safetensors")
    return load_file(new)


PICKLES: dict[str, tuple[Callable[[], Any], dict[str, Any], str]] = {
    "x.pth.tar": (lambda: {"state_dict": state(), "arch": "vit"}, {}, "state_dict, arch at its top"),
    "y.pth": (lambda: {"model": state(), "epoch": 3, "args": argparse.Namespace(a=1)}, {}, "model, epoch, args"),
    "z.bin": (state, {}, "PyTorch file"),
    "old.pt": (state, {"_use_new_zipfile_serialization": False}, "before 2020"),
    "l.ckpt": (lambda: {"pytorch-lightning_version": "2", "state_dict": state()}, {}, "Lightning"),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_is_named_with_its_keys_and_two_lines_that_convert_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    content, options, said = PICKLES[name]
    torch.save(content(), tmp_path / name, **options)
    error = refusal(tmp_path / name)
    assert "cannot be read as safetensors" in error.message
    assert said in error.message
    weights = converted(error, tmp_path, monkeypatch)
    assert weights.keys() == state().keys()
    assert ("trust" in error.hint) == (name == "y.pth")


def test_a_pickled_module_is_called_a_whole_model(tmp_path: Path):
    torch.save(nn.Sequential(nn.Linear(2, 2)), tmp_path / "whole.pt")
    error = refusal(tmp_path / "whole.pt")
    assert "of a whole model" in error.message
    assert ".state_dict()" in error.hint
    assert "trust" in error.hint


class Canary:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("is_zipped", [True, False])
def test_nothing_of_a_pickle_is_run(tmp_path: Path, *, is_zipped: bool):
    canary = tmp_path / "sang"
    content = {"state_dict": state(), "more": Canary(canary)}
    torch.save(content, tmp_path / "evil.pt", _use_new_zipfile_serialization=is_zipped)
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Canary(canary)))
    for name in ("evil.pt", "plain.pkl"):
        assert "pickle" in refusal(tmp_path / name).message
    assert not canary.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.h5", b"\x89HDF\r\n\x1a\n....", "HDF5"),
        ("a.onnx", b"\x08\x07\x12\x07pytorch", "ONNX"),
        ("a.msgpack", b"\x81\xa6params", "Flax"),
        ("a.safetensors", b"<!DOCTYPE html><html></html>", "web page"),
        ("a.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ("a.safetensors", b'{"metadata": {}, "weight_map": {}}', "JSON"),
        ("a.safetensors", b"", "empty"),
        ("a.gz", b"\x1f\x8b\x08\x00", "gzip"),
        ("a.gguf", b"GGUF\x03\x00", "GGUF"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path: Path, name: str, content: bytes, said: str):
    (tmp_path / name).write_bytes(content)
    error = refusal(tmp_path / name)
    assert said in error.message
    assert error.hint


def test_an_archive_of_arrays_and_a_torchscript_program_are_recognised(tmp_path: Path):
    np.savez(tmp_path / "a.npz", weight=np.zeros(3))
    assert "NumPy" in refusal(tmp_path / "a.npz").message
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        for name in ("a/data.pkl", "a/code/__torch__.py", "a/constants.pkl"):
            archive.writestr(name, b"")
    assert "TorchScript" in refusal(tmp_path / "a.pt").message


def test_safetensors_that_are_cut_off_are_said_to_be(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    save_file(state(), path, META)
    path.write_bytes(path.read_bytes()[:50])
    assert "cut off" in refusal(path).message


def test_a_folder_is_no_file(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "vit", "architectures": ["ViTForImageClassification"]}')
    error = refusal(tmp_path)
    assert "ViTForImageClassification" in error.message
    assert "--model" in error.hint
