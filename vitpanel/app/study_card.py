"""What a person should know of a study before they believe it: model, images, how good its maps are, when made."""

from collections.abc import Iterator
from pathlib import PureWindowsPath
from typing import Any

from vitpanel.core.metrics import metric_of
from vitpanel.core.neighbours import N_NEIGHBOURS
from vitpanel.state.caption import study_name
from vitpanel.state.first_values import first_values, why_first
from vitpanel.study.layout_words import layout_words
from vitpanel.study.means import coverage_words
from vitpanel.study.own_stages import LATENTS, LAYOUT
from vitpanel.study.reader import Study
from vitpanel.views.base import counted, escaped


def study_title(study: Study) -> str:
    """One line for the header and the tab of the browser, the study's own name first."""
    spec = study.spec
    parts = [
        study_name(study),
        model_words(study),
        f"{counted(spec.n_layers, 'layer')} × {spec.heads_words} {'head' if spec.n_heads == 1 else 'heads'}",
        coverage_words(study) or counted(study.n_images, "image"),
    ]
    return " · ".join(parts)


def model_words(study: Study) -> str:
    """Name of the model, and its image and patch size where it is not built as that name says."""
    model, spec = study.manifest.model, study.spec
    if not model.get("args"):
        return str(model["name"])
    height, width = spec.image_size
    patch = height / spec.grid.rows, width / spec.grid.cols
    return f"{model['name']}, changed: {_sides(height, width)} px, patch {_sides(*patch)}"


def _sides(height: float, width: float) -> str:
    return f"{height:g}" if height == width else f"{height:g} × {width:g}"


def study_facts(study: Study) -> dict[str, list[str]]:
    """Lines about a study by title, for people; plain text."""
    facts = {"Model": _model(study), "Images": images_words(study), "Maps": _maps(study), "Made": _made(study)}
    return {title: found for title, lines in facts.items() if (found := list(lines))}


def first_facts(study: Study) -> dict[str, list[str]]:
    """Lines about what a page of a study begins with, by title; none where no importance is known yet."""
    first = first_values(study)
    why = why_first(first)
    if not why:
        return {}
    metric = metric_of(first["metric"]).label
    return {
        "Shown first": [why, f"importance by {metric}: of the head the mean of all images, and of the image its own"]
    }


def facts_html(facts: dict[str, list[str]]) -> str:
    """Table of `study_facts`."""
    rows = (f"<tr><td>{title}</td><td>{'<br>'.join(map(escaped, lines))}</td></tr>" for title, lines in facts.items())
    return f"<table>{''.join(rows)}</table>"


def _model(study: Study) -> Iterator[str]:
    model, spec = study.manifest.model, study.spec
    yield f"{model['name']} from {model.get('source', 'an unknown place')}"
    if model.get("args"):
        yield f"changed: {', '.join(f'{key} {value}' for key, value in model['args'].items())}"
    height, width = spec.image_size
    patches = f"{spec.grid.rows} × {spec.grid.cols} patches"
    yield f"{spec.n_layers} layers × {spec.heads_words} heads; {height} × {width} pixels in {patches}"
    if model.get("checkpoint"):
        # The folder is the business of whoever runs the server.
        yield f"checkpoint {PureWindowsPath(model['checkpoint']).name}"
    if model.get("revision"):
        yield f"revision {model['revision']}"


def images_words(study: Study) -> Iterator[str]:
    """How many images there are, and how many are predicted right, a line each."""
    done = "" if study.n_done == study.n_images else f", {study.n_done:,} of them done"
    classes = f", {study.spec.n_classes:,} classes" if study.class_names else ""
    yield f"{counted(study.n_images, 'image')}{done}{classes}"
    labels, predicted = study.images["label"].to_numpy(), study.images["predicted"].to_numpy()
    known = (labels >= 0) & (predicted >= 0)
    if not known.any():
        yield "no labels among the model's classes: probabilities are those of its own top class"
        return
    n_right, n_known = int((labels == predicted)[known].sum()), int(known.sum())
    yield f"accuracy {n_right / n_known:.1%}: {n_right:,} right, {n_known - n_right:,} wrong"
    if n_known < study.n_done:
        yield f"{study.n_done - n_known:,} without a label among the model's classes, not counted"


def _maps(study: Study) -> Iterator[str]:
    for name, kept in _detail(study, LAYOUT).get("neighbours", {}).items():
        if kept["kept"] is not None:
            title, chance = layout_words(name, study.spec), f"{kept['by_chance']:.1%} by chance"
            yield f"{title}: keeps {kept['kept']:.1%} of the {N_NEIGHBOURS} nearest neighbours ({chance})"
    precision = _detail(study, LATENTS).get("average_precision")
    if precision is not None:
        yield f"patch patterns come back from the autoencoder with an average precision of {precision:.3f}"


def _made(study: Study) -> Iterator[str]:
    known = study.manifest.versions
    versions = [f"{name} {known[name]}" for name in ("vitpanel", "timm", "transformers", "torch") if name in known]
    yield study.manifest.created[:10] + (f" with {', '.join(versions)}" if versions else "")


def _detail(study: Study, stage: str) -> dict[str, Any]:
    return (study.manifest.stages.get(stage) or {}).get("detail") or {}
