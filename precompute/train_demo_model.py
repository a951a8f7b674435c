"""Train the small ViT of the embedded demo on Fashion-MNIST and write what the package ships.

Run ``python precompute/train_demo_model.py`` to make ``vitpanel/demo/model.safetensors`` and
``vitpanel/demo/images.zip`` again. The model is trained with 7-pixel and then 4-pixel patches first, where an epoch is
cheap; each time its patch embedding and position embedding are resampled, at last to 2-pixel patches (a 14 x 14 grid).
Fashion-MNIST (MIT licence, Zalando SE) is read from ``--data``, the folder with the four ``*-ubyte.gz`` files
(Debian's package ``dataset-fashion-mnist`` puts them in the default place); without it torchvision downloads them.
"""

import argparse
import csv
import gzip
import io
import math
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.layers import resample_abs_pos_embed, resample_patch_embed
from torch import Tensor, nn
from torch.nn import functional

DEBIAN_DATA = Path("/usr/share/datasets/fashion-mnist")
DEMO = Path(__file__).parent.parent / "vitpanel" / "demo"
CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
ARCHITECTURE = "vit_tiny_patch16_224"
WIDTH: dict[str, Any] = {
    "img_size": 28, "in_chans": 1, "embed_dim": 96, "depth": 6, "num_heads": 6, "num_classes": len(CLASS_NAMES),
}  # fmt: skip
MEAN, STD = 0.2860, 0.3530
# (patch size in pixels, images seen, batch size, peak rate): an image costs several times more at each step down.
STAGES = ((7, 360_000, 128, 3e-3), (4, 300_000, 128, 2e-3), (2, 90_000, 64, 1e-3))
LICENCE_NOTICE = """Images of the Fashion-MNIST test set (https://github.com/zalandoresearch/fashion-mnist).

The MIT License (MIT)

Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def read_fashion_mnist(data: Path, *, train: bool) -> tuple[np.ndarray, np.ndarray]:
    """Read one split as uint8 images ``(n, 28, 28)`` and labels ``(n,)``."""
    stem = "train" if train else "t10k"
    if not (data / f"{stem}-images-idx3-ubyte.gz").exists():
        from torchvision.datasets import FashionMNIST

        split = FashionMNIST(str(data), train=train, download=True)
        return split.data.numpy(), split.targets.numpy()
    images = gzip.decompress((data / f"{stem}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((data / f"{stem}-labels-idx1-ubyte.gz").read_bytes())
    return (
        np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28),
        np.frombuffer(labels, np.uint8, offset=8).astype(np.int64),
    )


def to_input(images: np.ndarray) -> Tensor:
    """Normalise uint8 images to the model's input, ``(n, 1, 28, 28)``."""
    return (torch.from_numpy(images.copy()).float()[:, None] / 255 - MEAN) / STD


