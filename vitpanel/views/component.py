"""What the page's own components have in common: a script of their own, which a page of a server has already."""

from typing import Any, ClassVar

from bokeh.document import Document
from panel.custom import JSComponent

from vitpanel.runtime.scripts import as_component, module_text, page_has

COMPONENTS: "dict[tuple[str, str], type[Component]]" = {}  # those that there are, by their scripts


class Component(JSComponent):
    """A component whose script is a module in a folder ``js``.

    On a page that has the scripts (`vitpanel.app.page_scripts`), it brings neither its script nor its style: there
    would be one of each with every button.
    """

    _module: ClassVar[tuple[str, str]]  # package and name of the file in its folder ``js``

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._esm = module_text(*cls._module)
        COMPONENTS[cls._module] = cls

    @classmethod
    def own_styles(cls) -> list[str]:
        """Return its own stylesheets."""
        return [str(sheet) for sheet in cls._stylesheets]

    def _get_properties(self, doc: Document | None) -> dict[str, Any]:
        properties = super()._get_properties(doc)
        if page_has(self._module, doc):
            own = self.own_styles()
            properties["esm"] = as_component(self._module)
            properties["stylesheets"] = [sheet for sheet in properties["stylesheets"] if sheet not in own]
        return properties
