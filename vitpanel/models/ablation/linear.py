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
# Tokens on which a packed layer is held against the layer, and what is taken for rounding.
_N_CHECKED = 5
_TOLERANCE = 1e-4


class PackedLinear:
    """A linear layer with its weights in the order that oneDNN reads them in, a second copy of them.

    On x86 torch leaves float32 products to MKL. Those of oneDNN with packed weights took about a tenth less time for
    the shapes of ViT-B on the AMD processor they were measured on. torch has no public name for them, so each layer is
    held against torch's own product when it is made. It runs as it is where oneDNN has no such product (CUDA, other
    types, other builds), where the two differ, or where a dispatch mode is to see all products. No gradients.

    Parameters
    ----------
    layer
        Its weights must not change any more.
    """

    def __init__(self, layer: nn.Linear) -> None:
        self.layer = layer
        self._packed = _packed_and_checked(layer) if _is_packable(layer) else None

    def __call__(self, x: Tensor) -> Tensor:
        """Give the layer's output."""
        if self._packed is None or _get_current_dispatch_mode() is not None:
            return functional.linear(x, self.layer.weight, self.layer.bias)
        return _product(x, self._packed, self.layer.bias)


def _is_packable(layer: nn.Linear) -> bool:
    """Whether oneDNN may have products for the weights of a layer."""
    return (
        layer.weight.device.type == "cpu"
        and layer.weight.dtype == torch.float32
        and torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.mkldnn, name) for name in ("_reorder_linear_weight", "_linear_pointwise"))
    )


def _packed_and_checked(layer: nn.Linear) -> Tensor | None:
    """The weight in the order that oneDNN reads it in; None where its products are not those of torch."""
    weight, bias = layer.weight.detach(), None if layer.bias is None else layer.bias.detach()
    x = torch.linspace(-1, 1, _N_CHECKED * layer.in_features).sin_().view(_N_CHECKED, -1)
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), CACHED_TOKENS)  # noqa: SLF001
        found = _product(x, packed, bias)
    # Whatever another version of torch makes of these operators, its own product is always there.
    except Exception:  # noqa: BLE001
        return None
    expected = functional.linear(x, weight, bias)
    same = found.shape == expected.shape and bool((found - expected).abs().max() <= _TOLERANCE * expected.abs().max())
    return packed if same else None


def _product(x: Tensor, packed: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")  # noqa: SLF001
