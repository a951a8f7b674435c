"""The live model of a notebook: one for all cells that show a study, views and elements alike."""

from pathlib import Path

from vitpanel.app.inference import ModelService
from vitpanel.study.reader import Study

_kept: list[ModelService] = []


def live_model(study: Study, *, checkpoint: str | Path | None = None) -> ModelService:
    """Model of a study, which is loaded when it is first asked; needs torch then.

    Parameters
    ----------
    checkpoint
        The model's weights, a safetensors file. None takes those that were named for this study before, else the file
        that you computed the study with on this machine; what a study itself says of files is not followed.
    """
    path = None if checkpoint is None else Path(checkpoint)
    kept = _kept[0] if _kept else None
    if kept is None or kept.study is not study or path not in {None, kept.checkpoint}:
        # The model of another study is let go.
        _kept[:] = [ModelService(study, checkpoint=path)]
    return _kept[0]
