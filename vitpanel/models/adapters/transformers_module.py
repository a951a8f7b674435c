"""Models of transformers as modules that take images and give one vector for each, and the ways into their attention.

transformers lets a program name its own attention function. Ours is the library's own arithmetic: fused where nobody
looks, in plain steps where somebody does.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface

from vitpanel.core.grid import CLS, DISTILLATION, REGISTER, Grid
from vitpanel.models.adapters.site import Edit, Watch
from vitpanel.models.probe import input_hook, output_hook

ATTENTION = "vitpanel"
_CLASSIFIERS = ("classifier", "cls_classifier", "distillation_classifier")


class ImageModel(nn.Module):
    """A classifier, or a model whose CLS token after the last norm is taken for its features.

    Parameters
    ----------
    model
        Of one of the classes in `vitpanel.models.adapters.transformers_config`.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.head: nn.Module = nn.Identity()
        self.num_classes = sum(hasattr(model, name) for name in _CLASSIFIERS) and int(model.config.num_labels)

    def forward(self, images: Tensor) -> Tensor:
        """Logits or features, ``(n, n_outputs)``."""
        output = self.model(pixel_values=images)
        return self.head(output.logits if hasattr(output, "logits") else output.last_hidden_state[:, 0])

    def reset_classifier(self, num_classes: int) -> None:  # noqa: ARG002 - timm's name for taking it off
        """Take the class head off; what it read is the output then."""
        for name in _CLASSIFIERS:
            if hasattr(self.model, name):
                setattr(self.model, name, nn.Identity())
        self.num_classes = 0


@dataclass(frozen=True, eq=False)
class TransformersSite:
    """The site of an attention module that calls `attend`."""

    module: nn.Module

    @property
    def n_heads(self) -> int | None:
        """Heads that the module states."""
        return int(self.module.num_attention_heads)

    @property
    def projection(self) -> nn.Linear:
        """The output projection."""
        found: Any = self.module.o_proj
        return found

    @contextmanager
    def _edited(self, hook: Edit) -> Iterator[None]:
        before = getattr(self.module, "vitpanel_edits", ())
        self.module.vitpanel_edits = (*before, hook)
        try:
            yield
        finally:
            self.module.vitpanel_edits = before

    def weights_hook(self, hook: Edit) -> AbstractContextManager[None]:
        """See `AttentionSite`."""
        return self._edited(hook)

    def heads_hook(self, hook: Watch) -> AbstractContextManager[None]:
        """See `AttentionSite`."""
        return input_hook(self.projection, hook)

    def z_hook(self, hook: Watch) -> AbstractContextManager[None]:
        """See `AttentionSite`."""
        return output_hook(self.projection, hook)


def sites_of(module: ImageModel) -> list[TransformersSite]:
    """All attention modules."""
    return [TransformersSite(part) for part in module.modules() if isinstance(getattr(part, "o_proj", None), nn.Linear)]


def grid_of(module: ImageModel, input_size: tuple[int, int, int]) -> Grid:
    """Token kinds and patch grid."""
    embeddings, patch = module.model.base_model.embeddings, module.model.config.patch_size
    height, width = patch if isinstance(patch, list | tuple) else (patch, patch)
    registers = getattr(embeddings, "register_tokens", None)
    prefix = (
        (CLS,) * (getattr(embeddings, "cls_token", None) is not None)
        + (DISTILLATION,) * (getattr(embeddings, "distillation_token", None) is not None)
        + (REGISTER,) * (0 if registers is None else registers.shape[1])
    )
    return Grid(input_size[1] // height, input_size[2] // width, prefix)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, Tensor | None]:
    """Outputs of the heads ``(n, n_tokens, n_heads, size)`` and A, None where nobody has asked for it."""
    edits: tuple[Callable[[Tensor], Tensor | None], ...] = getattr(module, "vitpanel_edits", ())
    if not edits:
        heads = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scaling)
        return heads.transpose(1, 2).contiguous(), None
    scores = query @ key.mT * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    weights = (scores if mask is None else scores + mask).softmax(-1)
    for edit in edits:
        changed = edit(weights)
        weights = weights if changed is None else changed
    return (weights @ value).transpose(1, 2).contiguous(), weights


AttentionInterface.register(ATTENTION, attend)
