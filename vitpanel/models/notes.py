"""What was assumed of a model that its file does not say, in sentences for people."""

from collections.abc import Mapping
from typing import Any

from timm.data import infer_imagenet_subset

from vitpanel.models.stated import Prepared, assumed_words
from vitpanel.models.tracing import Trace

SET_BY_OPTION = ("mean", "std", "crop_pct")
ONE_OUTPUT = (
    "The head has one output: its sigmoid p is taken for the probability of class 1, and 1 − p for that of class 0."
)


def preparation_notes(prepared: Prepared, *, n_heads: str = "") -> list[str]:
    """What was assumed of the preprocessing, as at most one sentence; ``n_heads`` are words of what else was."""
    assumed = assumed_words(prepared)
    options = [f"--{key.replace('_', '-')}" for key in SET_BY_OPTION if key in prepared.assumed]
    if n_heads:
        assumed, options = [n_heads, *assumed], ["--model-arg num_heads=…", *options]
    if not assumed:
        return []
    way = f" Options: {', '.join(options)}." if options else ""
    return [f"Assumed, since neither a file nor an option says: {', '.join(assumed)}.{way}"]


def checkpoint_notes(traced: Trace, prepared: Prepared, stated: Mapping[str, Any], *, name: str) -> list[str]:
    """What of an own checkpoint was assumed, one sentence each.

    Parameters
    ----------
    stated
        Arguments that the person or the file gave.
    """
    spec = traced.spec
    # The weights of a layer are of one shape whatever its number of heads.
    n_heads = "" if "num_heads" in stated else f"{spec.n_heads} heads in each layer, as {name} has"
    notes = preparation_notes(prepared, n_heads=n_heads)
    if spec.n_classes > 1 and traced.n_outputs:
        notes.append(
            f"The {spec.n_classes} outputs are taken for one choice among classes (softmax); whether they were trained "
            "as answers of their own (sigmoid) cannot be seen in the weights."
        )
    if spec.n_classes and infer_imagenet_subset({"num_classes": spec.n_classes}) is not None:
        notes.append(
            f"A head of {spec.n_classes} outputs of an own checkpoint is not taken for ImageNet's: if it is, give the "
            "names with --class-names (docs/models.md has the lines that write them)."
        )
    return notes
