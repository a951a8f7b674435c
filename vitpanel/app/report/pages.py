"""The pages of a study that is exported: one of all images and heads, and one of each image that is chosen."""

from collections.abc import Sequence
from string import Template

from vitpanel.app.report.drawn import groups_html, sections_html
from vitpanel.app.report.image_choice import image_selection, most_important_heads, shown_metrics
from vitpanel.app.report.look import made_words
from vitpanel.app.report.parts import GROUPS, OF_ALL, Part
from vitpanel.app.report.words import again_html, choice_html, picture_html, study_html
from vitpanel.app.study_card import study_title
from vitpanel.core.metrics import metric_of
from vitpanel.core.spec import short_head_name
from vitpanel.state.caption import image_name, study_name
from vitpanel.state.live import LiveModel
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
from vitpanel.views.base import escaped

INDEX = "index.html"
N_STRENGTHS = 4
_RANKED = ("rank", "layer", "head", "importance", "lower_quartile", "median", "upper_quartile")


def page_name(image: int) -> str:
    """File of the page of an image."""
    return f"image-{image}.html"


def index_page(study: Study, images: Sequence[int], template: Template) -> str:
    """Page of all images and all heads, with a link to the page of each image that has one."""
    selection = image_selection(study, None)
    links = "".join(_thumbnail(study, image) for image in images)
    sections = (
        {"The study": study_html(study)}
        | {"Images with a page of their own": f'<div class="thumbnails">{links}</div>' if links else ""}
        | _drawn(_index_groups(study, selection), study, selection, live=None)
        | {"In the app": again_html(study, selection)}
    )
    return template.substitute(
        title=escaped(study_title(study)), made=made_words(), links="", body=sections_html(sections)
    )


def image_page(study: Study, image: int, template: Template, *, images: Sequence[int], live: LiveModel | None) -> str:
    """Page of an image and the head that matters most on it.

    Parameters
    ----------
    images
        All that have a page, in their order; the pages before and after are linked.
    live
        The model, asked for what the study does not have; None leaves that out.
    """
    selection = image_selection(study, image)
    groups = {heading: parts for heading, parts in GROUPS.items() if heading != OF_ALL}
    sections = {"What is shown": _why(study, selection) + choice_html(study, selection) + again_html(study, selection)}
    return template.substitute(
        title=escaped(f"Image {image_name(study, image)} · {study_name(study)}"),
        made=made_words(),
        links=_links(study, image, images),
        body=sections_html(sections | _drawn(groups, study, selection, live=live)),
    )


def _index_groups(study: Study, selection: Selection) -> dict[str, tuple[Part, ...]]:
    name = short_head_name(*selection.chosen_head)
    ranked = "All heads, most important first."
    strength = "Mean attention of the head's patches, hop by hop, over all images."
    first = most_important_heads(study, selection.metric, None, N_STRENGTHS)
    return {
        "How much each head matters": tuple(
            Part("importance_curve", _curve_words(metric, name), options={"metric": metric})
            for metric in shown_metrics(study)
        ),
        "Heads by their importance": (Part("head_ranking", ranked, columns=_RANKED, n_rows=study.spec.is_there.size),),
        "How far the heads look": (
            Part("head_scatter", "One measure of every head, by layer; bars are one standard deviation over images."),
            *(Part("strength_bars", strength, options={"layer": layer, "head": head}) for layer, head in first),
        ),
        OF_ALL: (
            Part("image_map", "Near each other are images to which the same heads matter. Point at one for its class."),
            Part("pattern_map", f"Near each other are heads that attend alike; {name} is lit on all images."),
        ),
    }


def _curve_words(metric: str, head: str) -> str:
    """How to read the curve of a metric over all heads, of which one is marked."""
    what = metric_of(metric).axis_label
    mean = "the mean over all images, with one standard deviation"
    return f"{what[:1].upper()}{what[1:]}, of every head, layer by layer: {mean}; the line marks {head}."


def _drawn(
    groups: dict[str, tuple[Part, ...]], study: Study, selection: Selection, *, live: LiveModel | None
) -> dict[str, str]:
    steps = groups_html(groups, study, selection, live=live)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _why(study: Study, selection: Selection) -> str:
    """Why the page shows the head that it shows."""
    name, metric = short_head_name(*selection.chosen_head), metric_of(selection.metric).label
    is_first = most_important_heads(study, selection.metric, selection.image, 1) == [selection.chosen_head]
    if not is_first:
        return f"<p>No importance is known on this image; {name} is the head that a page of the study starts with.</p>"
    return f"<p>{name} is the head that matters most on this image, by the metric {escaped(metric)}.</p>"


def _thumbnail(study: Study, image: int) -> str:
    words = escaped(image_name(study, image))
    return f'<a href="{page_name(image)}">{picture_html(study, image)}<span>Image {words}</span></a>'


def _links(study: Study, image: int, images: Sequence[int]) -> str:
    place = images.index(image)
    others = {"Previous": images[place - 1 : place], "Next": images[place + 1 : place + 2]}
    beside = (
        f'<a href="{page_name(other)}">{word}: image {escaped(image_name(study, other))}</a>'
        for word, found in others.items()
        for other in found
    )
    return f'<a href="{INDEX}">All images and heads</a>{"".join(beside)}'
