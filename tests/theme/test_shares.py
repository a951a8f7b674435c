import numpy as np
import pytest

from vitpanel.theme.palette import MUTED, dark_colour, rgb
from vitpanel.theme.shares import share_colours


@pytest.mark.parametrize("dark", [False, True])
def test_the_largest_share_has_the_end_of_the_ramp_and_what_is_not_known_is_grey(dark):
    found = share_colours(np.array([[0.0, 0.2], [np.nan, 0.1]]), dark=dark)
    assert found.largest == 0.2
    assert found.colours[:2] == [found.ramp[0], found.ramp[-1]]
    assert found.colours[2] == (dark_colour(MUTED) if dark else MUTED)
    assert found.colours[3] in found.ramp[len(found.ramp) // 2 - 1 : len(found.ramp) // 2 + 1]


@pytest.mark.parametrize("dark", [False, True])
def test_a_larger_share_stands_out_more_from_the_ground(dark):
    ramp = share_colours(np.array([1.0]), dark=dark).ramp
    light = [rgb(colour).sum() for colour in ramp]
    assert light == sorted(light, reverse=not dark)


def test_without_any_share_there_is_no_largest():
    assert np.isnan(share_colours(np.array([np.nan])).largest)
    assert share_colours(np.zeros(3)).colours == [share_colours(np.zeros(1)).ramp[0]] * 3
    assert share_colours(np.array([])).colours == []
