"""Scripts of the figures of all views."""

import re
from collections.abc import Callable
from importlib.resources import files

import pytest
from bokeh.models import CustomJS, CustomJSHover, CustomJSTickFormatter, Model

from vitpanel.state.session import Session
from vitpanel.views.bridge import Bridge
from vitpanel.views.registry import on_demand
from vitpanel.views.registry import views as known_views

FIGURES = files("vitpanel.views.figures").joinpath("js")
CALL = re.compile(r"^return (\w+)\((?:\{([^}]*)\})?[\w, ]*\)$", re.MULTILINE)  # ends each body
MAIN = re.compile(r"^export default function (\w+)", re.MULTILINE)


@pytest.fixture
def scripted(make_session: Callable[..., Session]) -> list[Model]:
    """All models with a script in the figures of all views."""
    bridge, session, kinds = Bridge(), make_session(), known_views() | on_demand()
    charts = [chart for view in kinds.values() for chart in view(session, bridge).charts.values()]
    models = {model.id: model for chart in charts for model in chart.figure.references()}
    return [model for model in models.values() if isinstance(model, (CustomJS, CustomJSHover, CustomJSTickFormatter))]


def test_each_script_is_used_and_given_what_it_asks_for(scripted: list[Model]):
    used = set()
    for model in scripted:
        call = CALL.search(model.code)
        if call is None:
            continue
        used.add(call[1])
        asked = set(re.findall(r"\w+", call[2] or ""))
        assert asked <= set(model.args), call[1]
    texts = [path.read_text("utf-8") for path in FIGURES.iterdir() if path.name.endswith(".js")]
    names = {name for text in texts for name in MAIN.findall(text)}
    assert used == names - {"pixel_tick"}  # which needs a model whose patches have a size in pixels
