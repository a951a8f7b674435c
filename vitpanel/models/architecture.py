"""Building a timm model by its name, without weights."""

import difflib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import timm
import torch
from torch import nn

from vitpanel.errors import UnknownModelError, UnsupportedModelError, VitpanelError
from vitpanel.models.pruned_heads import heads_apart, take_heads_out

CHANNELS = (1, 3)


def check_name(name: str) -> None:
    """Refuse what is none of timm's own names.

    Raises
    ------
    UnknownModelError
        With names like it.
    """
    if timm.is_model(name):
        return
    close = difflib.get_close_matches(name, timm.list_models(), n=3)
    message = f"timm has no model named {name!r:.120}."
    hint = f"Did you mean {', '.join(close)}?" if close else "timm.list_models() gives the names."
    raise UnknownModelError(message, hint=hint)


def create(name: str, arguments: Mapping[str, Any], config: Mapping[str, Any] | None = None) -> nn.Module:
    """Build a model with random weights, always the same ones, in evaluation mode.

    Parameters
    ----------
    config
        timm's configuration of pretrained weights, which decides about sizes that are no arguments; None takes the one
        of the name.

    Raises
    ------
    VitpanelError
        If timm refuses the arguments.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return _built(name, arguments, config)


def outline(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """A model whose tensors have shapes but take no memory; raises as `create` does."""
    with torch.device("meta"):
        return _built(name, arguments)


def _built(name: str, arguments: Mapping[str, Any], config: Mapping[str, Any] | None = None) -> nn.Module:
    options = {} if config is None else {"pretrained_cfg": dict(config)}
    try:
        return _of_timm(name, arguments, options).eval().requires_grad_(requires_grad=False)
    except VitpanelError:
        raise
    except TypeError as error:
        message = f"{name} cannot be built with {dict(arguments)}: {error}."
        raise VitpanelError(message, hint="Check the names in --model-arg.") from error
    except Exception as error:
        message = f"{name} cannot be built with {dict(arguments)}: {error}"
        raise VitpanelError(message, hint="Check the values in --model-arg.") from error


def _of_timm(name: str, arguments: Mapping[str, Any], options: Mapping[str, Any]) -> nn.Module:
    usual, heads = heads_apart(arguments)
    if heads:
        # A model of several stages takes one number a stage itself.
        with suppress(Exception):
            return timm.create_model(name, pretrained=False, **options, **arguments)
    module = timm.create_model(name, pretrained=False, **options, **usual)
    take_heads_out(module, heads, name=name)
    return module


def check_channels(name: str, n_channels: int) -> None:
    """Refuse a model whose channels images cannot fill.

    Raises
    ------
    UnsupportedModelError
        With both numbers.
    """
    if n_channels not in CHANNELS:
        message = f"{name} takes images of {n_channels} channels; RGB images give 3, grey ones 1."
        hint = "Give a model of 1 or 3 channels; models of other channels cannot be fed from image files."
        raise UnsupportedModelError(message, hint=hint)
