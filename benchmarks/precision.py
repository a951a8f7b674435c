"""What less precise products do to the importance of heads, measured on the CPU by rounding their factors.

TF32 and float16 have 10 bits of mantissa, bfloat16 has 7; float16 is rounded as ``--precision fp16`` does it. Sums,
residuals and all that is not a matrix product stay float32, as on a GPU. The unpruned run is rounded too. Weights of
``tiny`` are random, those of ``dinov2`` are the shared ones of VITPANEL_TEST_DATA, on its photographs.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ablation import DATA, SHARED, create_model
from torch.utils._python_dispatch import TorchDispatchMode

from vitpanel.core.metrics import metric_keys
from vitpanel.models.ablation import create_ablation
from vitpanel.models.ablation.products import HalfProducts
from vitpanel.models.images import read_image
from vitpanel.models.model import ViTModel

FACTORS = {"mm": (0, 1), "bmm": (0, 1), "addmm": (1, 2), "addmm_": (1, 2), "baddbmm": (1, 2), "convolution": (0, 1)}


class RoundedProducts(TorchDispatchMode):
    """Rounds the factors of every float32 product to some bits of mantissa, to nearest."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self._dropped = 23 - bits

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation of torch."""
        kwargs, name = kwargs or {}, func.name().removeprefix("aten::").partition(".")[0]
        if name == "_scaled_dot_product_flash_attention_for_cpu":
            q, k, v = map(self._rounded, args[:3])
            weights = (q @ k.mT * q.shape[-1] ** -0.5).softmax(-1)
            return self._rounded(weights) @ v, weights.new_empty(0)
        if name not in FACTORS:
            with self:
                result = func.decompose(*args, **kwargs)
            return func(*args, **kwargs) if result is NotImplemented else result
        arguments = list(args)
        for place in FACTORS[name]:
            arguments[place] = self._rounded(arguments[place])
        return func(*arguments, **kwargs)

    def _rounded(self, values: torch.Tensor) -> torch.Tensor:
        if values.dtype != torch.float32:
            return values
        half = 1 << (self._dropped - 1)
        bits = values.contiguous().view(torch.int32)
        return ((bits + half) >> self._dropped << self._dropped).view(torch.float32)


def main() -> None:
    """Print the errors."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=("tiny", SHARED), default=("tiny", SHARED))
    parser.add_argument("--images", type=int, default=2)
    options = parser.parse_args()
    for name in options.models:
        model = create_model(name)
        images = photographs(model, options.images) if name == SHARED else noise(model, options.images)
        # An engine keeps what it computed of the weights, in the arithmetic of its first run.
        run: Callable[[], Any] = lambda: create_ablation(model).leave_one_out(images, lambda *_: None)  # noqa: B023, E731
        exact = run()
        label = exact.probabilities.argmax(-1)
        for kind, mode in {"tf32": RoundedProducts(10), "fp16": HalfProducts(), "bfloat16": RoundedProducts(7)}.items():
            with mode:
                rounded = run()
            print(f"{name}, {len(images)} images, {kind}:")
            for metric in metric_keys():
                print(f"  {metric:<12}{errors(exact, rounded, metric, label)}")


def errors(exact: Any, rounded: Any, metric: str, label: np.ndarray) -> str:
    """Return the relative error summed over heads, the largest error, and how well the order is kept."""
    a, b = (result.importance(label)[metric] for result in (exact, rounded))
    ranks = [values.reshape(len(values), -1).argsort(-1).argsort(-1) for values in (a, b)]
    spearman = np.mean([np.corrcoef(*pair)[0, 1] for pair in zip(*ranks, strict=True)])
    relative = np.abs(a - b).sum() / np.abs(a).sum()
    return f"relative error {relative:.1e}, largest {np.abs(a - b).max():.1e}, rank correlation {spearman:.4f}"


def photographs(model: ViTModel, n: int) -> torch.Tensor:
    """Return photographs of different classes."""
    folders = sorted((Path(DATA) / "photographs").iterdir())[:n]
    return model.preprocessing.tensor([model.preprocessing.crop(read_image(next(f.glob("*.jpg")))) for f in folders])


def noise(model: ViTModel, n: int) -> torch.Tensor:
    """Return images of noise."""
    return torch.randn((n, *model.preprocessing.input_size), generator=torch.Generator().manual_seed(0))


if __name__ == "__main__":
    main()
