"""What was unusual about a study's images, from its manifest, as text for people."""

from collections.abc import Iterator, Mapping
from typing import Any

_SHOWN_FILES = 5
_SHOWN_LABELS = 8


def image_lines(images: Mapping[str, Any]) -> Iterator[str]:
    """Remarks, labels that are no class of the model, and files that were left out.

    Parameters
    ----------
    images
        Of the manifest. What studies of older versions do not have is taken for nothing.
    """
    yield from remark_lines(images)
    skipped = images.get("skipped", [])
    if skipped:
        yield f"{len(skipped)} skipped:"
        yield from (f"  {item['file']}: {item['reason']}" for item in skipped[:_SHOWN_FILES])
        yield from _rest(len(skipped) - _SHOWN_FILES)


def remark_lines(images: Mapping[str, Any]) -> Iterator[str]:
    """As `image_lines` without the files, whose reasons name paths in studies of older versions."""
    yield from images.get("remarks", [])
    unmatched = images.get("unmatched", [])
    if unmatched:
        yield unmatched_words(images)
        yield from (
            f"  {item['label']} ({_counted(item['n_images'], 'image')}): {item['reason']}"
            for item in unmatched[:_SHOWN_LABELS]
        )
        yield from _rest(len(unmatched) - _SHOWN_LABELS)


def unmatched_words(images: Mapping[str, Any]) -> str:
    """How many labels are no class of the model, and what that means; empty where all are."""
    unmatched = images.get("unmatched", [])
    if not unmatched:
        return ""
    labels = f"{len(unmatched)} label is" if len(unmatched) == 1 else f"{len(unmatched)} labels are"
    n_images = _counted(sum(item["n_images"] for item in unmatched), "image")
    return (
        f"{labels} no class of the model, {n_images}: judged by the model's own top-1 class, and left out of the mean "
        "drop of the label's probability."
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _rest(count: int) -> Iterator[str]:
    if count > 0:
        yield f"  and {count} more, in manifest.json"
