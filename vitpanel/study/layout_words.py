"""What the layouts of a study are called: the same in menus, of the study, and while they are computed."""

from vitpanel.core.spec import ViTSpec
from vitpanel.study.metric_arrays import layout_label
from vitpanel.study.schema import image_layouts

_LAYOUT, _OF_IMAGES = "layout/", "images_"
_OF_HEADS = {"patch": "Patch", "cls": "CLS"}


def head_layout_label(name: str) -> str:
    """Name of a layout of heads in menus; it is given without ``layout/``."""
    return _OF_HEADS.get(name, name.replace("_", " ").capitalize())


def layout_words(array: str, spec: ViTSpec) -> str:
    """What a layout shows, as in "images by JSD" and "heads by CLS", with the words that menus have for it.

    Parameters
    ----------
    array
        Name of the array. One of a metric that is not known here is called by its own name.
    spec
        Of the model: without classes, images are laid out by another metric.
    """
    for name, of_images in image_layouts(spec).items():
        if array == of_images:
            return f"images by {layout_label(name)}"
    name = array.removeprefix(_LAYOUT)
    if name.startswith(_OF_IMAGES):
        return f"images by {name.removeprefix(_OF_IMAGES).replace('_', ' ')}"
    return f"heads by {head_layout_label(name)}"
