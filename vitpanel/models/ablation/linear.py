"""Linear layers whose products are as fast as the machine allows."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import _get_current_dispatch_mode

# Tokens in one product on a CPU: enough for it to be fast, few enough for its caches. The order of packed weights is
# chosen for as many; others are right too.
CACHED_TOKENS = 800
# Tokens that go through a block together on a CPU, so that its weights are read less often.
STEP_TOKENS = 2400


class PackedLinear:
    """A linear layer with its weights in the order that oneDNN reads them in, a second copy of them.

    On x86 torch leaves float32 products to MKL. Those of oneDNN with packed weights took about a tenth less time for
    the shapes of ViT-B on the AMD processor they were measured on. Where oneDNN has no such product (CUDA, other types,
    other builds), or a dispatch mode is to see all products, the layer runs as it is. No gradients.

    Parameters
    ----------
    layer
        Its weights must not change any more.
    """

    def __init__(self, layer: nn.Linear) -> None:
        self.layer = layer
        self._packed = packed(layer.weight.detach()) if is_packable(layer) else None

    def __call__(self, x: Tensor) -> Tensor:
        """Give the layer's output."""
        if self._packed is None or _get_current_dispatch_mode() is not None:
            return functional.linear(x, self.layer.weight, self.layer.bias)
        return torch.ops.mkldnn._linear_pointwise(x, self._packed, self.layer.bias, "none", [], "")  # noqa: SLF001


def is_packable(layer: nn.Linear) -> bool:
    """Whether oneDNN has products for the weights of a layer."""
    return (
        layer.weight.device.type == "cpu"
        and layer.weight.dtype == torch.float32
        and torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.mkldnn, name) for name in ("_reorder_linear_weight", "_linear_pointwise"))
    )


def packed(weight: Tensor) -> Tensor:
    """A weight ``(out, in)`` in the order that oneDNN reads it in."""
    return torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), CACHED_TOKENS)  # noqa: SLF001
