"""The views that there are: the five of the paper's Fig. 1, two that are opened on demand, and those that others add.

Others are given to `register`, or named as an entry point of the group ``vitpanel.views`` by a package.
"""

import re
from collections.abc import Mapping

from vitpanel.core.packages import Registry
from vitpanel.views.attention_detail import AttentionDetail
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.class_statistics import ClassStatistics
from vitpanel.views.diagnosis import Diagnosis
from vitpanel.views.head_importance import HeadImportance
from vitpanel.views.image_overview import ImageOverview
from vitpanel.views.pattern_overview import PatternOverview
from vitpanel.views.set_pruning import PruneSet
from vitpanel.views.view import Place, View

GROUP = "vitpanel.views"
_SLUG = re.compile(r"[a-z][a-z0-9-]*")


def register(view: type[View]) -> type[View]:
    """Let a view be on every page that is made from now on, in this process; also used as a decorator.

    Raises
    ------
    VitpanelError
        If the class lacks something, or its slug is that of another view.
    """
    return REGISTRY.register(view)


def views() -> dict[str, type[View]]:
    """All views that stand on the page by their slugs: row by row, and in a row as they were registered."""
    placed = [(view.place.row, slug, view) for slug, view in REGISTRY.known().items() if view.place is not None]
    return {slug: view for _, slug, view in sorted(placed, key=lambda item: item[0])}


def on_demand() -> dict[str, type[View]]:
    """All views that are opened on demand by their slugs, as they were registered."""
    return {slug: view for slug, view in REGISTRY.known().items() if view.place is None}


def _misfit(view: type, known: Mapping[str, type[View]]) -> str:
    """Why a class cannot be a view on the page; empty if it can."""
    if not issubclass(view, View):
        return "it is no subclass of View"
    for name, kind in (("title", str), ("slug", str), ("place", Place | None)):
        if not isinstance(getattr(view, name, ...), kind):
            return f"it declares no {name} of type {getattr(kind, '__name__', kind)}"
    if not _SLUG.fullmatch(view.slug):
        return f"its slug {view.slug!r} has more than small letters, digits and hyphens"
    if view.slug in known:
        return f"there is a view {view.slug!r} already, {known[view.slug].__name__}"
    return ""


REGISTRY = Registry[type[View]](
    GROUP,
    kind=type,
    key="slug",
    misfit=_misfit,
    noun="view",
    see="View in vitpanel.views.view",
    own=(
        ImageOverview,
        HeadImportance,
        AttentionStrength,
        PatternOverview,
        AttentionDetail,
        Diagnosis,
        ClassStatistics,
        PruneSet,
    ),
)
