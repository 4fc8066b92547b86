from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from arteriole.illumina.near_indexes import near_pairs
from arteriole.illumina.sheet_check import distance

index = st.text("ACGTN", max_size=10)


@given(st.lists(st.tuples(index, index), max_size=8), st.integers(0, 4), st.integers(0, 4))
def test_the_pairs_are_those_of_comparing_each_with_each(samples, allowed7, allowed5):
    first, second = [i7 for i7, _ in samples], [i5 for _, i5 in samples]
    expected = [
        (a, b)
        for a, b in combinations(range(len(samples)), 2)
        if distance(first[a], first[b]) <= allowed7 and distance(second[a], second[b]) <= allowed5
    ]
    assert list(near_pairs(first, second, (allowed7, allowed5))) == expected
