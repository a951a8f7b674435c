"""What pruning a set of heads together does to the chosen image and to many, and as one takes more and more heads."""

from typing import Any, ClassVar

import numpy as np
import param

from vitpanel.core.pruned_images import SetEffect, set_effect
from vitpanel.core.spec import ViTSpec
from vitpanel.state.online import Online
from vitpanel.state.queries.pruned_images import PrunedImage, curve_table, image_table, most_changed
from vitpanel.state.queries.pruned_set import LEAST_FIRST, MOST_FIRST, PrunedSoFar
from vitpanel.state.set_pruning import progress_words
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.base import counted
from vitpanel.views.component import Component
from vitpanel.views.figures.image_card import is_crisp, thumbnail_uri
from vitpanel.views.figures.numbers import change_text

N_THUMBNAILS = 12
ORDERS = {LEAST_FIRST: "least important first", MOST_FIRST: "most important first"}
_LOOK = f"""
:host {{ overflow: hidden; }}
.pruning {{ height: 100%; display: grid; grid-template-columns: 31fr 38fr 31fr; font: 12px/1.35 sans-serif;
    color: {css("text")}; border-top: 1px solid {css("muted")}; }}
section {{ min-width: 0; min-height: 0; overflow: auto; scrollbar-width: thin; display: flex; flex-direction: column;
    gap: 5px; padding: 6px 10px; box-sizing: border-box; }}
section + section {{ border-left: 1px solid {css("grid")}; }}
h3 {{ margin: 0; font: 600 13px/18px sans-serif; }}
.hint {{ color: {css("hint")}; }}
.wrong {{ color: {css("warning")}; }}
.what {{ display: flex; gap: 8px; align-items: center; }}
.what img {{ width: 38px; height: 38px; object-fit: contain; background: {css("grid")}; }}
img.crisp {{ image-rendering: pixelated; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th {{ font-weight: 600; text-align: left; padding: 1px 6px 1px 0; white-space: nowrap; }}
td {{ padding: 1px 6px 1px 0; }}
.number {{ text-align: right; white-space: nowrap; padding-right: 8px; }}
.name {{ max-width: 110px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.bars {{ width: 40%; }}
.bars i {{ display: block; height: 6px; min-width: 1px; margin: 1px 0; background: {css("value")}; }}
.bars i.before {{ background: {css("hint")}; }}
.key i {{ display: inline-block; width: 12px; height: 6px; margin: 0 4px 1px 8px; background: {css("value")}; }}
.key i.before {{ margin-left: 0; background: {css("hint")}; }}
.tools {{ display: flex; flex-wrap: wrap; gap: 6px; align-items: center; min-height: 28px; }}
button, select {{ font: 12.5px/18px sans-serif; color: inherit; background: {css("surface")};
    border: 1px solid {css("muted")}; border-radius: 4px; padding: 2px 8px; min-height: 26px; cursor: pointer; }}
select option {{ color: {css("text")}; background: {css("surface")}; }}
button:hover:enabled {{ background: {css("grid")}; }}
button:focus-visible, select:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: 1px; }}
button:disabled {{ opacity: 0.45; cursor: default; }}
progress {{ width: 100%; height: 5px; accent-color: {css("value")}; }}
.thumbnails {{ display: flex; flex-wrap: wrap; gap: 2px; }}
.thumbnails button {{ display: grid; justify-items: center; padding: 2px; font: 10px/12px sans-serif; border: 0;
    background: none; }}
.thumbnails img {{ width: 38px; height: 38px; object-fit: contain; background: {css("grid")};
    outline: 1px solid {css("muted")}; }}
.thumbnails button[aria-pressed="true"] {{ font-weight: 600; }}
.thumbnails button[aria-pressed="true"] img {{ outline: 2px solid {css("chosen")}; }}
svg {{ flex: 1 1 0; min-height: 150px; width: 100%; overflow: visible; font: 10px sans-serif; fill: currentColor; }}
svg .grid {{ stroke: {css("grid")}; }}
svg .axis {{ stroke: {css("muted")}; }}
svg .line {{ fill: none; stroke: {css("value")}; stroke-width: 2; }}
svg .most .line {{ stroke-dasharray: 5 3; stroke: {css("text")}; }}
.dash {{ color: {css("value")}; }}
.dash.most {{ color: {css("text")}; }}
svg circle {{ fill: {css("value")}; }}
svg .most circle {{ fill: {css("text")}; }}
[hidden] {{ display: none !important; }}
"""


class SetPruningPanel(Component):
    """Three parts side by side: the chosen image, many images, and a curve.

    What a person asks for comes as a message: ``{"run": "images" or "curve"}``, ``{"cancel": …}`` of the same,
    ``{"choose": image}``, ``{"order": key}``, and ``{"seen": whether the panel is in sight}``.
    """

    image = param.Dict(default={}, doc="Of the chosen image, as `image_record` gives it.")
    images = param.Dict(default={}, doc="Of many images, as `images_record` gives it.")
    curve = param.Dict(default={}, doc="Curves, as `curve_record` gives them.")
    next = param.Dict(default={}, doc="What would be asked now, in words: of many images, and for a curve.")
    chosen = param.Integer(default=-1, doc="Image that is marked, -1 for none.")
    orders = param.Dict(default=ORDERS, doc="Words of the orders in which a curve prunes.")

    _module = ("vitpanel.views.figures", "set_pruning.js")
    _stylesheets: ClassVar[list[str]] = [_LOOK]


