"""How far the patches of a head look (C)."""

import numpy as np
import pandas as pd

from vitpanel.state.brush import HEAD, mask_of
from vitpanel.state.queries.image_set import others_mask
from vitpanel.state.selection import Selection
from vitpanel.state.strength import BrushedStrength, brushed_strength, head_density, head_strength
from vitpanel.study.reader import Study

HOP_COLUMNS = (
    "layer", "head", "hop", "chosen_image", "mean", "mean_of_brush", "std_of_brush", "n_of_brush", "mean_of_rest",
    "std_of_rest", "n_of_rest", "mean_of_heads",
)  # fmt: skip
DENSITY_COLUMNS = ("layer", "head", "measure", "value", "density", "density_of_brush", "n", "n_of_brush")


def strength_of_brushes(study: Study, selection: Selection) -> BrushedStrength:
    """Strength of the chosen head on the brushed images, and of the brushed heads; raises as `head_strength`.

    Of heads on images nothing is told: their mean would read the strength of all heads on all images.
    """
    brush = selection.heads
    images = None if selection.images is None else mask_of(study, selection.images)
    heads = None if brush is None or brush.item != HEAD else mask_of(study, brush)
    others = others_mask(study, selection)
    return brushed_strength(study, selection.chosen_head, selection.image, images=images, heads=heads, others=others)


def hop_table(study: Study, selection: Selection) -> pd.DataFrame:
    """Strength of the chosen head over hops, and of what is brushed; raises as `head_strength`.

    Returns
    -------
    The columns `HOP_COLUMNS`; ``chosen_image`` is NaN without an image, all are NaN for a hop that no patch has.
    ``…_of_brush`` and ``…_of_rest`` are of the head on the brushed images and on what they are held against, NaN
    without a brush of images. ``mean_of_heads`` is over the brushed heads, on the chosen image or over all, NaN without
    a brush of heads.
    """
    found = head_strength(study, selection.chosen_head, selection.image)
    brushed = strength_of_brushes(study, selection)
    columns = {"layer": selection.layer, "head": selection.head, "hop": np.arange(len(found.mean))}
    chosen = np.nan if found.chosen is None else found.chosen
    columns |= {"chosen_image": chosen, "mean": found.mean}
    for name, part in (("brush", brushed.brush), ("rest", brushed.rest)):
        mean, std, n_images = (np.nan, np.nan, 0) if part is None else (part.mean, part.std, part.n_images)
        columns |= {f"mean_of_{name}": mean, f"std_of_{name}": std, f"n_of_{name}": n_images}
    return pd.DataFrame(columns | {"mean_of_heads": np.nan if brushed.heads is None else brushed.heads})


def density_table(study: Study, selection: Selection) -> pd.DataFrame:
    """Density of the chosen measure of the chosen head over images, at places along its axis; raises as `head_density`.

    Returns
    -------
    The columns `DENSITY_COLUMNS`. With a brush ``density`` is over what it is held against; ``density_of_brush`` is NaN
    without one. ``n`` and ``n_of_brush`` count the images behind each.
    """
    brushed = None if selection.images is None else mask_of(study, selection.images)
    others = others_mask(study, selection)
    found = head_density(study, selection.measure, selection.chosen_head, brushed=brushed, others=others)
    columns = {"layer": selection.layer, "head": selection.head, "measure": found.measure, "value": found.grid}
    of_brush = np.nan if found.brushed is None else found.brushed
    curves = {"density": found.density, "density_of_brush": of_brush, "n": found.n, "n_of_brush": found.n_brushed}
    return pd.DataFrame(columns | curves)
