"""What a report says beside its figures: what is chosen and brushed, and what the study is."""

import base64
from collections.abc import Iterator
from urllib.parse import urlencode

import numpy as np

from vitpanel.app.report.drawn import table_html
from vitpanel.app.study_card import facts_html, study_facts
from vitpanel.app.trust_badge import badge_figures
from vitpanel.core.metrics import metric_of
from vitpanel.core.trust import read_checks
from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.as_code import script
from vitpanel.state.brush import HEAD, IMAGE, INSTANCE, ITEMS, Brush, mask_of
from vitpanel.state.caption import BRUSHED, choice_facts
from vitpanel.state.queries.image_set import describe_set, set_table
from vitpanel.state.saved_state import starting_values
from vitpanel.state.selection import Selection
from vitpanel.state.url import to_query
from vitpanel.study.image_words import remark_lines
from vitpanel.study.reader import Study
from vitpanel.views.base import escaped

N_EFFECTS = 8
_EFFECTS = ("layer", "head", "n_set", "n_rest", "mean_set", "mean_rest", "effect", "effect_low", "effect_high")


def choice_html(study: Study, selection: Selection) -> str:
    """What is chosen, with the picture of the chosen image."""
    facts = {title: words for title, words in choice_facts(study, selection).items() if title not in BRUSHED.values()}
    if selection.image is not None:
        row = study.images.iloc[selection.image]
        facts |= {"file": str(row["file"]), "predicted": str(row["predicted_name"])}
    picture = "" if selection.image is None else picture_html(study, selection.image)
    rows = "".join(f"<tr><th>{title}</th><td>{escaped(words)}</td></tr>" for title, words in facts.items())
    return f'<div class="choice">{picture}<table class="facts">{rows}</table></div>'


def brushes_html(study: Study, selection: Selection) -> str:
    """A sentence on each brush, and how the importance of heads differs on brushed images; empty without a brush."""
    brushes = [brush for brush in (selection.images, selection.heads, selection.tokens) if brush is not None]
    parts = [f"<p>{escaped(_sentence(study, brush))}</p>" for brush in brushes]
    if selection.images is not None:
        parts.append(_effects(study, selection.images, selection.metric))
    return "".join(parts)


def study_html(study: Study) -> str:
    """Where the study comes from, and what was checked."""
    checks, remarks = read_checks(study.manifest.checks), remark_lines(study.manifest.images)
    return facts_html(study_facts(study)) + badge_figures(
        checks, study.manifest.model.get("head") or {}, remarks=remarks
    )


def picture_html(study: Study, image: int) -> str:
    """An image as the model sees it, within the page; where it cannot be read the reason, as a line of text."""
    try:
        data = base64.b64encode(study.crop(image)).decode()
    except VitpanelError as error:
        return f"<span>{escaped(public_words(error.message))}</span>"
    return f'<img alt="image {image}" src="data:image/webp;base64,{data}">'


def again_html(study: Study, selection: Selection) -> str:
    """How to see the same in the app and in a notebook."""
    said = to_query(selection, study=study, start=starting_values(Selection(study)))
    address = escaped(f"?{urlencode(said)}" if said else "the plain address")
    lines = escaped(script(study, selection, "vitpanel.explore(study, selection=selection)"))
    serve = escaped(f"vitpanel serve {study.path.resolve().name}")
    app = f"<p>In the app, <code>{serve}</code>, with this at the end of the address: <code>{address}</code></p>"
    return f"<details><summary>See the same again</summary>{app}<p>In a notebook:</p><pre>{lines}</pre></details>"


def _sentence(study: Study, brush: Brush) -> str:
    try:
        return f"Brushed: {brush.words} ({'; '.join(_counted(study, brush))})."
    except VitpanelError as error:
        return f"Brushed: {brush.words}. {public_words(error.message)}"


def _counted(study: Study, brush: Brush) -> Iterator[str]:
    mask = mask_of(study, brush)
    if brush.item == IMAGE:
        yield from describe_set(study, mask).parts
        return
    is_there = study.spec.is_there if brush.item in {HEAD, INSTANCE} else np.ones(mask.shape, bool)
    n_all = int(np.broadcast_to(is_there, mask.shape).sum())
    yield f"{int((mask & is_there).sum()):,} of {n_all:,} {ITEMS[brush.item]}"


def _effects(study: Study, brush: Brush, metric: str) -> str:
    """Heads whose importance differs most between the brushed images and the others."""
    try:
        found = set_table(study, mask_of(study, brush), f"importance/{metric}")
    except VitpanelError as error:
        return f"<p>{escaped(public_words(error.message))}</p>"
    known = found.dropna(subset=["effect"])[list(_EFFECTS)]
    table = known.iloc[np.argsort(-np.abs(np.asarray(known["effect"])), kind="stable")[:N_EFFECTS]]
    caption = (
        f"{metric_of(metric).legend}: heads whose importance differs most between the brushed images (set) "
        "and all others (rest). The effect is Hedges' g with a 95 % interval for each head by itself."
    )
    return table_html(table, caption=caption) if len(table) else ""
