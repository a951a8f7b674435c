"""vitpanel in a notebook cell."""

import holoviews as hv
import panel as pn

from vitpanel.app.explorer import Explorer
from vitpanel.app.inference import ModelService
from vitpanel.study.reader import Study


def explore(study: Study, *, live: bool = True) -> Explorer:
    """Show the linked views of a study in a cell.

    Each call makes views of their own: one result belongs to one cell.

    Parameters
    ----------
    live
        Load the study's model for pruning modes and attention matrices; needs torch.
    """
    # Inline resources make the views work without the internet.
    pn.extension(inline=True)
    hv.extension("bokeh", inline=True, logo=False)
    service = None
    if live:
        service = ModelService(study)
        service.warm_up()
    return Explorer(study, service=service)
