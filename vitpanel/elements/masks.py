"""D2: the image under the attention of one token."""

import io
from contextlib import suppress
from typing import Any

import holoviews as hv
import numpy as np
from PIL import Image as Picture

from vitpanel.core.spec import short_head_name
from vitpanel.drawing.display import KINDS, token_kinds
from vitpanel.elements.live import FOLLOWS, Displays, Live
from vitpanel.elements.shades import shades_of, shows_scale, words_at
from vitpanel.elements.streams import Chart, Frame, Layer, Shown, on_box, on_tap, present
from vitpanel.elements.style import PICTURE, dressed
from vitpanel.elements.token_marks import patch_outline
from vitpanel.errors import ChoiceError, VitpanelError
from vitpanel.state.brush import PatchBlock
from vitpanel.state.queries import attention
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
from vitpanel.theme.mask_ramps import DARKEST, DIMMED, mask_ramps, ramp_strips
from vitpanel.theme.palette import CHOSEN

BAR_TICKS = (0, 0.5, 1)
SIDES = {"source": "where {} looks", "target": "who looks at {}"}


def attention_masks(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    side: str = "source",
    image: int | None = None,
    layer: int | None = None,
    head: int | None = None,
    token: int | None = None,
    scale: str | None = None,
    live: Live = True,
) -> Any:
    """An image, darkened, and on it as light where a token looks, or who looks at it, with the scale of the light (D2).

    A click on a patch chooses its token, a box brushes the patches that it touches. Brushed patches are outlined; while
    no token is chosen, the mask is theirs: where they look on average, or how much of its attention each patch gives
    them.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return the table behind it, with the columns `PATCH_COLUMNS` of `vitpanel.state.queries.attention`.
    side
        ``"source"`` for where the token looks, ``"target"`` for who looks at it.
    image, layer, head
        Which head on which image.
    token
        Whose attention; None takes the selection's, else that of the brushed tokens, else that of CLS, in a model
        without CLS the mean of all patches.
    scale
        How light grows with a value: ``"linear"``, ``"square root"`` or ``"log"``.
    live
        The model that is asked for the attention, as of `attention_heatmap`.

    Raises
    ------
    ChoiceError
        If there is no such side.
    InferenceError
        If there is no model.
    VitpanelError
        If there is nothing to draw; without a selection, or with ``table``.
    """
    if side not in SIDES:
        message = f"There is no side {side!r}."
        raise ChoiceError(message, hint=f"The sides are {' and '.join(SIDES)}.")
    query = Displays(live).asked(lambda *asked: attention.patches_of(*asked, side=side))
    layers = (
        Layer(_picture, _listen),
        Layer(_mask),
        Layer(_numbers),
        *(Layer(line) for line in patch_outline()),
        Layer(_chosen_patch),
    )
    follows = (*FOLLOWS, "token", "tokens", "scale")
    chart = Chart(query, attention.PATCH_COLUMNS, follows, layers, needs_image=True)
    options = {"image": image, "layer": layer, "head": head, "token": token, "scale": scale}
    return present(chart, study, selection, table=table, **options)


def _bounds(frame: Frame) -> tuple[int, int, int, int]:
    """Left, bottom, right and top, in patches; the first row of patches is the highest."""
    return 0, 0, frame.study.spec.grid.cols, frame.study.spec.grid.rows


def _picture(frame: Frame) -> hv.RGB:
    words = short_head_name(*frame.seen.chosen_head)
    if len(frame.table):
        words = SIDES[frame.table["side"].iloc[0]].format(frame.table["token"].iloc[0])
        words = f"{short_head_name(*frame.seen.chosen_head)}, {frame.who}: {words}"
    grid = frame.study.spec.grid
    look = PICTURE | {"frame_width": round(PICTURE["frame_height"] * grid.cols / grid.rows)}
    look |= {"xaxis": None, "yaxis": None, "tools": ["tap", "box_select"], "title": frame.title(words)}
    return dressed(hv.RGB(_darkened(frame), bounds=_bounds(frame)), **look)


