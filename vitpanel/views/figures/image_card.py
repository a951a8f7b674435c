"""Words and pictures of one image, as HTML; what comes from files is escaped."""

import base64

import numpy as np

from vitpanel.errors import VitpanelError
from vitpanel.state.image_groups import NO_LABEL, NO_PREDICTION
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.base import escaped

SMALL_SIDE = 64
STRIP_STYLE = f"""
    .strip {{ display: flex; gap: 8px; align-items: center; height: 100%; padding: 0 8px; font: 12px/1.3 sans-serif;
        color: {css("text")}; box-sizing: border-box; }}
    .strip img {{ width: 52px; height: 52px; object-fit: contain; background: {css("grid")};
        border: 1px solid {css("muted")}; }}
    .strip img.small {{ image-rendering: pixelated; }}
    .strip > div {{ min-width: 0; flex: 1; }}
    .strip .line {{ white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
    .strip .file, .strip .none {{ color: {css("hint")}; font-size: 11px; }}
    .strip .error {{ color: {css("warning")}; white-space: normal; }}
"""


def strip_html(study: Study, image: int | None) -> str:
    """The chosen image with its label, prediction and file, or how to choose one."""
    if image is None:
        whole = "One image" if study.n_images == 1 else f"All {study.n_images:,} images"
        words = f"{whole}. Click a point or type an id to look at one."
        return f'<div class="strip"><div class="none">{words}</div></div>'
    file = escaped(study.images["file"].iloc[image])
    return (
        f'<div class="strip">{_picture(study, image)}<div>'
        f'<div class="line">image {image}: <b>{_label(study, image)}</b></div>'
        f'<div class="line">{prediction_html(study, image)}</div>'
        f'<div class="line file" title="{file}">{file}</div></div></div>'
    )


def error_html(message: str, hint: str) -> str:
    """Say in place of the chosen image what went wrong."""
    words = f"{escaped(message)} {escaped(hint)}"
    return f'<div class="strip"><div class="error" role="alert">{words}</div></div>'


def card_html(study: Study, image: int, *, more: str = "") -> str:
    """What a pointed-at image is: thumbnail, id, label, prediction and p(true), and a line more if there is one."""
    picture = _picture(study, image, style="width:52px;height:52px;object-fit:contain")
    line = f"<br>{escaped(more)}" if more else ""
    return (
        f'<div style="display:flex;gap:8px;align-items:center">{picture}<div>'
        f"<b>image {image}</b><br>label: {_label(study, image)}<br>{prediction_html(study, image)}{line}</div></div>"
    )


def prediction_html(study: Study, image: int) -> str:
    """Predicted class, whether it is right, and the probability of the true class (else of the predicted one)."""
    label, predicted, name, p_true = (
        study.images[column].iloc[image] for column in ("label", "predicted", "predicted_name", "p_true")
    )
    if not name:
        return NO_PREDICTION
    mark = "" if label < 0 else " ✓" if label == predicted else " ✗"
    share = "" if np.isnan(p_true) else f", p({'label' if label >= 0 else 'top'}) {p_true:.3f}"
    return f"predicted {escaped(name)}{mark}{share}"


def _label(study: Study, image: int) -> str:
    return escaped(study.images["label_name"].iloc[image] or NO_LABEL)


def thumbnail_uri(study: Study, image: int) -> str:
    """Thumbnail as the source of an HTML image, empty for an image that is not done."""
    try:
        return data_uri(study.thumbnail(image))
    except VitpanelError:
        return ""


def is_crisp(study: Study) -> bool:
    """Whether pictures are so small that they blur when they are enlarged."""
    return max(study.spec.image_size) <= SMALL_SIDE


def _picture(study: Study, image: int, *, style: str = "") -> str:
    """Element of a picture, nothing for an image that is not done."""
    uri, small = thumbnail_uri(study, image), is_crisp(study)
    if not uri:
        return ""
    crisp = ";image-rendering:pixelated" if small else ""
    kind = "small" if small else ""
    return f'<img class="{kind}" style="{style}{crisp}" alt="image {image}" src="{uri}">'


def data_uri(picture: bytes) -> str:
    """WebP or PNG bytes as the source of an HTML image."""
    kind = "png" if picture.startswith(b"\x89PNG") else "webp"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
