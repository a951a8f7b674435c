"""What a newcomer to a study looks at first."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vitpanel.core.metrics import metric_keys
from vitpanel.core.spec import short_head_name
from vitpanel.state.ranking import ranked_heads
from vitpanel.study.reader import Study
from vitpanel.study.schema import image_layouts


def first_values(study: Study) -> dict[str, Any]:
    """Where a newcomer starts: the head that matters most on average, on the image where it matters most."""
    layouts = image_layouts(study.spec)
    image_layout = next((name for name, array in layouts.items() if array in study), next(iter(layouts)))
    share_source = "patches" if study.spec.grid.cls is None else "cls"
    start = {"pattern": first_pattern(study), "image_layout": image_layout, "share_source": share_source}
    metric = next((key for key in metric_keys() if f"importance/{key}" in study), None)
    if metric is None:
        return start
    layer, head = ranked_heads(study, metric)[0]
    image = np.nanargmax(study[f"importance/{metric}"][:, layer, head])
    return {"image": int(image), "layer": layer, "head": head, "metric": metric} | start


def why_first(values: Mapping[str, Any]) -> str:
    """Why `first_values` has its head and its image, in words; empty where it has none."""
    if "image" not in values:
        return ""
    head = short_head_name(values["layer"], values["head"])
    return f"{head}, the most important head, on image {values['image']}, which needs it most"


def first_pattern(study: Study) -> str:
    """Layout of all heads that is shown first: the one that tells heads apart best (docs/patterns.md), if there."""
    return "offset" if "layout/offset" in study else "patch"
