"""Scripts for the browser, each put together from the modules in the folders ``js``.

Panel and Bokeh want the whole of a script as one text, and one text cannot import another. The files are modules all
the same, with imports and exports, so that tests, the linter and the type checker read them as they are.
"""

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

_IMPORT = re.compile(r'^import \{[\w, ]+\} from "((?:\.\.?/)+[\w/]+\.js)"$\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_TYPES = re.compile(r"^/\*\*.*?\*/\n", re.MULTILINE | re.DOTALL)  # for the type checker; a page is light without
_MAIN = re.compile(r"^export default function (\w+)\((.*?)\) \{$", re.MULTILINE | re.DOTALL)


def module_text(package: str, name: str) -> str:
    """Script of a component of Panel: the module ``name`` in the folder ``js`` of a package, after those it imports."""
    *imported, own = _texts(files(package).joinpath("js"), name)
    return "\n".join([*(_EXPORT.sub("", text) for text in imported), own])


def body_text(package: str, name: str) -> str:
    """Script of a model of Bokeh: the body of a function that calls what the module ``name`` exports as default.

    What Bokeh gives to a body are variables. The function's parameters are the names of those that it wants: of
    ``args`` in braces, then of what Bokeh adds, like ``cb_obj``. For callbacks alone Bokeh would take a module as it
    is, but loads that late and sometimes twice (`CustomJS.state` in bokeh 3.9.2).
    """
    text = module_text(package, name)
    found = _MAIN.search(text)
    if found is None:
        message = f"js/{name} of {package} exports no function as default."
        raise ValueError(message)
    function, parameters = found.groups()
    body = _EXPORT.sub("", text.replace("export default ", "", 1))
    return f"{body}\nreturn {function}({parameters})\n"


def _texts(folder: Traversable, name: str, known: set[str] | None = None) -> Iterator[str]:
    """Texts of a module and of all that it imports, each once and after those which it needs itself.

    Their names differ, in whatever folder they are.
    """
    known = {name} if known is None else known
    text = folder.joinpath(name).read_text(encoding="utf-8")
    for place in _IMPORT.findall(text):
        where, _, imported = place.rpartition("/")
        if imported not in known:
            known.add(imported)
            yield from _texts(folder.joinpath(where), imported, known)
    yield _TYPES.sub("", _IMPORT.sub("", text))
