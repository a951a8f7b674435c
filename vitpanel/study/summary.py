"""What is in a study, as text for people."""
# pyright: standard
# (pandas comes without type stubs)

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vitpanel.core.grid import CLS
from vitpanel.core.importance import ranked_by_importance
from vitpanel.core.metrics import Metric, metrics
from vitpanel.core.neighbours import N_NEIGHBOURS
from vitpanel.core.patterns import TOP_SHARE
from vitpanel.core.spec import ViTSpec, short_head_name
from vitpanel.core.trust import read_checks
from vitpanel.errors import StudyError
from vitpanel.study.image_words import image_lines
from vitpanel.study.layout_words import layout_words
from vitpanel.study.means import coverage_words, importance_array, importance_mean
from vitpanel.study.own_stages import STAGES
from vitpanel.study.places import RECOMPUTE
from vitpanel.study.reader import Study
from vitpanel.study.space import attention_bytes, size_text
from vitpanel.study.stages import is_optional, stage_of, unknown_words
from vitpanel.study.verify import Verification, missing_files

_WIDTH = 10
_SHOWN_FILES = 5
_SHOWN_HEADS = 3


def describe(study: Study) -> str:
    """Return model, images, stages, size and the three most important heads by each metric, as aligned text.

    What is damaged is left out and said; of a study that looks whole only so much is said as was looked at.
    """
    heads, missing = list(_heads(study)), missing_files(study.path, study.manifest)
    parts = [
        ("Study", [f"{study.path} ({_state(study, missing)})"]),
        ("Damage", _damage(study, missing)),
        ("Model", _model(study)),
        ("Shape", _shape(study)),
        ("Checks", _checks(study)),
        ("Images", _images(study)),
        ("Stages", _stages(study)),
        ("Size", [_size(study)]),
        ("Heads", heads),
    ]
    return "\n".join(_printable(line) for title, lines in parts for line in _aligned(title, lines))


def describe_verification(path: Path, found: Verification) -> str:
    """Return what a reading of a whole study found: every damage with its way out, or that there is none."""
    amount = f"{found.n_files} files, {size_text(found.n_bytes)}"
    state = "finished and whole" if found.is_finished else "not finished, whole as far as it goes"
    lines = [f"{state}: {amount} read, every checksum fits"]
    if found.damages:
        lines = [f"damaged: {len(found.damages)} of {found.n_files + len(found.damages)} files"]
        for damage in found.damages:
            lines += [damage.error.message, f"  {damage.error.hint}"]
    if found.n_unsealed:
        lines.append(
            f"{found.n_unsealed} files are of an older version and have no checksum of the whole file: their content "
            "was checked, bytes without meaning were not"
        )
    return "\n".join(_printable(line) for line in _aligned("Verified", [str(path), *lines]))


def _state(study: Study, missing: Sequence[Path]) -> str:
    if study.damages or missing:
        return "damaged"
    if study.is_finished:
        return "finished; every file is there, contents not verified: use --verify"
    return "not finished"


def _damage(study: Study, missing: Sequence[Path]) -> Iterator[str]:
    """What was found on the way; `verify_study` looks at everything."""
    known = " ".join(error.message for error in study.damages)
    yield from (f"{error.message} {error.hint}" for error in study.damages)
    unsaid = [path for path in missing if str(path) not in known]
    yield from (f"{path} is missing. {RECOMPUTE}" for path in unsaid[:_SHOWN_FILES])
    if len(unsaid) > _SHOWN_FILES:
        yield f"and {len(unsaid) - _SHOWN_FILES} more are missing"
    if study.damages or missing:
        yield "Use --verify to see every damaged file."


def _printable(line: str) -> str:
    """A line with what steers a terminal shown as text: names come from files of others."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)


def _aligned(title: str, lines: Iterable[str]) -> Iterator[str]:
    for row, line in enumerate(lines):
        yield f"{'' if row else title:<{_WIDTH}}{line}"


def _model(study: Study) -> Iterator[str]:
    model = study.manifest.model
    yield f"{model['name']} from {model.get('source', 'an unknown place')}"
    for key, title in (("checkpoint", "checkpoint"), ("revision", "revision"), ("weight_hash", "weights")):
        if model.get(key):
            yield f"{title} {model[key]}"
    if model.get("head"):
        yield head_words(model["head"])
    yield from (str(note) for note in model.get("notes") or ())


def head_words(head: Mapping[str, Any]) -> str:
    """What a study says of the linear head on its model's features, from ``model["head"]`` of the manifest."""
    if head["kind"] != "probe":
        return f"linear head {head['file']} on the pooled features"
    return (
        f"probe: a logistic head fitted on the pooled features of {head['n_train']} of these images; right on "
        f"{head['accuracy_test']:.1%} of {head['n_test']} held out ({head['accuracy_train']:.1%} of those fitted on)"
    )