def _darkened(frame: Frame) -> np.ndarray:
    """The crop in dark grey, uint8 ``(height, width, 3)``; one dark pixel where there is none."""
    grey = np.zeros((1, 1))
    if frame.seen.image is not None:
        # Words say in the title that the attention of the image is not there; its picture need not say it again.
        with suppress(VitpanelError):
            data = frame.study.crop(frame.seen.image)
            with Picture.open(io.BytesIO(data), formats=["WEBP"]) as picture:
                grey = np.asarray(picture.convert("L"), float)
    return np.repeat((DARKEST + DIMMED * grey).astype(np.uint8)[..., None], 3, axis=2)


def _values(frame: Frame) -> np.ndarray:
    """Attention by patch, 0 where there is none to show."""
    grid, table = frame.study.spec.grid, frame.table
    values = np.zeros((grid.rows, grid.cols))
    values[table["row"].to_numpy(int), table["column"].to_numpy(int)] = table["value"]
    return values


def _mask(frame: Frame) -> hv.Image:
    grid, seen, values = frame.study.spec.grid, frame.seen, _values(frame)
    kinds = {token_kinds(grid)[token] for token in attention.read_tokens(frame.study, seen)}
    kind, most = KINDS[kinds.pop() if len(kinds) == 1 else 0], float(values.max())
    words = words_at(BAR_TICKS, scale=seen.scale, most=most)
    if words[0] != "0":
        words[0] = f"≤ {words[0]}"
    strip = [_hex(pixel) for pixel in ramp_strips()[kind]]
    bar = shows_scale("bar", strip, words, is_shown=bool(len(frame.table)) and most > 0)
    return dressed(
        hv.Image(shades_of(values, scale=seen.scale, most=most), bounds=_bounds(frame), vdims=["light"]),
        cmap=[_hex(pixel) for pixel in mask_ramps()[kind]],
        clim=(0, 1),
        hooks=[bar],
    )


def _numbers(frame: Frame) -> hv.Image:
    """What a tooltip says; not to be seen."""
    numbers = hv.Image(_values(frame), bounds=_bounds(frame), vdims=["attention"])
    return dressed(numbers, alpha=0, tools=["hover"])


def _hex(pixel: int) -> str:
    """Colour of a pixel as Bokeh has it, red in the lowest byte."""
    return "#" + "".join(f"{pixel >> shift & 255:02x}" for shift in (0, 8, 16, 24))


def _chosen_patch(frame: Frame) -> hv.Rectangles:
    grid, token = frame.study.spec.grid, frame.seen.token
    place = None if token is None else grid.position(token)
    box = [] if place is None else [(place[1], grid.rows - place[0] - 1, place[1] + 1, grid.rows - place[0])]
    return dressed(hv.Rectangles(box), fill_alpha=0, line_color=CHOSEN, line_width=1.5)


def _listen(source: hv.DynamicMap, shown: Shown) -> None:
    on_tap(_choose_patch)(source, shown)
    on_box(_brush_patches)(source, shown)


def _brush_patches(shown: Shown, left: float, bottom: float, right: float, top: float) -> None:
    grid = shown.study.spec.grid
    rows = (max(int(np.floor(grid.rows - top)), 0), min(int(np.floor(grid.rows - bottom)), grid.rows - 1))
    columns = (max(int(np.floor(left)), 0), min(int(np.floor(right)), grid.cols - 1))
    if rows[0] <= rows[1] and columns[0] <= columns[1]:
        # It would be shown in the place of the brushed ones.
        shown.selection.token = None
        shown.selection.mark(PatchBlock(rows, columns), how=shown.selection.way)


def _choose_patch(shown: Shown, x: float, y: float) -> None:
    grid = shown.study.spec.grid
    row, column = int(np.floor(grid.rows - y)), int(np.floor(x))
    if 0 <= row < grid.rows and 0 <= column < grid.cols:
        shown.selection.token = grid.n_prefix + row * grid.cols + column
