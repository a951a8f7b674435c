"""A button with a text that opens over the page, like the "?" beside a view's title with its chapter of the guide."""

import re
from functools import lru_cache
from importlib.resources import files
from typing import ClassVar

import param
from markdown_it import MarkdownIt

from vitpanel.core.metrics import metrics
from vitpanel.theme.palette import css
from vitpanel.views.component import Component

_CHAPTER = re.compile(r"^## (.+?)(?: \([A-D].*\))?\n", flags=re.MULTILINE)
# The page lists the metrics that there are; the document, those that come with vitpanel.
_METRICS = re.compile(r"^<!-- metrics -->\n.*?^<!-- -->\n", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
_STYLE = f"""
:host {{ align-self: center; }}
.popover {{ display: flex; align-items: center; gap: 4px; }}
.popover > h2 {{ margin: 0; font: 500 14px/1.5 sans-serif; color: {css("text")}; white-space: nowrap; }}
.mark {{ min-width: 24px; height: 24px; padding: 0 10px; border: 1px solid {css("muted")}; border-radius: 12px;
  cursor: pointer; font: 12.5px/20px sans-serif; color: inherit; background: none; white-space: nowrap; }}
.mark.small {{ padding: 0; font: bold 13px/20px sans-serif; color: {css("hint")}; }}
.mark:hover, .mark[aria-expanded=true] {{ border-color: currentColor; }}
.mark:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: 1px; }}
.chapter {{ position: fixed; inset: auto; margin: 0; width: min(460px, 90vw); max-height: min(560px, 70vh);
  overflow-y: auto; box-sizing: border-box; padding: 10px 16px; border: 1px solid {css("muted")}; border-radius: 4px;
  font: 13px/1.45 sans-serif; color: {css("text")}; background: {css("surface")};
  box-shadow: 0 4px 16px rgba(0, 0, 0, 0.25); }}
.chapter:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
.chapter h2 {{ margin: 10px 0 6px; font-size: 15px; }}
.chapter h2:first-child {{ margin-top: 0; }}
.chapter p, .chapter ul {{ margin: 0 0 8px; }}
.chapter ul {{ padding-left: 18px; }}
.chapter p > strong:first-child {{ display: block; font-size: 13px; }}
.chapter code {{ white-space: nowrap; }}
.chapter table {{ border-collapse: collapse; margin: 0 0 8px; }}
.chapter th, .chapter td {{ padding: 2px 10px 2px 0; text-align: left; vertical-align: top; }}
"""


class Popover(Component):
    """A button that shows a text while it is pointed at, and keeps it when it is pressed; a heading may be before it.

    Parameters
    ----------
    heading
        Stands before the button and above the text; empty for none.
    mark
        What is on the button.
    label
        What the button and the text are called when they are read aloud.
    text
        HTML.
    """

    heading = param.String(default="", doc="Stands before the button and above the text.")
    mark = param.String(default="?", doc="What is on the button; empty for no button.")
    label = param.String(default="", doc="What the button and the text are called when they are read aloud.")
    text = param.String(default="", doc="HTML.")

    _module = ("vitpanel.views", "popover.js")
    _stylesheets: ClassVar[list[str]] = [_STYLE]


def chapter(title: str) -> str:
    """Chapter of ``docs/reading-the-views.md`` on a view, as HTML; empty if there is none."""
    return _chapters(metric_list()).get(title, "")


def metric_list() -> str:
    """Return how to read each metric, as a list in Markdown."""
    return "".join(f"- *{metric.label}*: {metric.help}\n" for metric in metrics())


@lru_cache(maxsize=1)
def _chapters(metrics_in_markdown: str) -> dict[str, str]:
    # A link to the document that people read on the web, so that each thing is explained in one place.
    guide = files("vitpanel.views").joinpath("reading-the-views.md").read_text(encoding="utf-8")
    _, *parts = _CHAPTER.split(_METRICS.sub(lambda _: metrics_in_markdown, guide))
    # Links lead to other documents, which the server of the page does not have.
    render = MarkdownIt("commonmark").enable("table").render
    return {title: render(_LINK.sub(r"\1", text)) for title, text in zip(parts[::2], parts[1::2], strict=True)}