def _checks(study: Study) -> Iterator[str]:
    checks = read_checks(study.manifest.checks)
    if not checks:
        yield "none was made"
        return
    yield f"{sum(check.passed for check in checks)} of {len(checks)} passed"
    yield from (f"failed: {check.sentence} Off: {check.views}." for check in checks if not check.passed)


def _shape(study: Study) -> Iterator[str]:
    spec = study.spec
    kinds = ["CLS" if kind == CLS else kind for kind in spec.grid.prefix]
    prefix = f" ({', '.join(kinds)} and {spec.grid.size} patches)" if kinds else ""
    yield f"{spec.n_layers} layers × {spec.heads_words} heads"
    yield f"{spec.grid.rows} × {spec.grid.cols} patches, {spec.grid.n_tokens} tokens{prefix}"
    yield f"{spec.n_classes} classes" if spec.n_classes else "no class head"


def _images(study: Study) -> Iterator[str]:
    images = study.images
    done = "" if study.n_done == study.n_images else f", {study.n_done} of them done"
    n_labels = len(set(images["label_name"].tolist()) - {""})
    classes = f" with {n_labels} labels" if n_labels else " without labels"
    yield f"{study.n_images}{classes}{done}, from {study.manifest.images['root']}"
    labels, predicted = images["label"].to_numpy(), images["predicted"].to_numpy()
    known = (labels >= 0) & (predicted >= 0)
    if known.any():
        right = int((labels == predicted)[known].sum())
        yield f"accuracy {right / known.sum():.1%} ({right} of {known.sum()} with a label)"
    yield from image_lines(study.manifest.images)


def _stages(study: Study) -> Iterator[str]:
    stages = {**dict.fromkeys(STAGES), **study.manifest.stages}
    width = max(map(len, stages))
    for name, stage in stages.items():
        if stage and stage["done"]:
            yield f"{name:<{width}} {stage.get('seconds', 0):8.1f} s"
        else:
            asked = " (asked for)" if is_optional(name) else ""
            yield f"{name:<{width}} not finished{asked}"
        yield from (f"{'':<{width}}   {line}" for line in _remarks(name, stage or {}, study.spec))


def _remarks(name: str, stage: Mapping[str, Any], spec: ViTSpec) -> Iterator[str]:
    """What more there is to say of a stage."""
    if stage and stage_of(name) is None:
        yield unknown_words(name, stage)
    yield from _qualities(stage.get("detail", {}), spec)


def _qualities(detail: dict[str, Any], spec: ViTSpec) -> Iterator[str]:
    """How good what a stage made is, where it was measured."""
    if "average_precision" in detail:
        yield f"reconstruction: average precision of the ones {detail['average_precision']:.3f} (by chance {TOP_SHARE})"
    for name, neighbours in detail.get("neighbours", {}).items():
        if neighbours["kept"] is not None:
            chance = f"by chance {neighbours['by_chance']:.1%}"
            title = layout_words(name, spec)
            yield f"{title}: keeps {neighbours['kept']:.1%} of {N_NEIGHBOURS} nearest neighbours ({chance})"


def _size(study: Study) -> str:
    size = sum(file.lstat().st_size for file in study.path.rglob("*") if not file.is_dir())
    raw = attention_bytes(study.spec, study.n_done)
    return f"{size_text(size)}; the raw float32 attention would take {size_text(raw)}, {raw / size:.1f} times that"


def _heads(study: Study) -> Iterator[str]:
    over = coverage_words(study) or "images"
    yield f"the {_SHOWN_HEADS} most important by each metric, mean over {over}"
    width = max(len(metric.key) for metric in metrics())
    absent: dict[str, list[str]] = {}
    for metric in metrics():
        name = importance_array(study, metric.key)
        if name not in study:
            absent.setdefault(study.reason(name), []).append(metric.key)
            continue
        try:
            yield from _first_heads(study, metric, width=width)
        except StudyError as error:
            yield f"{metric.key:<{width}}  {error.message}"
    yield from (f"{', '.join(keys)}: {reason}" for reason, keys in absent.items())


def _first_heads(study: Study, metric: Metric, *, width: int) -> Iterator[str]:
    """The most important heads by a metric, and how sure that is while it is estimated."""
    found = importance_mean(study, metric.key)
    order = ranked_by_importance(found.mean)[:_SHOWN_HEADS]
    heads = [divmod(int(flat), study.spec.n_heads) for flat in order]
    over = f"; mean {found.words}" if found.words and found.half_width is None else ""
    figures = "   ".join(f"{short_head_name(*head):<7} {found.mean[head]:.4f}" for head in heads)
    yield f"{metric.key:<{width}}  {figures}   ({metric.meaning}{over})"
    if found.half_width is not None:
        widths = "   ".join(f"{'':<7} {found.half_width[head]:.4f}" for head in heads)
        yield f"{'±':>{width}}  {widths}   ({found.words})"
