"""How a stage is computed: the half of it that knows models, called by an executor that does not know what it computes.

The other half, `vitpanel.study.stage.Stage`, says what is written and after what; readers of studies have it too.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from vitpanel.errors import StudyError, VitpanelError
from vitpanel.pipeline.work import Block, Work
from vitpanel.study.stage import Stage
from vitpanel.study.stages import stage_title


class Step:
    """The computing half of a stage that is not done; subclasses are `BlockStep` and `WholeStep`.

    Parameters
    ----------
    stage
        What is to be written.
    work
        What it is computed with.
    """

    def __init__(self, stage: Stage, work: Work) -> None:
        self.stage = stage
        self.work = work
        self.writer = work.writer

    @property
    def names(self) -> list[str]:
        """Arrays that the model has of the stage."""
        return [name for name, spec in self.writer.arrays.items() if spec.stage == self.stage.name]

    def why_not(self) -> str:
        """Why nothing is computed, as a line for people; empty where it is."""
        return ""

    def check(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Check that no array is missing.

        Raises
        ------
        StudyError
            If one is.
        """
        missing = [name for name in self.names if name not in arrays]
        if missing:
            message = f"Stage {self.stage.name} has not computed {', '.join(missing)}."
            raise StudyError(message, hint="Its run must return every array that it declares for the model.")


class BlockStep(Step):
    """A stage that is computed block by block: blocks may come in any order, and know nothing of one another."""

    @property
    def title(self) -> str:
        """What its progress is called."""
        return stage_title(self.stage.name)

    def begin(self) -> list[int]:
        """Make ready, and return the blocks that are missing, in the order of work."""
        return self.writer.blocks_without(self.stage.name)

    def compute(self, block: Block) -> Mapping[str, np.ndarray]:
        """Rows of a block, by the name of the array; `Block.advance` is told of every image."""
        raise NotImplementedError

    def write(self, block: Block, arrays: Mapping[str, np.ndarray]) -> None:
        """Put the rows of a block on disk; what the model does not have is left aside."""
        self.check(arrays)
        for name in self.names:
            self.writer.write_rows(name, block.number, arrays[name])

    def end(self, n_before: int) -> dict[str, Any] | None:
        """Do what follows the last block, and return what the manifest is to say; None keeps what it says.

        Parameters
        ----------
        n_before
            Number of images that were done when the stage began.
        """
        return {"resumed_at": n_before}


class WholeStep(Step):
    """A stage whose arrays are computed in one piece each."""

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Arrays that are missing, one after the other; each is on disk before the next is asked for."""
        raise NotImplementedError

    def end(self) -> dict[str, Any] | None:
        """Return what the manifest is to say; None keeps what it says."""
        return None


class ForeignBlockStep(BlockStep):
    """A stage of others, by the ``run`` of its record."""

    def compute(self, block: Block) -> Mapping[str, np.ndarray]:
        """Let the stage compute its rows."""
        arrays = _run(self.stage, block)
        block.advance(len(block))
        return arrays


class ForeignWholeStep(WholeStep):
    """A stage of others whose arrays do not come block by block."""

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Let the stage compute all of them."""
        arrays = _run(self.stage, self.work)
        self.check(arrays)
        yield from ((name, arrays[name]) for name in self.names)


def _run(stage: Stage, given: Block | Work) -> Mapping[str, np.ndarray]:
    """What a stage of others computes; what goes wrong in it is said in words, with its name."""
    run = cast("Callable[[Block | Work], Mapping[str, np.ndarray]]", stage.run)  # `register` asks for one
    try:
        return run(given)
    except VitpanelError:
        raise
    except Exception as error:
        message = f"Stage {stage.name} stopped: {type(error).__name__}: {error}."
        hint = (
            "What is written stays. Mend or remove the package that brings the stage, then run the same command again."
        )
        raise StudyError(message, hint=hint) from error
