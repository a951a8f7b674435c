"""Scripts for the browser, each put together from the modules in the folders ``js``.

Panel and Bokeh want the whole of a script as one text, and one text cannot import another. The files are modules all
the same, with imports and exports, so that tests, the linter and the type checker read them as they are.

A page of a server loads them all as one file (`page_text`), and its models only name them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import panel as pn
from bokeh.document import Document

_IMPORT = re.compile(r'^import \{[\w, ]+\} from "((?:\.\.?/)+[\w/]+\.js)"$\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_TYPES = re.compile(r"^/\*\*.*?\*/\n", re.MULTILINE | re.DOTALL)  # for the type checker; a page is light without
_MAIN = re.compile(r"^export default function (\w+)\((.*?)\) \{$", re.MULTILINE | re.DOTALL)
_AT_HAND = "vitpanel_scripts"  # variable of a document's template: package and name of what its page has


def module_text(package: str, name: str) -> str:
    """Script of a component of Panel: the module ``name`` in the folder ``js`` of a package, after those it imports."""
    *imported, own = _texts(files(package).joinpath("js"), name)
    return "\n".join([*(_EXPORT.sub("", text) for text in imported), own])


def body_text(package: str, name: str) -> str:
    """Script of a model of Bokeh: the body of a function that calls what the module ``name`` exports as default.

    What Bokeh gives to a body are variables. The function's parameters are the names of those that it wants: of
    ``args`` in braces, then of what Bokeh adds, like ``cb_obj``. For callbacks alone Bokeh would take a module as it
    is, but loads that late and sometimes twice (`CustomJS.state` in bokeh 3.9.2).

    While the session of a page is served that has the script already, the body does nothing but call it.
    """
    body, function, parameters = _main(package, name)
    if page_has((package, name), pn.state.curdoc):
        return f"return {_on_page((package, name))}({parameters})\n"
    return f"{body}\nreturn {function}({parameters})\n"


def as_component(module: tuple[str, str]) -> str:
    """Script of a component on a page that has the module already."""
    return f"export const render = {_on_page(module)}"


def page_text(
    components: Mapping[tuple[str, str], Iterable[str]], bodies: Iterable[tuple[str, str]], **known: Any
) -> str:
    """Return one script for a page, which makes all others known to its models.

    Parameters
    ----------
    components
        Package and name of their modules, with their styles.
    bodies
        Package and name of modules that export a function as default.
    known
        What else scripts find on the page, ready for JSON.
    """
    lines = [_EXPORT.sub("", module_text("vitpanel.runtime", "dressed.js"))]
    lines.append(f"const vitpanel = globalThis.vitpanel = {json.dumps(known)}")
    for module, styles in components.items():
        text, css = _EXPORT.sub("", module_text(*module)), json.dumps("\n".join(styles))
        lines.append(f"{_on_page(module)} = (() => {{\n{text}\nreturn dressed(render, {css})\n}})()")
    for module in bodies:
        body, function, _ = _main(*module)
        lines.append(f"{_on_page(module)} = (() => {{\n{body}\nreturn {function}\n}})()")
    # Modules are strict; in braces, since what a script declares outside of them is there for the whole page.
    return '"use strict"\n{\n' + "\n".join(lines) + "\n}\n"


def put_on_page(document: Document, modules: Iterable[tuple[str, str]]) -> None:
    """Note that the page of a document has modules."""
    document.template_variables[_AT_HAND] = frozenset(modules)


def page_has(module: tuple[str, str], document: Document | None) -> bool:
    """Whether the page of a document has a module already."""
    return document is not None and module in document.template_variables.get(_AT_HAND, ())


def _on_page(module: tuple[str, str]) -> str:
    return f"vitpanel[{json.dumps('/'.join(module))}]"


def _main(package: str, name: str) -> tuple[str, str, str]:
    """Text of a module that exports a function as default, with the function's name and parameters."""
    text = module_text(package, name)
    found = _MAIN.search(text)
    if found is None:
        message = f"js/{name} of {package} exports no function as default."
        raise ValueError(message)
    function, parameters = found.groups()
    return _EXPORT.sub("", text.replace("export default ", "", 1)), function, parameters


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
