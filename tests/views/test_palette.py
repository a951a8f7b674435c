import pytest

from vitpanel.views.palette import class_colours, layer_colours


@pytest.mark.parametrize("n_classes", [1, 3, 8, 10, 23, 24, 100, 256])
def test_class_colours_differ(n_classes):
    names = tuple(f"class {i}" for i in range(n_classes))
    colours = class_colours(names)
    assert tuple(colours) == names
    assert len(set(colours.values())) == n_classes


def test_class_colours_of_very_many_classes_repeat():
    assert len(class_colours(tuple(map(str, range(1000))))) == 1000


@pytest.mark.parametrize("n_layers", [1, 2, 12, 48])
def test_layer_colours_differ(n_layers):
    assert len(set(layer_colours(n_layers))) == n_layers
