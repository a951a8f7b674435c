"""What a model's outputs are: classes, a projection or features; and linear heads that make classes of features."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from timm import is_model, list_pretrained
from timm.data import ImageNetInfo, infer_imagenet_subset
from timm.models import get_pretrained_cfg
from torch import Tensor, nn

from vitpanel.errors import CheckpointError, VitpanelError
from vitpanel.models.weights_file import opened_weights

NO_HEAD = "The model has no class head."
HEAD_HINT = "Give a safetensors file with weight (classes, width) and, if there is one, bias (classes)."
_MATRIX = 2


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A linear classifier of a model's pooled features.

    Parameters
    ----------
    weight
        Float32 ``(n_classes, width)``.
    bias
        Float32 ``(n_classes,)``.
    class_names
        One a class; empty where nobody gave names.
    about
        Where it comes from, ready for JSON: ``kind`` is ``"head"`` for a given one, ``"probe"`` for a fitted one.
    """

    weight: Tensor
    bias: Tensor
    class_names: tuple[str, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Safetensors with all of it, read back by `from_bytes`."""
        metadata = {"class_names": "\n".join(self.class_names), "about": json.dumps(self.about)}
        return safetensors.torch.save({"weight": self.weight, "bias": self.bias}, metadata)

    @classmethod
    def from_bytes(cls, data: bytes) -> "LinearHead":
        """Inverse of `to_bytes`."""
        tensors = safetensors.torch.load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
        names = tuple(metadata["class_names"].split("\n")) if metadata["class_names"] else ()
        return cls(tensors["weight"], tensors["bias"], names, json.loads(metadata["about"]))


def read_head(path: Path, *, class_names: Sequence[str] | None = None) -> LinearHead:
    """Read a linear head from a safetensors file.

    Parameters
    ----------
    class_names
        In the order of the rows of ``weight``; None takes them from the file's metadata.

    Raises
    ------
    CheckpointError
        If it cannot be read, or does not hold a matrix ``weight`` and at most a fitting vector ``bias``.
    VitpanelError
        If there are not as many names as classes.
    """
    with opened_weights(path, hint=HEAD_HINT) as file:
        metadata = file.metadata() or {}
        tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    weight = tensors.get("weight")
    if weight is None or weight.ndim != _MATRIX or not set(tensors) <= {"weight", "bias"}:
        shapes = ", ".join(f"{key} {tuple(value.shape)}" for key, value in tensors.items())
        message = f"{path} is not a linear head: it holds {shapes or 'nothing'}."
        raise CheckpointError(message, hint=HEAD_HINT)
    bias = tensors.get("bias", torch.zeros(len(weight)))
    if bias.shape != (len(weight),):
        message = f"{path} has a weight for {len(weight)} classes, but a bias of shape {tuple(bias.shape)}."
        raise CheckpointError(message, hint=HEAD_HINT)
    if len(weight) == 1:
        # One output is the logit of a class against its absence, whose logit is 0.
        weight, bias = (torch.cat([torch.zeros_like(value), value]) for value in (weight, bias))
    stored = metadata["class_names"].split("\n") if metadata.get("class_names") else ()
    names = class_names_for(class_names, stored, len(weight), is_imagenet=False)
    return LinearHead(weight.contiguous(), bias.contiguous(), names, {"kind": "head", "file": path.name})


def class_names_for(
    given: Sequence[str] | None, stored: Sequence[str], n_classes: int, *, is_imagenet: bool
) -> tuple[str, ...]:
    """Names of the classes as given, else as stored with the weights, else ImageNet's where they may be, else none.

    Of two classes one name is enough: it is that of class 1.

    Parameters
    ----------
    is_imagenet
        Whether as many classes as ImageNet has are ImageNet's. A number alone says nothing of a stranger's classes.

    Raises
    ------
    VitpanelError
        If there are not as many names given as classes.
    """
    if given is not None:
        if len(given) != n_classes and not _is_of_two(given, n_classes):
            message = f"{len(given)} class names are given, but the class head has {n_classes} outputs."
            raise VitpanelError(message, hint="Give one name a line, in the order of the class head.")
        return _both(given, n_classes)
    if n_classes and (len(stored) == n_classes or _is_of_two(stored, n_classes)):
        return _both(stored, n_classes)
    subset = infer_imagenet_subset({"num_classes": n_classes})
    if is_imagenet and subset is not None and n_classes == ImageNetInfo(subset).num_classes():
        info = ImageNetInfo(subset)
        return tuple(info.index_to_description(index) for index in range(n_classes))
    return ()


def _is_of_two(names: Sequence[str], n_classes: int) -> bool:
    return len(names) == 1 and n_classes == 2  # noqa: PLR2004 - this class and not this class


def _both(names: Sequence[str], n_classes: int) -> tuple[str, ...]:
    return (f"not {names[0]}", names[0]) if _is_of_two(names, n_classes) else tuple(names)


def no_classes(module: Any, n_outputs: int | None, *, name: str, is_named: bool) -> str:
    """Why a model's outputs are not classes, as a sentence; empty where they are.

    Classes that somebody named are classes. timm calls the outputs of a CLIP tower's projection ``num_classes`` too;
    such a number is that of pretrained weights of the architecture, is none of ImageNet's, and is of the size of the
    features.
    """
    declared = int(getattr(module, "num_classes", 0) or 0)
    if declared == 0 or n_outputs is None:
        return NO_HEAD
    if declared != n_outputs:
        return f"The model states {declared} classes, but has {n_outputs} outputs."
    is_imagenet = infer_imagenet_subset({"num_classes": declared}) is not None
    is_small = declared <= 2 * module.num_features
    if not is_named and is_small and not is_imagenet and declared in _pretrained_outputs(name):
        return (
            f"The model's {declared} outputs are a projection, to be compared with texts or other images, "
            "and not classes."
        )
    return ""


def _pretrained_outputs(name: str) -> set[int | None]:
    """Numbers of outputs of timm's pretrained weights of an architecture; none for models that are not timm's own."""
    architecture = re.sub("^hf[-_]hub:timm/", "", name).partition(".")[0]
    if not is_model(architecture):
        return set()
    configs = (get_pretrained_cfg(pretrained) for pretrained in list_pretrained(f"{architecture}.*"))
    return {config.num_classes for config in configs if config is not None}


def remove_classes(module: Any) -> None:
    """Take a model's class head off, in place; its output is the pooled features then.

    Raises
    ------
    VitpanelError
        If the model does not say how.
    """
    if not hasattr(module, "reset_classifier"):
        message = "The class head of this model cannot be taken off: its adapter gives it no reset_classifier."
        raise VitpanelError(message, hint="Leave --head and --probe away.")
    module.reset_classifier(0)


def split_single_output(module: Any) -> None:
    """Make two classes of a head with one output, in place: the softmax of (0, z) is (1 − σ(z), σ(z)).

    So every probability of the model is that of its sigmoid, and all else stays as it is for a model of two classes.
    """
    for path in ("head", "head_dist", "head.fc"):
        head = _linear_at(module, path)
        if head is None or head.out_features != 1:
            continue
        both = nn.Linear(head.in_features, 2, bias=head.bias is not None)
        state = {key: torch.cat([torch.zeros_like(value), value]) for key, value in head.state_dict().items()}
        both.load_state_dict(state)
        both = both.to(head.weight).eval().requires_grad_(requires_grad=False)
        owner, _, name = path.rpartition(".")
        setattr(module.get_submodule(owner), name, both)
    module.num_classes = 2


def _linear_at(module: nn.Module, path: str) -> nn.Linear | None:
    try:
        found = module.get_submodule(path)
    except AttributeError:
        return None
    return found if isinstance(found, nn.Linear) else None


def attach_head(module: Any, head: LinearHead, *, n_features: int | None, name: str) -> None:
    """Put a linear head behind a model's output, in place, as part of the module.

    Parameters
    ----------
    n_features
        Length of the output that the head is put on.

    Raises
    ------
    CheckpointError
        If the head is for features of another width.
    VitpanelError
        If the model's output is not one vector an image.
    """
    if n_features is None:
        message = f"{name} gives all tokens instead of pooled features, so that no linear head fits."
        raise VitpanelError(message, hint="Choose a pooling, for instance --model-arg global_pool=avg.")
    n_classes, width = head.weight.shape
    if width != n_features:
        message = f"The head is for features of width {width}, but those of {name} have {n_features}."
        raise CheckpointError(message, hint="Give the head that was fitted on this model's features.")
    if not hasattr(module, "head"):
        message = f"{name} has no place for a linear head: its adapter gives it none."
        raise VitpanelError(message, hint="Leave --head and --probe away.")
    linear = nn.Linear(width, n_classes)
    linear.load_state_dict({"weight": head.weight, "bias": head.bias})
    # DeiT's distilled models average the outputs of two heads; twice the same one gives its output of the average.
    for attribute in ("head", "head_dist"):
        if hasattr(module, attribute):
            before = getattr(module, attribute)
            after = linear if isinstance(before, nn.Identity) else nn.Sequential(before, linear)
            setattr(module, attribute, after.to(next(module.parameters()).device).eval())
    module.num_classes = n_classes
