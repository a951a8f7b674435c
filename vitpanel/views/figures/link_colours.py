"""Colours of the kinds of links, light to dark."""

from bokeh.palettes import Greys256

from vitpanel.core.display import KINDS
from vitpanel.views.palette import CLS_COLOURS, PATCH_COLOURS

KIND_COLOURS = dict(zip(KINDS, (PATCH_COLOURS, tuple(reversed(Greys256))[:190], CLS_COLOURS), strict=True))
