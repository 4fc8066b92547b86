"""Places are whole places of a header, whichever file tells them."""

import numpy as np
import pytest

from arteriole.simulator.instruments import Positions
from arteriole.simulator.places import BIN, BINS_IN_ROW, bins_of, places_for


@pytest.mark.parametrize("locations", list(Positions))
def test_each_maps_to_its_header_in_both_precisions(locations):
    places = places_for(locations, 3000, np.random.default_rng(1))
    assert places.size == 3000
    assert len(set(zip(places.column, places.row, strict=True))) == 3000
    for stored, whole in ((places.x, places.column), (places.y, places.row)):
        single = np.floor(np.float32(10) * stored + np.float32(1000.5))
        double = np.floor(10 * stored.astype(np.float64) + 1000.5)
        assert (single == whole).all() and (double == whole).all()


def test_binned_places_stand_bin_after_bin():
    places = places_for(Positions.TILE_CLOCS, 5000, np.random.default_rng(2))
    bins = bins_of(places.column - 1000, places.row - 1000)
    assert (np.diff(bins) >= 0).all() and bins.max() > 100 * BINS_IN_ROW
    assert (places.column - 1000 < BINS_IN_ROW * BIN).all()
