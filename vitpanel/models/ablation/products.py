"""Matrix products of float16 factors with float32 sums and results, under a model that stays float32."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

_aten: Any = torch.ops.aten
# Where the first factor stands among the arguments; before it comes what is added to the product.
_PRODUCTS = {"mm": 0, "bmm": 0, "addmm": 1, "addmm_": 1, "baddbmm": 1, "baddbmm_": 1}


class HalfProducts(TorchDispatchMode):
    """Rounds the float32 factors of every matrix product to float16; all else stays as it is.

    Products give float32, so that residuals, norms, activations and the softmax are float32; only the result of fused
    attention is rounded to float16 on the way. The convolution of the patch embedding, which runs once an image, is
    left alone. A factor above 65,504 becomes infinite, and so the result is not finite, rather than wrong. Gradients
    are not supported. On a CPU it gives the same by float32 products of rounded factors, to measure what it costs.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation of torch."""
        kwargs, name = kwargs or {}, func.name().removeprefix("aten::").partition(".")[0]
        if name.startswith("_scaled_dot_product") and not name.endswith("_math"):
            return _attention(func, args, kwargs)
        if name in _PRODUCTS and args[_PRODUCTS[name]].dtype == torch.float32:
            return _product(name, args, **kwargs)
        if name not in _PRODUCTS and func.namespace == "aten":
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        return func(*args, **kwargs)


def _product(
    name: str, args: tuple[Any, ...], *, out: Tensor | None = None, beta: float = 1, alpha: float = 1
) -> Tensor:
    first = _PRODUCTS[name]
    a, b = (factor.half() for factor in args[first : first + 2])
    if a.is_cuda:
        product = (_aten.mm if a.ndim == 2 else _aten.bmm).dtype(a, b, torch.float32)  # noqa: PLR2004 - rows, columns
    else:
        product = a.float() @ b.float()
    if first:
        product = torch.add(args[0] * beta if beta != 1 else args[0], product, alpha=alpha)
    target = args[0] if name.endswith("_") else out
    return product if target is None else target.copy_(product)


def _attention(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Fused attention, which gives its output first and then what only gradients need."""
    schema = func._schema  # noqa: SLF001 - torch has the names of the arguments nowhere else
    names = [argument.name for argument in schema.arguments]
    given = dict(zip(names, args, strict=False)) | kwargs
    q, k, v = (part.half() for part in args[:3])
    mask, scale = given.get("attn_bias", given.get("attn_mask")), given.get("scale")
    if q.is_cuda:
        output = functional.scaled_dot_product_attention(
            q, k, v, attn_mask=None if mask is None else mask.half(), is_causal=given["is_causal"], scale=scale
        )
    else:
        output = _attention_on_cpu(q.float(), k.float(), v.float(), mask=mask, scale=scale)
    return (output.float(), *[output.new_empty(0)] * (len(schema.returns) - 1))


def _attention_on_cpu(q: Tensor, k: Tensor, v: Tensor, *, mask: Tensor | None, scale: float | None) -> Tensor:
    shares = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
    weights = (shares if mask is None else shares + mask).softmax(-1)
    return (weights.half().float() @ v).half()
