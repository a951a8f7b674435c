"""The stages that come with vitpanel, in the order of the format."""

from collections.abc import Iterator

from vitpanel.core.metrics import CLASSES, CLS, Metric, metrics
from vitpanel.core.patterns import n_top, offset_shape, pooled_side
from vitpanel.study.metric_arrays import FIRST_LAYOUT, all_image_layouts, laid_out_by, mean_array, stand_in
from vitpanel.study.stage import ArraySpec, Sizes, Stage

HEADS, LATENTS, LAYOUT, MODES, MEANS = "heads", "latents", "layout", "modes", "means"
N_MODES = 6
N_TOP_CLASSES = 5

# `is_optional` marks what was added after the first studies were made.


def _heads(sizes: Sizes) -> Iterator[ArraySpec]:
    grid = sizes.spec.grid
    rows, cols = pooled_side(grid)
    offset_rows, offset_cols = offset_shape(grid)
    yield sizes.per_image("probabilities", {"class": sizes.spec.n_classes}, needs=(CLASSES,))
    for metric in metrics():
        name = f"importance/{metric.key}"
        yield sizes.per_head(name, needs=_needs(metric), is_optional=metric.is_optional)
    yield sizes.per_head("entropy", may_be_nan=True)
    yield sizes.per_head("distance", is_optional=True)
    yield sizes.per_head("strength", {"hop": grid.n_hops})
    yield sizes.per_head("patterns/cls", {"value": 2 * grid.size + 1}, dtype="float16", needs=(CLS,))
    yield sizes.per_head("patterns/patch_top", {"top": n_top(rows * cols)}, dtype="uint16")
    yield sizes.per_head("patterns/offset", {"offset": offset_rows * offset_cols}, dtype="float16", is_optional=True)


def _latents(sizes: Sizes) -> Iterator[ArraySpec]:
    yield sizes.per_head("latents", {"latent": sizes.latent_dim})


def _layout(sizes: Sizes) -> Iterator[ArraySpec]:
    yield sizes.per_head("layout/cls", {"axis": 2}, needs=(CLS,))
    yield sizes.per_head("layout/patch", {"axis": 2})
    yield sizes.per_head("layout/offset", {"axis": 2}, is_optional=True)
    for layout, name in all_image_layouts().items():
        yield sizes.per_image(name, {"axis": 2}, needs=_layout_needs(layout), is_optional=name != FIRST_LAYOUT)


def _modes(sizes: Sizes) -> Iterator[ArraySpec]:
    modes = {"mode": N_MODES}
    ranks = {"rank": min(N_TOP_CLASSES, sizes.spec.n_classes)}
    for metric in metrics():
        name, needs = f"modes/{metric.key}", _needs(metric)
        yield sizes.per_head(name, modes, needs=needs, may_be_nan=True, is_optional=metric.is_optional)
    yield sizes.per_head("modes/top_class", modes | ranks, dtype="uint16", needs=(CLASSES,), may_be_nan=True)
    yield sizes.per_head("modes/top_probability", modes | ranks, needs=(CLASSES,), may_be_nan=True)


def _means(sizes: Sizes) -> Iterator[ArraySpec]:
    yield sizes.per_image("means/unpruned", needs=(CLASSES,))
    yield sizes.per_head("means/estimate", needs=(CLASSES,))
    for metric in metrics():
        name = mean_array(metric)
        # Without classes all metrics come with one forward, so that nothing is estimated.
        needs, is_sampled = (*_needs(metric), CLASSES), name.startswith("means/sample")
        yield sizes.per_head(name, needs=needs, may_be_nan=is_sampled, is_optional=metric.is_optional)


def _needs(metric: Metric) -> tuple[str, ...]:
    return (metric.needs,) if metric.needs else ()


def _layout_needs(layout: str) -> tuple[str, ...]:
    """What a model must have for a layout of images; the first of a model without classes is of the stand-in."""
    metric, is_left = laid_out_by(layout)
    if is_left:
        return ()
    return (CLASSES,) if metric.key == stand_in().key else _needs(metric)


OWN_STAGES = (
    Stage(HEADS, _heads, after=(MEANS,), is_optional=False, title="importance and attention of heads"),
    Stage(
        LATENTS,
        _latents,
        needs=(HEADS,),
        is_optional=False,
        title="codes of attention patterns",
        files=("autoencoder.safetensors",),
    ),
    Stage(LAYOUT, _layout, needs=(HEADS, LATENTS), per_block=False, is_optional=False, title="maps"),
    Stage(
        MODES,
        _modes,
        needs=(HEADS,),
        absence="Pruning modes of all heads were not computed beforehand (--modes); the live model computes them.",
        title="pruning modes",
    ),
    Stage(
        MEANS,
        _means,
        absence="Means over all images were not estimated ahead of the exact ones (--fast-means).",
        title="estimated means",
    ),
)
# What every finished study has.
STAGES = tuple(stage.name for stage in OWN_STAGES if not stage.is_optional)
