"""A small app that can be made to fail, served with or without the guards.

``python light_app.py guarded`` serves a function, ``panel serve light_app.py --args guarded`` a script.
"""

import sys
from typing import Any

import panel as pn
from tornado.web import RequestHandler

from vitpanel.runtime.guards import install, present_guarded

SECRET = "what only the log may say"  # noqa: S105 - no password


class Fails(RequestHandler):
    """Answers no request."""

    def get(self) -> None:
        """Fail."""
        raise RuntimeError(SECRET)


def page() -> pn.viewable.Viewable:
    """Page with a button that fails, or a failure if its address asks for one."""
    if pn.state.session_args.get("fail"):
        raise RuntimeError(SECRET)
    button = pn.widgets.Button(name="Fail")
    button.on_click(fail)
    return pn.Column(button, pn.widgets.TextInput(name="light"))


def fail(_: object) -> None:
    """Fail."""
    raise RuntimeError(SECRET)


def guarded_page() -> None:
    """Show the page as our servers do."""
    present_guarded(page, title="light")


def main(mode: str) -> None:
    """Serve a function."""
    if mode == "guarded":
        install()
    options: dict[str, Any] = {"port": 0, "show": False, "start": True, "extra_patterns": [("/fails", Fails)]}
    served: Any = guarded_page if mode == "guarded" else page
    pn.serve({"app": served}, **options)


pn.extension()
if __name__ == "__main__":
    main(sys.argv[1])
elif __name__.startswith("bokeh_app"):
    if sys.argv[1] == "guarded":
        guarded_page()
    else:
        page().servable()