def augment(x: Tensor, generator: torch.Generator) -> Tensor:
    """Flip half of the images left to right."""
    flip = torch.rand(len(x), generator=generator) < 0.5  # noqa: PLR2004
    return torch.where(flip[:, None, None, None], x.flip(-1), x)


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images whose top class is their label."""
    model.eval()
    with torch.inference_mode():
        predicted = torch.cat([model(to_input(images[i : i + 250])).argmax(1) for i in range(0, len(images), 250)])
    return float((predicted.numpy() == labels).mean())


def train(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, *, samples: int, batch: int, rate: float, seed: int
) -> None:
    """Train in place with AdamW and a warmed-up cosine rate on ``samples`` augmented images."""
    n_steps = samples // batch
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.05, betas=(0.9, 0.98))
    warm_up = max(1, n_steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / warm_up, 0.5 * (1 + math.cos(math.pi * step / n_steps)) + 1e-3),
    )
    order = torch.cat([torch.randperm(len(images), generator=generator) for _ in range(samples // len(images) + 1)])
    model.train()
    started, running = time.monotonic(), 0.0
    for step in range(n_steps):
        chosen = order[step * batch : (step + 1) * batch].numpy()
        logits = model(augment(to_input(images[chosen]), generator))
        loss = functional.cross_entropy(logits, torch.from_numpy(labels[chosen]))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        running = loss.item() if step == 0 else 0.98 * running + 0.02 * loss.item()
        if step % 100 == 0 or step == n_steps - 1:
            print(f"step {step:5d} of {n_steps}  loss {running:.3f}  {time.monotonic() - started:6.0f} s", flush=True)


def resample(state: dict[str, Tensor], *, patch_size: int) -> dict[str, Tensor]:
    """Weights for another patch size: patch and position embeddings are resampled, the rest is kept."""
    size = WIDTH["img_size"] // patch_size
    return state | {
        "patch_embed.proj.weight": resample_patch_embed(state["patch_embed.proj.weight"], [patch_size, patch_size]),
        "pos_embed": resample_abs_pos_embed(state["pos_embed"], [size, size]),
    }


def write_images(path: Path, images: np.ndarray, labels: np.ndarray, *, per_class: int) -> None:
    """Write the first ``per_class`` test images of each class as PNG files, a CSV of labels and the licence."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(["file", "label"])
        for label, name in enumerate(CLASS_NAMES):
            for index in np.flatnonzero(labels == label)[:per_class]:
                file = f"{index:05d}.png"
                rows.writerow([file, name])
                png = io.BytesIO()
                Image.fromarray(images[index]).save(png, "PNG", optimize=True)
                archive.writestr(zipfile.ZipInfo(file), png.getvalue())
        archive.writestr(zipfile.ZipInfo("labels.csv"), table.getvalue())
        archive.writestr(zipfile.ZipInfo("LICENSE.txt"), LICENCE_NOTICE)


def write_model(path: Path, model: nn.Module, *, test_accuracy: float) -> None:
    """Write float16 weights; the metadata says how to build and feed the model."""
    metadata = {key: str(value) for key, value in WIDTH.items()} | {
        "architecture": ARCHITECTURE,
        "patch_size": "2",
        "class_names": "\n".join(CLASS_NAMES),
        "mean": str(MEAN),
        "std": str(STD),
        "crop_pct": "1.0",
        "interpolation": "bilinear",
        "test_accuracy": f"{test_accuracy:.4f}",
    }
    save_file({key: value.half().contiguous() for key, value in model.state_dict().items()}, path, metadata)


def main() -> None:
    """Train coarse, resample, fine-tune, print the test accuracy of the float16 weights, write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEBIAN_DATA)
    parser.add_argument("--out", type=Path, default=DEMO)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of images seen in each stage")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    images, labels = read_fashion_mnist(args.data, train=True)
    test_images, test_labels = read_fashion_mnist(args.data, train=False)
    args.out.mkdir(parents=True, exist_ok=True)

    model: nn.Module | None = None
    for number, (patch_size, samples, batch, rate) in enumerate(STAGES):
        coarser = model
        model = timm.create_model(ARCHITECTURE, patch_size=patch_size, **WIDTH)
        if coarser is not None:
            model.load_state_dict(resample(coarser.state_dict(), patch_size=patch_size))
        scaled = int(samples * args.scale)
        train(model, images, labels, samples=scaled, batch=batch, rate=rate, seed=args.seed + number)
        print(f"{patch_size}-pixel patches: test accuracy {accuracy(model, test_images, test_labels):.4f}", flush=True)

    assert model is not None  # noqa: S101 - there are stages
    weights = args.out / "model.safetensors"
    write_model(weights, model, test_accuracy=0.0)
    model.load_state_dict({key: value.float() for key, value in load_file(weights).items()})
    measured = accuracy(model, test_images, test_labels)
    write_model(weights, model, test_accuracy=measured)
    write_images(args.out / "images.zip", test_images, test_labels, per_class=50)
    print(f"test accuracy of {weights.name} on {len(test_labels)} images: {measured:.4f}")


if __name__ == "__main__":
    main()
