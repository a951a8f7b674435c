"""Words in a frame: what went wrong, or what a person should know."""

from typing import Any, Literal

import panel as pn

from vitpanel.theme.palette import css

_STYLE = f"""
    .notice {{ padding: 8px 14px; font: 13px/1.45 sans-serif; color: {css("text")}; background: {css("surface")};
        border: 1px solid {css("muted")}; border-left: 4px solid {css("warning")}; border-radius: 4px; }}
    .notice.known {{ border-left-color: {css("value")}; }}
"""


def create_notice(html: str, *, kind: Literal["error", "known"] = "error", **options: Any) -> pn.pane.HTML:
    """Return a pane that is read aloud when it comes; ``known`` is for what is no error."""
    return pn.pane.HTML(
        f'<div class="notice {kind}" role="alert">{html}</div>', stylesheets=[_STYLE], **{"margin": 8} | options
    )
