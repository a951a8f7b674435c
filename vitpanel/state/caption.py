"""What a picture or a table is of, in words: the study, and what was chosen and brushed in it."""

from vitpanel.core.metrics import metric_of
from vitpanel.core.spec import short_head_name
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

BRUSHED = {"images": "brushed images", "heads": "brushed heads", "tokens": "brushed tokens"}


def study_name(study: Study) -> str:
    """Name of a study: that of its folder, without the ending."""
    return study.path.resolve().stem


def choice_facts(study: Study, selection: Selection) -> dict[str, str]:
    """What is looked at, by what it is: study, image, head and metric, and what is brushed where something is."""
    facts = {
        "study": study_name(study),
        "image": image_name(study, selection.image),
        "head": short_head_name(*selection.chosen_head),
        "metric": metric_of(selection.metric).label,
    }
    brushes = {title: getattr(selection, name) for name, title in BRUSHED.items()}
    return facts | {title: brush.words for title, brush in brushes.items() if brush is not None}


def caption_lines(study: Study, selection: Selection) -> list[str]:
    """Lines to stand below a picture: what it is of, and what is brushed where something is."""
    facts = choice_facts(study, selection)
    brushed = [f"{title}: {facts[title]}" for title in BRUSHED.values() if title in facts]
    image = facts["image"] if selection.image is None else f"image {facts['image']}"
    chosen = " · ".join((facts["study"], image, facts["head"], f"metric: {facts['metric']}"))
    return [chosen, *([" · ".join(brushed)] if brushed else [])]


def image_name(study: Study, image: int | None) -> str:
    """Number of an image with the name of its label, if it has one; None is all images."""
    if image is None:
        return "all images"
    label = str(study.images["label_name"].iloc[image])
    return f"{image} ({label})" if label else str(image)