def image_record(study: Study, image: int | None, outcome: Online[PrunedImage], *, words: str) -> dict[str, Any]:
    """What the panel shows of the chosen image.

    Parameters
    ----------
    words
        What is pruned.
    """
    found = outcome.value
    record: dict[str, Any] = {"words": words, "title": "The chosen image", "picture": "", "rows": [], "facts": []}
    if image is not None:
        record |= {"title": f"Image {image}", "picture": thumbnail_uri(study, image), "is_crisp": is_crisp(study)}
    record |= {"is_busy": outcome.status == "running", "is_wrong": outcome.status == "failed"}
    record["message"] = "" if found is not None else f"{outcome.message} {outcome.hint}".strip()
    if found is None:
        return record
    record["rows"] = [
        {"name": name, "before": before, "after": after, "is_true": bool(is_true)}
        for name, before, after, is_true in found.classes.itertuples(index=False, name=None)
    ]
    what = "label" if found.has_label else "top class"
    changes = change_text(found.after - found.before)
    if found.n_heads > 1 and not np.isnan(found.singly):
        changes = f"together {changes}, one by one {change_text(found.singly)}"
    record["facts"] = [
        [f"p({found.reference}), the {what}", f"{found.before:.3f} → {found.after:.3f}"],
        ["its change", changes],
        ["Jensen–Shannon divergence", f"{found.jsd:.3f} bits"],
    ]
    return record


def images_record(study: Study, outcome: Online[PrunedSoFar], *, words: str) -> dict[str, Any]:
    """What the panel shows of many images.

    Parameters
    ----------
    words
        What was asked: which heads, how pruned, on which images.
    """
    record = _progress(outcome) | {"words": words, "rows": [], "facts": [], "thumbnails": []}
    if outcome.value is None or not len(outcome.value.found):
        return record
    found = outcome.value.found
    effect, n_heads = set_effect(found), len(outcome.value.job.sets[0])
    table = image_table(study, found.rows(most_changed(found, N_THUMBNAILS)))
    record |= {
        "rows": _effect_rows(effect),
        "facts": _effect_facts(effect, n_heads=n_heads),
        "is_crisp": is_crisp(study),
    }
    record["thumbnails"] = [
        {
            "image": int(row.image),
            "picture": thumbnail_uri(study, int(row.image)),
            "number": f"{row.jsd:.2f}",
            "label": f"Image {row.image}: {row.predicted} → {row.predicted_pruned}, label {row.label}, "
            f"p {row.p_true:.3f} → {row.p_true_pruned:.3f}, divergence {row.jsd:.3f} bits",
        }
        for row in table.itertuples()
    ]
    return record


def _effect_rows(effect: SetEffect) -> list[list[str]]:
    """Rows of numbers before and after, and the change."""
    rows = []
    if effect.has_labels:
        points = 100 * (effect.accuracy_after - effect.accuracy_before)
        sign = "−" if points < 0 else "+"
        change = f"{sign}{abs(points):.1f} points" if points else "±0"
        rows.append(
            ["accuracy", f"{100 * effect.accuracy_before:.1f} %", f"{100 * effect.accuracy_after:.1f} %", change]
        )
    interval = "" if np.isnan(effect.low) else f" ({change_text(effect.low)} to {change_text(effect.high)})"
    what = "mean p(label)" if effect.has_labels else "mean p(top class)"
    rows.append([what, f"{effect.before:.3f}", f"{effect.after:.3f}", f"{change_text(effect.change)}{interval}"])
    return rows


def _effect_facts(effect: SetEffect, *, n_heads: int) -> list[str]:
    """Sentences beside the numbers."""
    facts = []
    if not np.isnan(effect.low):
        facts.append("In brackets: 95 % interval of the mean change, by paired differences.")
    if n_heads > 1 and not np.isnan(effect.singly):
        facts.append(f"Pruned one by one, the heads' changes add up to {change_text(effect.singly)}.")
    fate = f": {effect.n_mended:,} mended, {effect.n_broken:,} broken" if effect.has_labels else ""
    facts.append(f"{effect.n_changed:,} of {effect.n_images:,} predictions changed{fate}.")
    if not effect.has_labels:
        facts.append("No image has a label, so the probability is that of the model's own top class.")
    elif effect.n_judged < effect.n_images:
        facts.append(f"{effect.n_judged:,} images have a label; accuracy and p(label) are theirs.")
    return facts


def curve_record(spec: ViTSpec, curves: dict[str, Online[PrunedSoFar]], order: str, *, words: str) -> dict[str, Any]:
    """What the panel shows of necessity curves.

    Parameters
    ----------
    curves
        By their order.
    order
        That is chosen.
    words
        As for `images_record`.
    """
    running = [outcome for outcome in curves.values() if outcome.status == "running"]
    record = _progress((running or [curves.get(order, Online("idle"))])[0])
    record |= {"words": words, "order": order, "n_heads": int(spec.is_there.sum()), "lines": []}
    has_labels = True
    for key, outcome in curves.items():
        if outcome.value is None or not len(outcome.value.found):
            continue
        found = outcome.value.found
        has_labels = bool((found.labels >= 0).any())
        table = curve_table(outcome.value.job, found)
        values = table["accuracy" if has_labels else "p_true"]
        points = [[int(n), float(value)] for n, value in zip(table["n_pruned"], values, strict=True)]
        words = f"{ORDERS[key]}, {counted(len(found), 'image')}"
        record["lines"].append({"order": key, "words": words, "points": points})
    record |= {"axis": "accuracy" if has_labels else "mean p(top class)", "is_percent": has_labels}
    return record


def _progress(outcome: Online[PrunedSoFar]) -> dict[str, Any]:
    """How far a job is."""
    so_far = outcome.value
    done = 0.0 if so_far is None else len(so_far.found) / max(len(so_far.job.images), 1)
    return {
        "status": progress_words(outcome),
        "done": done,
        "is_busy": outcome.status == "running",
        "is_wrong": outcome.status == "failed",
    }
