"""What a library of models must offer, so that vitpanel can show its models."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from vitpanel.errors import VitpanelError
from vitpanel.models.images import Preprocessing
from vitpanel.models.model import ModelSource
from vitpanel.models.tracing import Trace


@dataclass(frozen=True)
class ModelRequest:
    """What is asked for, by a person or by the manifest of a study.

    Parameters
    ----------
    name
        The model's name; None where the checkpoint names it.
    checkpoint
        Safetensors file with weights of the person's own.
    args
        Further arguments of the model.
    class_names
        In the order of the class head; None takes those that come with the weights.
    preparation
        Parts of the preprocessing, by name, in the place of the model's own.
    pretrained_file
        Where the weights of ``name`` lie; None finds or fetches them.
    """

    name: str | None
    checkpoint: Path | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    class_names: Sequence[str] | None = None
    preparation: Mapping[str, Any] = field(default_factory=dict)
    pretrained_file: Path | None = None


@dataclass(frozen=True, eq=False)
class Built:
    """A model with its weights.

    Parameters
    ----------
    module
        Float32, in evaluation mode, on the CPU; a batch of images in, a tensor out. For ``--head`` and ``--probe`` it
        also needs ``reset_classifier(0)``, which leaves the pooled features, ``head``, and ``num_classes``.
    traced
        Of `vitpanel.models.tracing.trace_sites`: the adapter's sites and grid, held against what the model does.
    preprocessing
        How images are prepared for it, exactly.
    source
        Where it came from; its hash is taken later.
    class_names
        As they stand with the weights; empty without.
    no_classes
        Why the outputs are not one choice among classes, as a sentence; empty where they are.
    """

    module: nn.Module
    traced: Trace
    preprocessing: Preprocessing
    source: ModelSource
    class_names: tuple[str, ...] = ()
    no_classes: str = ""


class Adapter(ABC):
    """The way from a name to a model of one library.

    Attributes
    ----------
    key
        Stands in the manifest of a study.
    packages
        Distributions whose versions a study notes.
    """

    key: str
    packages: tuple[str, ...] = ()

    @abstractmethod
    def matches(self, request: ModelRequest) -> bool:
        """Whether a person's request is for this library; what a study asks for is not asked here."""

    @abstractmethod
    def build(self, request: ModelRequest) -> Built:
        """Build the model, or refuse it with the reason.

        Raises
        ------
        UnknownModelError, UnsupportedModelError, CheckpointError
            Each says which name, file or shape, and what to do.
        """

    @abstractmethod
    def restored(self, record: Mapping[str, Any], weights: Path) -> ModelRequest:
        """What to build for a study: from ``model`` of its manifest and a file of weights that the person has named.

        The record may be a stranger's text: nothing in it may lead to a file, an address or code, and every value is
        to be checked.

        Raises
        ------
        VitpanelError
            If the record asks for anything else.
        """

    def check_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Refuse arguments with which the model could not be built again from a study; all of them, by default.

        Raises
        ------
        VitpanelError
            With the name of the argument.
        """
        for name in arguments:
            message = f"{name} is not among the arguments of a model that a study may keep."
            raise VitpanelError(message, hint=f"Models of {self.key} take none.")
