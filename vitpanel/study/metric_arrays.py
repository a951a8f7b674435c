"""Names of the arrays that belong to a metric."""

from vitpanel.core.metrics import CLASSES, Metric, metrics

# By what is left of the probability, or by a metric that every model has for one without a class head.
FIRST_LAYOUT = "layout/images"


def mean_array(metric: Metric) -> str:
    """Array of the means stage with a metric: exact for all images if it is of a layer, else of a sample of them."""
    return f"means/sample_{metric.key}" if metric.needs == CLASSES else f"means/{metric.key}"


def all_image_layouts() -> dict[str, str]:
    """Arrays in which images can be laid out, by the name of what their vectors are: importance, and what is left."""
    drops = [metric for metric in metrics() if not metric.higher_is_more_important]
    others = [metric for metric in metrics() if metric.higher_is_more_important and metric.is_laid_out]
    names = {metric.layout_name: layout_array(metric) for metric in drops}
    names |= {metric.key: FIRST_LAYOUT for metric in drops}
    return names | {metric.layout_name: layout_array(metric) for metric in others}


def laid_out_by(layout: str) -> tuple[Metric, bool]:
    """Metric that a layout of images is by, and whether its vectors are what is left instead of the importance."""
    known = (metric for metric in metrics() if metric.is_laid_out)
    metric = next(metric for metric in known if layout in {metric.key, metric.layout_name})
    return metric, layout != metric.layout_name


def layout_label(layout: str) -> str:
    """Name of a layout of images in menus."""
    metric, is_left = laid_out_by(layout)
    return metric.left_label if is_left else metric.label


def stand_in() -> Metric:
    """Metric that images of a model without a class head are laid out by."""
    return next(metric for metric in metrics() if not metric.needs)


def layout_array(metric: Metric) -> str:
    """Array of the layout of images by a metric's importance."""
    return f"{FIRST_LAYOUT}_{metric.layout_name}"
