"""A study's model, built again from what its manifest says of it: text that may be a stranger's.

The manifest names an adapter among those that are here, and this adapter checks all the rest. It names no file: the
weights are named by the person who opens the study.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitpanel.models.adapters import adapter_named
from vitpanel.models.loading import build_model
from vitpanel.models.model import ViTModel


def restore_model(record: Mapping[str, Any], weights: Path) -> ViTModel:
    """Build the model of a study from ``model`` of its manifest and a file of weights.

    Raises
    ------
    VitpanelError
        If there is no such adapter, the record asks it for anything that it does not take, or the file does not fit.
    """
    # Studies of before there were several libraries do not name one.
    adapter = adapter_named(record.get("adapter", "timm"))
    return build_model(adapter, adapter.restored(record, weights))
