"""The font of the icons, for places that cannot load it by its address."""

import base64
from functools import lru_cache
from importlib.resources import files

import panel_material_ui as pmui
import param
from panel.custom import JSComponent

from vitpanel.views.scripts import module_text

# What makes the names of icons icons, inside of each component.
ICON_CSS = """
.material-icons { font-family: "Material Icons"; font-weight: normal; font-style: normal; line-height: 1;
    letter-spacing: normal; text-transform: none; white-space: nowrap; font-feature-settings: "liga"; }
"""


class IconFont(JSComponent):
    """Brings the icons of panel-material-ui into a notebook.

    With inline resources, which need no internet, neither the style of icons nor their font arrives, and their names
    would stand where they belong. `ICON_CSS` is the style.
    """

    font = param.String(default="", doc="The font as a data URI.")

    _esm = module_text("vitpanel.app", "icon_font.js")

    @classmethod
    def create(cls) -> "IconFont":
        """Font as it comes with panel-material-ui."""
        return cls(font=_data_uri(), width=0, height=0, margin=0)


@lru_cache(maxsize=1)
def _data_uri() -> str:
    name = "material-icons-"
    folder = files(pmui).joinpath("dist")
    faces = [file for file in folder.iterdir() if file.name.startswith(name) and file.name.endswith(".woff2")]
    plain = next(file for file in faces if not file.name.removeprefix(name).startswith(("outlined", "round", "sharp")))
    return "data:font/woff2;base64," + base64.b64encode(plain.read_bytes()).decode()
