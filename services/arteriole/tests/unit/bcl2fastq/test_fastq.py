import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.bcl2fastq.converters.builtin import fastq


def clusters(positions: list[tuple[int, int]], index: str = "ACGT") -> fastq.Clusters:
    count = len(positions)
    letters = np.frombuffer(index.encode(), np.uint8)
    return fastq.Clusters(
        positions=np.array(positions, np.int32).reshape(count, 2),
        flags=np.full(count, fastq.PASSED, np.uint8),
        index=np.broadcast_to(letters, (count, len(letters))),
    )


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), max_size=9))
def test_coordinates_of_any_width(positions):
    calls = np.full((2, len(positions)), 37 << 2 | 1, np.uint8)
    text, ends = fastq.records(b"i:1:f:1:1101:", 2, clusters(positions), calls)
    expected = [f"@i:1:f:1:1101:{x}:{y} 2:N:0:ACGT\nCC\n+\nFF\n".encode() for x, y in positions]
    assert text.tobytes() == b"".join(expected)
    assert ends.tolist() == np.cumsum([len(record) for record in expected]).tolist()


@pytest.mark.parametrize(("quality", "q30"), [(0, 0), (29, 0), (30, 1), (63, 1)])
def test_quality_sums(quality, q30):
    calls = np.array([[0, 0], [quality << 2 | 3, quality << 2 | 3]], np.uint8)
    sums, above = fastq.quality_sums(calls)
    assert sums.tolist() == [2 + quality] * 2
    assert above.tolist() == [q30] * 2
