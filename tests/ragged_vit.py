"""The tiny vision transformer with a head taken out of its first layer, as programs that prune models leave it."""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.tiny_vit import write_checkpoint

TAKEN_OUT = 1  # of the heads 0, 1 and 2 of layer 0, each of 8 channels
KEPT = (0, 2)


def write_ragged(folder: Path) -> tuple[Path, Path]:
    """Write the whole model and the one without the head, whose metadata says how many heads its layers have."""
    whole, ragged = write_checkpoint(folder / "whole.safetensors"), folder / "ragged.safetensors"
    with safe_open(whole, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(whole)
    keep = torch.tensor([head * 8 + place for head in KEPT for place in range(8)])
    rows = torch.cat([part * 24 + keep for part in range(3)])
    for key in ("blocks.0.attn.qkv.weight", "blocks.0.attn.qkv.bias"):
        tensors[key] = tensors[key][rows].contiguous()
    tensors["blocks.0.attn.proj.weight"] = tensors["blocks.0.attn.proj.weight"][:, keep].contiguous()
    save_file(tensors, ragged, metadata | {"num_heads": "[2, 3]"})
    return whole, ragged
