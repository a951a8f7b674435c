"""What one person looks at now."""

import param

from vitpanel.core.importance import METRICS

PATTERNS = ("patch", "cls")


class Selection(param.Parameterized):
    """The one state that all views share; they write to it only in answer to a person's act."""

    image = param.Integer(default=None, bounds=(0, None), allow_None=True, doc="Chosen image; None means all images.")
    layer = param.Integer(default=0, bounds=(0, None), doc="Layer of the chosen head.")
    head = param.Integer(default=0, bounds=(0, None), doc="Index of the chosen head in its layer.")
    metric = param.Selector(default="probability", objects=list(METRICS), doc="Importance metric shown.")
    mode = param.Integer(default=1, bounds=(0, 5), doc="Pruning mode whose predictions are shown.")
    token = param.Integer(default=None, bounds=(0, None), allow_None=True, doc="Token whose attention is masked.")
    threshold = param.Number(
        default=0.01, bounds=(0, 1), inclusive_bounds=(False, True), doc="Share of the largest attention values drawn."
    )
    pattern = param.Selector(default="patch", objects=list(PATTERNS), doc="Which attention patterns are laid out.")
    density = param.Boolean(default=True, doc="Draw all heads as a density, not as points.")

    def choose_head(self, layer: int, head: int) -> None:
        """Choose a head in one step, so that watchers hear once."""
        self.param.update(layer=int(layer), head=int(head))
