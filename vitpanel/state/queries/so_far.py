"""How far something is that is computed on images, a few of them at a time."""

from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar


class Job(Protocol):
    """Something to compute on images; equal ones are computed once."""

    @property
    def images(self) -> tuple[int, ...]:
        """In the order in which they are computed."""
        ...

    def nothing(self) -> Any:
        """What is known before the first image, a `Found`."""
        ...


class Found(Protocol):
    """What is known of some images."""

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        ...

    def joined(self, more: Any) -> Self:
        """What is known of these images and more."""
        ...


JobT = TypeVar("JobT", bound=Job)
FoundT = TypeVar("FoundT", bound=Found)


@dataclass(frozen=True)
class SoFar(Generic[JobT, FoundT]):
    """How far a job is.

    Parameters
    ----------
    job
        What was asked.
    found
        What is known of its first images.
    seconds_left
        About how long the others will take; None while nobody can tell.
    """

    job: JobT
    found: FoundT
    seconds_left: float | None = None
