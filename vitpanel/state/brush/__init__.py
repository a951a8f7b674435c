"""Brushes: sets of images, heads or tokens that a person marked, as predicates that outlive the view they come from.

A new kind of brush is a frozen dataclass that inherits from `Brush`; nothing else has to know it.
"""

from vitpanel.state.brush.base import (
    HEAD,
    IMAGE,
    INSTANCE,
    ITEMS,
    TOKEN,
    WAYS,
    Brush,
    brushed_heads,
    combined,
    mask_of,
    mask_shape,
)
from vitpanel.state.brush.compound import And, Not, Or
from vitpanel.state.brush.of_heads import Holding, OfHeads, OfLayers, brush_of_heads
from vitpanel.state.brush.of_images import OfHead, Predicted, brush_of_group
from vitpanel.state.brush.of_tokens import PatchBlock, brush_of_tokens
from vitpanel.state.brush.predicates import Ids, InPolygon, InRange, Matches, Near, OfClass

__all__ = [
    "HEAD", "IMAGE", "INSTANCE", "ITEMS", "TOKEN", "WAYS", "And", "Brush", "Holding", "Ids", "InPolygon", "InRange",
    "Matches", "Near", "Not", "OfClass", "OfHead", "OfHeads", "OfLayers", "Or", "PatchBlock", "Predicted",
    "brush_of_group", "brush_of_heads", "brush_of_tokens", "brushed_heads", "combined", "mask_of", "mask_shape",
]  # fmt: skip
