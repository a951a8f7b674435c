"""The one script that a page of a server loads, and the browser keeps: those of all components and figures."""

from functools import lru_cache
from importlib.resources import files

from bokeh.document import Document

from vitpanel.runtime.page_files import PageFile
from vitpanel.runtime.scripts import page_text, put_on_page
from vitpanel.theme.palette import dark_ramps
from vitpanel.views.component import COMPONENTS

_FIGURES = "vitpanel.views.figures"


def load_scripts(document: Document) -> str:
    """Let the page of a document have all scripts; return the address that it loads them from."""
    put_on_page(document, _modules())
    return _SCRIPTS.address


@lru_cache(maxsize=1)
def _bodies() -> list[tuple[str, str]]:
    """Modules of figures that export a function as default."""
    paths = sorted(files(_FIGURES).joinpath("js").iterdir(), key=lambda path: path.name)
    return [(_FIGURES, path.name) for path in paths if "\nexport default function " in path.read_text("utf-8")]


@lru_cache(maxsize=1)
def _modules() -> frozenset[tuple[str, str]]:
    # What comes later, such as a component of a notebook's own, brings its script itself.
    return frozenset([*COMPONENTS, *_bodies()])


def page_scripts() -> str:
    """Return the script."""
    styles = {module: kind.own_styles() for module, kind in sorted(COMPONENTS.items()) if module in _modules()}
    return page_text(styles, _bodies(), ramps=dark_ramps())


_SCRIPTS = PageFile("scripts.js", "text/javascript; charset=utf-8", page_scripts)
