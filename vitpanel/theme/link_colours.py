"""Colours of the kinds of links, light to dark."""

from vitpanel.drawing.display import KINDS
from vitpanel.theme.palette import CLS_COLOURS, EXTRA_COLOURS, PATCH_COLOURS

KIND_COLOURS: dict[str, tuple[str, ...]] = dict(zip(KINDS, (PATCH_COLOURS, EXTRA_COLOURS, CLS_COLOURS), strict=True))
