"""The button "Tasks" in the page's header, and the sheet that it opens beside the views."""

from typing import Any, ClassVar

import param

from vitpanel.app.page import HEADER_HEIGHT, OPENER
from vitpanel.app.tasks import TaskSheet
from vitpanel.state.caption import study_name
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.component import Component


class TaskPanel(Component):
    """Opens a sheet of tasks over one side of the page, where it stays while a person works; it is sent when opened.

    The browser keeps what is ticked, and at which side the sheet stands.

    Parameters
    ----------
    sheet
        What is to be tried.
    study
        On what; each has ticks of its own.
    """

    name_of_ticks = param.String(default="", doc="Under which the browser keeps the ticks.")

    _module = ("vitpanel.app", "task_panel.js")
    # Over the views, and below one that fills the page (1250) or is opened on demand (1200).
    _stylesheets: ClassVar[list[str]] = [
        OPENER,
        f"""
    :host {{ align-self: center; }}
    .sheet {{ position: fixed; inset: {HEADER_HEIGHT + 6}px 6px 6px auto; width: min(340px, 40vw); z-index: 1150;
        display: flex; flex-direction: column; box-sizing: border-box; color: {css("text")};
        background: {css("surface")}; border: 1px solid {css("muted")}; border-radius: 4px;
        box-shadow: 0 4px 16px rgba(0, 0, 0, 0.3); }}
    .sheet.left {{ inset: {HEADER_HEIGHT + 6}px auto 6px 6px; }}
    .sheet[hidden] {{ display: none; }}
    .sheet:focus-visible, .text:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .top {{ display: flex; align-items: center; gap: 4px; padding: 4px 4px 4px 14px;
        border-bottom: 1px solid {css("muted")}; font: 13px sans-serif; }}
    .top span {{ margin-right: auto; }}
    .top button {{ width: 28px; height: 28px; padding: 0; border: 0; border-radius: 4px; font: 20px/24px sans-serif;
        color: inherit; background: none; cursor: pointer; }}
    .top button:hover {{ background: {css("grid")}; }}
    .top button:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .text {{ overflow-y: auto; padding: 0 14px 10px; font: 13px/1.45 sans-serif; overflow-wrap: anywhere; }}
    .text h1 {{ margin: 10px 0 6px; font-size: 16px; }}
    .text h2 {{ margin: 14px 0 4px; font-size: 14px; }}
    .text h2 label {{ display: flex; gap: 8px; align-items: baseline; cursor: pointer; }}
    .text h2 input {{ flex: none; margin: 0; transform: translateY(2px); }}
    .text h2.done label span {{ text-decoration: line-through; color: {css("hint")}; }}
    .text :is(p, ul, ol, table, pre) {{ margin: 0 0 8px; }}
    .text :is(ul, ol) {{ padding-left: 20px; }}
    .text pre {{ overflow-x: auto; }}
    .text a {{ color: {css("value")}; }}
    .text :is(th, td) {{ padding: 2px 10px 2px 0; text-align: left; vertical-align: top; }}
""",
    ]

    def __init__(self, sheet: TaskSheet, study: Study, **params: Any) -> None:
        super().__init__(name_of_ticks=f"ticks.{study_name(study)}.{sheet.title}", **params)
        self._sheet = sheet

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if "opened" in data:
            self._send_msg({"html": self._sheet.html})
