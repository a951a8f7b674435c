"""What is computed from what: the stages of a run, in the order of their needs, and how each is computed."""

from collections.abc import Iterable

from vitpanel.pipeline.heads import HeadsStep
from vitpanel.pipeline.latents import LatentsStep
from vitpanel.pipeline.layout import LayoutStep
from vitpanel.pipeline.means import MeansStep, means_are_late
from vitpanel.pipeline.modes import ModesStep
from vitpanel.pipeline.recipe import Recipe
from vitpanel.pipeline.step import BlockStep, ForeignBlockStep, ForeignWholeStep, WholeStep
from vitpanel.pipeline.work import Work
from vitpanel.study.own_stages import HEADS, LATENTS, LAYOUT, MEANS, MODES, STAGES
from vitpanel.study.stage import Stage
from vitpanel.study.stages import stages
from vitpanel.study.writer import StudyWriter

_STEPS: dict[str, type[BlockStep | WholeStep]] = {
    HEADS: HeadsStep,
    LATENTS: LatentsStep,
    LAYOUT: LayoutStep,
    MODES: ModesStep,
    MEANS: MeansStep,
}


def step_of(stage: Stage, work: Work) -> BlockStep | WholeStep:
    """How a stage is computed."""
    foreign = ForeignBlockStep if stage.per_block else ForeignWholeStep
    return _STEPS.get(stage.name, foreign)(stage, work)


def in_order(found: Iterable[Stage]) -> list[Stage]:
    """Stages, each after those that it needs or follows, else in the order in which they are given."""
    by_name = {stage.name: stage for stage in found}
    order: dict[str, Stage] = {}
    begun: set[str] = set()

    def place(name: str) -> None:
        if name not in by_name or name in begun:
            return
        begun.add(name)
        stage = by_name[name]
        for earlier in (*stage.needs, *stage.after):
            place(earlier)
        order[name] = stage

    for name in by_name:
        place(name)
    return list(order.values())


def wanted_stages(recipe: Recipe, device: str) -> list[Stage]:
    """Stages that a recipe asks for, in order: what comes with vitpanel and may be left out only when it says so.

    Parameters
    ----------
    device
        Type of the device that the model is on.
    """
    asked = {MODES: recipe.wants_modes(device), MEANS: recipe.fast_means}
    return [stage for stage in in_order(stages()) if asked.get(stage.name, True)]


def stages_of_run(writer: StudyWriter, wanted: Iterable[Stage]) -> list[Stage]:
    """Stages that a run computes, in order: those that it asks for, and those that the study has or was begun with."""
    names = {*(stage.name for stage in wanted), *writer.manifest.stages}
    names -= {MEANS} if means_are_late(writer) else set()
    return [stage for stage in in_order(stages()) if stage.name in names]


def note_wanted(writer: StudyWriter, recipe: Recipe, wanted: Iterable[Stage]) -> None:
    """Leave a trace of what was asked for from the start, wherever the run ends; --no-modes takes it back.

    Means are none of it: whether they are of use turns out when they are begun, and later they are not missed.
    """
    for stage in wanted:
        if stage.name not in {*STAGES, MEANS}:
            writer.ask_for(stage.name)
    if recipe.modes is False and not writer.manifest.is_done(MODES):
        writer.reopen(MODES)
