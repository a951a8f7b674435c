"""What was measured to know whether a model's numbers can be trusted."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, cast

from vitpanel.core.metrics import class_metrics

ATTENTION_ARRAYS = (
    "strength",
    "entropy",
    "distance",
    "patterns/cls",
    "patterns/patch_top",
    "patterns/offset",
    "latents",
    "layout/cls",
    "layout/patch",
    "layout/offset",
    "attention",
)


@dataclass(frozen=True)
class Check:
    """One trust check.

    Parameters
    ----------
    name
        Key in the manifest's ``checks``.
    value
        What was measured.
    limit
        What it is held against: the largest value allowed, or the number that was expected.
    passed
        Whether it holds.
    sentence
        The outcome, for people.
    views
        What it decides, for people.
    arrays
        Arrays of the study that there are not if it fails; ``"attention"`` stands for the live matrices.
    """

    name: str
    value: float
    limit: float
    passed: bool
    sentence: str
    views: str
    arrays: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, read back by :meth:`from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`."""
        fields: dict[str, Any] = {**data, "arrays": tuple(data["arrays"])}
        return cls(**fields)


def class_arrays() -> tuple[str, ...]:
    """Arrays that need a class head that can be trusted."""
    keys = [metric.key for metric in class_metrics()]
    importance = [f"{stage}/{key}" for stage in ("importance", "modes") for key in keys]
    return ("probabilities", *importance, "modes/top_class", "modes/top_probability")


def turned_off(checks: Mapping[str, Any]) -> dict[str, str]:
    """Arrays that failed checks turn off, with the sentence that says why.

    Parameters
    ----------
    checks
        A manifest's ``checks``; what is not a record of a `Check` is left aside.
    """
    return {name: check.sentence for check in read_checks(checks) if not check.passed for name in check.arrays}


def read_checks(checks: Mapping[str, Any]) -> list[Check]:
    """Trust checks among a manifest's ``checks``, in their order."""
    records = [cast("Mapping[str, Any]", record) for record in checks.values() if isinstance(record, Mapping)]
    return [Check.from_dict(record) for record in records]
