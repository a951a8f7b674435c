"""How far the patches of a head, and of all heads, look (C)."""

import numpy as np
import pandas as pd

from vitpanel.state.brush import mask_of
from vitpanel.state.queries.image_set import others_mask
from vitpanel.state.queries.marks import MARKS, all_heads, with_marks
from vitpanel.state.selection import Selection
from vitpanel.state.strength import head_density, head_strength, head_values
from vitpanel.study.reader import Study

MEASURE_COLUMNS = ("layer", "head", "measure", "value", "std", *MARKS)
HOP_COLUMNS = ("layer", "head", "hop", "chosen_image", "mean")
DENSITY_COLUMNS = ("layer", "head", "measure", "value", "density", "density_of_brush", "n", "n_of_brush")


def measure_table(study: Study, selection: Selection) -> pd.DataFrame:
    """The chosen measure of all heads, on the chosen image or over all; raises as `head_values`.

    Returns
    -------
    The columns `MEASURE_COLUMNS`; ``std`` is over images, NaN when one is chosen.
    """
    found = head_values(study, selection.measure, selection.image)
    std = np.nan if found.std is None else found.std.ravel()
    table = all_heads(study).assign(measure=found.measure, value=found.per_head.ravel(), std=std)
    return with_marks(table, study, selection)


def hop_table(study: Study, selection: Selection) -> pd.DataFrame:
    """Strength of the chosen head over hops; raises as `head_strength`.

    Returns
    -------
    The columns `HOP_COLUMNS`; ``chosen_image`` is NaN without an image, both are NaN for a hop that no patch has.
    """
    found = head_strength(study, selection.chosen_head, selection.image)
    columns = {"layer": selection.layer, "head": selection.head, "hop": np.arange(len(found.mean))}
    chosen = np.nan if found.chosen is None else found.chosen
    return pd.DataFrame(columns | {"chosen_image": chosen, "mean": found.mean})


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
