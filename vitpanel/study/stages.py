"""The stages of precompute that are known here.

Five come with vitpanel. Others are registered by `register`, or by a package that names its `Stage` as an entry point
of the group ``vitpanel.stages``.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vitpanel.core.grid import CLS, Grid
from vitpanel.core.packages import Registry
from vitpanel.core.spec import ViTSpec
from vitpanel.errors import VitpanelError
from vitpanel.study.own_stages import OWN_STAGES
from vitpanel.study.stage import PER_HEAD, ArraySpec, Sizes, Stage

GROUP = "vitpanel.stages"
INSTALL = "Install the package that brings the stage, or import the module that registers it."
# Sizes that no two axes share, so that an axis of another length is noticed.
_SAMPLE = Sizes(
    ViTSpec(n_layers=2, n_heads=3, grid=Grid(17, 19, (CLS,)), image_size=(34, 38), pooling="token", n_classes=7),
    n_images=11,
    latent_dim=13,
)


def register(stage: Stage) -> Stage:
    """Add a stage in this process, before a study is computed or opened, and return it; see `Registry.register`."""
    return REGISTRY.register(stage)


def stages() -> tuple[Stage, ...]:
    """All stages: those that come with vitpanel, then what is registered, then what packages bring."""
    return tuple(REGISTRY.known().values())


def stage_of(name: str) -> Stage | None:
    """The stage of a name; None where it is not known here."""
    return REGISTRY.known().get(name)


def is_optional(name: str) -> bool:
    """Whether a study may lack a stage; it may lack one that is not known here."""
    stage = stage_of(name)
    return stage is None or stage.is_optional


def stages_that_need(name: str) -> list[str]:
    """Stages that are made of what another one writes, directly or by way of others."""
    found = [name]
    for earlier in found:
        found += [stage.name for stage in stages() if earlier in stage.needs and stage.name not in found]
    return found[1:]


def absence_words(name: str) -> str:
    """What it means that a study lacks a stage that it may lack, as a sentence."""
    stage = stage_of(name)
    if stage is not None and stage.absence:
        return stage.absence
    return f"The study was made without the stage {name}: run the same precompute command again to add it."


def stage_title(name: str) -> str:
    """What a stage computes, in a few words without an article; of one that does not say so, its name."""
    stage = stage_of(name)
    return name if stage is None else stage.title or name


def lacking_words(name: str) -> str:
    """What it means that a stage is still to be computed, as a sentence."""
    title = stage_title(name)
    what = f"what stage {name} computes" if title == name else f"the {title}"
    return f"The study is not finished: it still lacks {what}."


def arrays_of(stage: Stage, sizes: Sizes) -> list[ArraySpec]:
    """Arrays that a stage can write, with what follows from the stage and the model filled in.

    Raises
    ------
    VitpanelError
        If a stage of others cannot say what they are for these sizes.
    """
    try:
        arrays = list(stage.arrays(sizes))
    except Exception as error:
        message = f"Stage {stage.name} cannot say which arrays it has here ({type(error).__name__}: {error})."
        raise VitpanelError(message, hint="Mend or remove the package that brings the stage.") from error
    is_ragged = bool(sizes.spec.heads)
    return [_filled(array, stage, is_ragged=is_ragged) for array in arrays]


def unknown_stages(record: Mapping[str, Any]) -> list[str]:
    """Stages of a manifest that are not known here; what cannot be the name of a stage is left aside."""
    return [name for name in record if _is_plain(name) and stage_of(name) is None]


def unknown_arrays(record: Mapping[str, Any]) -> dict[str, str]:
    """Arrays of a manifest's stages that are not known here, with the reason as a sentence."""
    return {
        array: unknown_words(name, record[name])
        for name in unknown_stages(record)
        for array in record[name].get("arrays", ())
    }


def unknown_words(name: str, record: Mapping[str, Any]) -> str:
    """What it means for a study that one of its stages is not known here, as a sentence.

    Parameters
    ----------
    record
        Of the stage, from the manifest.
    """
    if not record.get("done"):
        return f"Stage {name} was begun and is not installed here: the study cannot be finished without it."
    return f"Stage {name} is not installed here: what it wrote stays as it is, and cannot be read."


def _filled(array: ArraySpec, stage: Stage, *, is_ragged: bool) -> ArraySpec:
    has_heads = is_ragged and "head" in array.dims
    return replace(array, stage=stage.name, is_per_block=stage.per_block, is_ragged=has_heads)


def _misfit(stage: Stage, others: Mapping[str, Stage]) -> str:
    """What is wrong with a record, as half a sentence; empty if nothing is."""
    try:
        arrays = list(stage.arrays(_SAMPLE))
    except Exception as error:  # noqa: BLE001 - code of others, which may raise anything
        return f"its arrays cannot be had ({type(error).__name__}: {error})"
    there = [array for other in others.values() for array in other.arrays(_SAMPLE)]
    taken = {*others, *(array.name.partition("/")[0] for array in there)}
    faults = [
        (not _is_plain(stage.name), "its name is not of small letters, digits and _"),
        (stage.name in taken, "something else has its name"),
        (stage.run is None, "it has no run"),
        (not arrays, "it has no arrays"),
        (len({array.name for array in arrays}) < len(arrays), "two of its arrays have one name"),
    ]
    lengths = {dim: size for array in there for dim, size in zip(array.dims, array.shape, strict=True)}
    reason = next((words for is_wrong, words in faults if is_wrong), "")
    return reason or next(filter(None, (_array_misfit(array, stage, lengths) for array in arrays)), "")


def _array_misfit(array: ArraySpec, stage: Stage, lengths: dict[str, int]) -> str:
    """What is wrong with an array of a stage of others; ``lengths`` of axes are held against it and added to."""
    first, *rest = array.name.split("/")
    if first != stage.name or not all(map(_is_plain, rest)):
        return f"the array {array.name!r} is not called {stage.name} or {stage.name}/…"
    if len(array.dims) != len(array.shape):
        return f"the array {array.name} has {len(array.dims)} names of axes and {len(array.shape)} lengths"
    if "head" in array.dims and array.dims[:3] != PER_HEAD:
        return f"the axes of {array.name} do not begin with image, layer and head"
    if stage.per_block and array.dims[:1] != ("image",):
        return f"the first axis of {array.name} is not the image, though it comes block by block"
    for dim, size in zip(array.dims, array.shape, strict=True):
        if lengths.setdefault(dim, size) != size:
            return f"the axis {dim} of {array.name} has another length than in other arrays"
    return ""


def _is_plain(name: str) -> bool:
    return name.isidentifier() and name.isascii() and name == name.lower()


REGISTRY = Registry[Stage](
    GROUP,
    kind=Stage,
    key="name",
    misfit=_misfit,
    noun="stage",
    see="Stage in vitpanel.study.stage",
    own=OWN_STAGES,
)
