"""C1: the numbers that every head has, each of which can be an axis or the colour of the chart of all heads.

A number more is one record more in `head_numbers`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from vitpanel.core.metrics import Metric, metrics
from vitpanel.errors import StudyIncompleteError, VitpanelError
from vitpanel.state.pattern_map import pattern_map
from vitpanel.state.strength import MEASURES, head_values, rows_of_image
from vitpanel.study.heads import PATTERN, cls_shares, image_cls_shares
from vitpanel.study.means import importance_mean
from vitpanel.study.reader import Study

if TYPE_CHECKING:
    from vitpanel.state.queries.brush_shares import BrushShares
    from vitpanel.state.selection import Selection
    from vitpanel.state.session import Session

LAYER, HEAD_INDEX, MEASURE = "layer", "head", "measure"
EFFECT, BRUSH_SHARE, TOKEN_SHARE = "effect", "brush_share", "token_share"
NO_IMAGES, NO_HEADS, NO_TOKENS = "No images are brushed.", "No heads are brushed.", "No tokens are brushed."
SPREAD = 0.7  # of a layer's width, over which its heads stand side by side
_cls_means: WeakKeyDictionary[Study, np.ndarray] = WeakKeyDictionary()
_lock = Lock()


@dataclass(frozen=True)
class Found:
    """A number of every head.

    Parameters
    ----------
    per_head
        Float ``(n_layers, n_heads)``; NaN where it is not known or not defined, and for a head that the model lacks.
    std
        Standard deviation over images, of the same shape; None where there is none.
    span
        Ends of an axis that stay, or nearly, whatever image is chosen; None to fit an axis to the values.
    words
        What images it is over, where these are not all; else empty.
    """

    per_head: np.ndarray
    std: np.ndarray | None = None
    span: tuple[float, float] | None = None
    words: str = ""


@dataclass(frozen=True)
class HeadNumber:
    """A number that every head has.

    Parameters
    ----------
    key
        Name in addresses and tables.
    label
        Name in menus.
    find
        Finds it for a session, on the chosen image or over all; a `VitpanelError` says why it cannot be had.
    axis_label
        What it is, with its unit, for what is chosen.
    is_signed
        Whether 0 is a limit between two kinds of heads.
    is_share
        Whether it is a share, in [0, 1].
    array
        Array of the study whose mean over images it is when no image is chosen; empty for none.
    work
        Returns what has to be done first and may take long, None when it is done.
    """

    key: str
    label: str
    find: "Callable[[Session], Found]"
    axis_label: "Callable[[Selection], str]"
    is_signed: bool = False
    is_share: bool = False
    array: str = ""
    work: "Callable[[Session], Callable[[], object] | None]" = field(default=lambda _: None)


def head_numbers() -> dict[str, HeadNumber]:
    """All numbers by their keys, those of metrics that are registered among them."""
    known = (
        HeadNumber(LAYER, "Layer", partial(_index, axis=0), _said("layer")),
        HeadNumber(HEAD_INDEX, "Head number", partial(_index, axis=1), _said("head number")),
        *(
            HeadNumber(measure, measure.capitalize(), partial(_measure, measure), _said(label), array=measure)
            for measure, label in zip(MEASURES, ("entropy", "distance (patches)"), strict=True)
        ),
        *(_of_metric(metric) for metric in metrics()),
        HeadNumber(
            "cohesion", "Cohesion", _cohesion, lambda selection: f"cohesion ({selection.pattern})", is_share=True,
            work=_cohesion_work,
        ),
        HeadNumber("to_cls", "To CLS", _to_cls, _said("attention to CLS"), is_share=True, work=_to_cls_work),
        HeadNumber(EFFECT, "Brush effect", _effect, _said("effect (Hedges' g)"), is_signed=True),
        HeadNumber(BRUSH_SHARE, "In the brush", _brush_share, _said("share in the brush"), is_share=True),
        HeadNumber(TOKEN_SHARE, "To tokens", _token_share, _token_label, is_share=True),
    )  # fmt: skip
    return {number.key: number for number in known}


def head_number(key: str, selection: "Selection") -> HeadNumber:
    """Return the number of a key; `MEASURE` stands for the measure that is chosen."""
    return head_numbers()[selection.measure if key == MEASURE else key]


def axis_places(values: np.ndarray, heads: np.ndarray, *, key: str, other: str, n_heads: int) -> np.ndarray:
    """Where heads stand along an axis; heads of a layer side by side in their order, so that none hides another.

    Parameters
    ----------
    values, heads
        Number of each head along the axis, and its index in its layer; of the same shape. Not modified.
    key
        Of the number along the axis.
    other
        Key of the number along the other axis, which by itself tells the heads of a layer apart if it is their index.
    n_heads
        Of the layer that has most.
    """
    places = np.asarray(values, np.float64)
    if key == LAYER and other != HEAD_INDEX:
        return places + ((np.asarray(heads) + 0.5) / n_heads - 0.5) * SPREAD
    return places


def _said(words: str) -> "Callable[[Selection], str]":
    return lambda _: words


def _index(session: "Session", *, axis: int) -> Found:
    spec = session.study.spec
    values = np.indices((spec.n_layers, spec.n_heads))[axis]
    return Found(np.where(spec.is_there, values, np.nan))


def _measure(measure: str, session: "Session") -> Found:
    _check(session.study, measure)
    found = head_values(session.study, measure, session.selection.image)
    return Found(found.per_head, found.std, found.span)


def _of_metric(metric: Metric) -> HeadNumber:
    array = f"importance/{metric.key}"
    label = _said(f"{metric.title} ({metric.unit})" if metric.unit else metric.title)
    return HeadNumber(
        array.replace("/", "_"), metric.label, partial(_importance, metric.key), label, is_signed=metric.is_signed,
        array=array,
    )  # fmt: skip


def _importance(metric: str, session: "Session") -> Found:
    study, image = session.study, session.selection.image
    _check(study, f"importance/{metric}")
    if image is not None:
        return Found(rows_of_image(study, f"importance/{metric}", image))
    mean = importance_mean(study, metric)
    return Found(mean.mean, mean.std, words=mean.words)


def _cohesion(session: "Session") -> Found:
    return Found(pattern_map(session.study, session.selection.pattern).cohesion.share)


def _cohesion_work(session: "Session") -> Callable[[], object] | None:
    found = pattern_map(session.study, session.selection.pattern)
    return None if found.has_cohesion else lambda: found.cohesion


def _to_cls(session: "Session") -> Found:
    study, image = session.study, session.selection.image
    _check(study, PATTERN)
    if image is None:
        return Found(_mean_to_cls(study))
    return Found(image_cls_shares(study, image)["to_cls"])


def _to_cls_work(session: "Session") -> Callable[[], object] | None:
    study = session.study
    if session.selection.image is not None or study in _cls_means or study.reason(PATTERN):
        return None
    return lambda: _mean_to_cls(study)


def _mean_to_cls(study: Study) -> np.ndarray:
    """Mean over images, found once for all sessions: the patterns of many images are gigabytes."""
    if study not in _cls_means:
        with _lock:
            if study not in _cls_means:
                _cls_means[study] = cls_shares(study)["to_cls"]
    return _cls_means[study]


def _effect(session: "Session") -> Found:
    table = session.set_against_rest(as_drawn=False)
    if table is None:
        raise _without(NO_IMAGES, way="Draw around images in Image Overview")
    spec = session.study.spec
    return Found(table["effect"].to_numpy(np.float64).reshape(spec.n_layers, spec.n_heads))


def _brush_share(session: "Session") -> Found:
    return _known(session.head_shares(), NO_HEADS, way="Draw a box around heads here")


def _token_share(session: "Session") -> Found:
    return _known(session.token_shares(), NO_TOKENS, way="Brush patches in Attention Pattern")


def _token_label(selection: "Selection") -> str:
    return f"{'CLS' if selection.share_source == 'cls' else 'patches'} to the tokens"


def _known(shares: "BrushShares | None", missing: str, *, way: str) -> Found:
    if shares is None:
        raise _without(missing, way=way)
    if shares.reason:
        raise StudyIncompleteError(shares.reason)
    return Found(shares.values)


def _check(study: Study, array: str) -> None:
    if reason := study.reason(array):
        raise StudyIncompleteError(reason)


def _without(message: str, *, way: str) -> VitpanelError:
    return StudyIncompleteError(message, hint=f"{way}, or choose another number.")
