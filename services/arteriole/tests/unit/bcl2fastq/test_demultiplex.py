import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from arteriole.bcl2fastq.converters.builtin.demultiplex import Barcodes, Demultiplexer, encode


def codes(texts: list[str]) -> np.ndarray:
    return np.array([encode(text) for text in texts], np.uint8).T


@given(st.integers(1, 70), st.data())
def test_distinct_barcodes_of_any_length(length, data):
    text = st.text("ACGTN", min_size=length, max_size=length)
    known = data.draw(st.lists(text, min_size=1, max_size=4))
    texts = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=12))
    barcodes = Barcodes.of_codes(codes(texts))
    assert barcodes.texts(barcodes.of, (length,)) == texts
    assert len(barcodes.codes) == len(set(texts))


@given(
    st.lists(
        st.tuples(st.text("ACGT", min_size=5, max_size=5), st.text("ACGT", min_size=4, max_size=4)),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.text("ACGTN", min_size=9, max_size=9), min_size=1, max_size=20),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_agrees_with_counting_by_hand(indexes, observed, mismatches):
    barcodes = Barcodes.of_codes(codes(observed))
    found = Demultiplexer(indexes, (5, 4), mismatches).assign(barcodes)
    for number, text in zip(barcodes.of, observed, strict=True):
        distances = [
            (sum(map(str.__ne__, text[:5], i7)), sum(map(str.__ne__, text[5:], i5)))
            for i7, i5 in indexes
        ]
        reach = {
            place: sum(distance)
            for place, distance in enumerate(distances)
            if distance[0] <= mismatches[0] and distance[1] <= mismatches[1]
        }
        best = [place for place in reach if reach[place] == min(reach.values())]
        expected = best[0] if len(best) == 1 else len(indexes)
        assert found.samples[number] == expected
        if expected < len(indexes):
            assert found.mismatches[number] == max(distances[expected])


def test_nothing_to_assign_to():
    barcodes = Barcodes.of_codes(codes(["ACGT"]))
    assert Demultiplexer([], (4,), (1, 1)).assign(barcodes).samples.tolist() == [0]
