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


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.text("ACGT", min_size=2, max_size=5),
            st.text("ACGT", max_size=4),
        ),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.text("ACGTN", min_size=9, max_size=9), min_size=1, max_size=20),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.booleans(),
)
def test_indexes_of_several_lengths_and_of_one_sample(rows, observed, mismatches, turned):
    """Each over its own bases; a tie of one sample's indexes leaves no doubt."""
    names = sorted({name for name, _, _ in rows})
    rows = sorted(rows, key=lambda row: row[0])
    owners = [names.index(name) for name, _, _ in rows]
    barcodes = Barcodes.of_codes(codes(observed))
    judge = Demultiplexer(
        [row[1:] for row in rows], (5, 4), mismatches, owners=owners, turned=(False, turned)
    )
    found = judge.assign(barcodes)
    for number, text in zip(barcodes.of, observed, strict=True):
        reach = {}
        for place, (_, i7, i5) in enumerate(rows):
            read5 = text[9 - len(i5) :] if turned else text[5 : 5 + len(i5)]
            apart = [
                sum(map(str.__ne__, text[: len(i7)], i7)),
                sum(map(str.__ne__, read5, i5)),
            ]
            if apart[0] <= mismatches[0] and apart[1] <= mismatches[1]:
                reach[place] = sum(apart), max(apart)
        best = [n for n in reach if reach[n][0] == min(reach.values())[0]]
        if len({owners[n] for n in best}) == 1:
            assert found.samples[number] == owners[best[0]]
            assert found.pairs[number] == best[0]
            assert found.mismatches[number] == reach[best[0]][1]
        else:
            assert (found.samples[number], found.pairs[number]) == (len(names), len(rows))


def test_nothing_to_assign_to():
    barcodes = Barcodes.of_codes(codes(["ACGT"]))
    assert Demultiplexer([], (4,), (1, 1)).assign(barcodes).samples.tolist() == [0]
