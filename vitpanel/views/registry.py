"""The views that there are: the five of the paper's Fig. 1, and those that others add.

Others are given to `register`, or named as an entry point of the group ``vitpanel.views`` by a package.
"""

import re
from collections.abc import Iterator
from functools import cache

from vitpanel.core.packages import records_of_packages, refuse
from vitpanel.errors import VitpanelError
from vitpanel.views.attention_detail import AttentionDetail
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.head_importance import HeadImportance
from vitpanel.views.image_overview import ImageOverview
from vitpanel.views.pattern_overview import PatternOverview
from vitpanel.views.view import Place, View

GROUP = "vitpanel.views"
_SLUG = re.compile(r"[a-z][a-z0-9-]*")
_registered: dict[str, type[View]] = {
    view.slug: view for view in (ImageOverview, HeadImportance, AttentionStrength, PatternOverview, AttentionDetail)
}


def register(view: type[View]) -> type[View]:
    """Let a view be on every page that is made from now on, in this process; also used as a decorator.

    Raises
    ------
    VitpanelError
        If the class lacks something, or its slug is that of another view.
    """
    reason = _misfit(view, _registered)
    if reason:
        message = f"The view {view.__name__} cannot be registered: {reason}."
        raise VitpanelError(message, hint="See View in vitpanel.views.view for what a view declares.")
    _registered[view.slug] = view
    return view


def views() -> dict[str, type[View]]:
    """All views by their slugs, as they stand on the page: row by row, and in a row as they were registered."""
    known = {**_registered, **{slug: view for slug, view in _of_packages().items() if slug not in _registered}}
    return dict(sorted(known.items(), key=lambda item: item[1].place.row))


@cache
def _of_packages() -> dict[str, type[View]]:
    return dict(_sound_views())


def _sound_views() -> Iterator[tuple[str, type[View]]]:
    known = dict(_registered)
    for view in records_of_packages(GROUP, type):
        reason = _misfit(view, known)
        if reason:
            refuse(GROUP, view.__name__, reason)
            continue
        known[view.slug] = view
        yield view.slug, view


def _misfit(view: type, known: dict[str, type[View]]) -> str:
    """Why a class cannot be a view on the page; empty if it can."""
    if not issubclass(view, View):
        return "it is no subclass of View"
    for name, kind in (("title", str), ("slug", str), ("place", Place)):
        if not isinstance(getattr(view, name, None), kind):
            return f"it declares no {name} of type {kind.__name__}"
    if not _SLUG.fullmatch(view.slug):
        return f"its slug {view.slug!r} has more than small letters, digits and hyphens"
    if view.slug in known:
        return f"there is a view {view.slug!r} already, {known[view.slug].__name__}"
    return ""
