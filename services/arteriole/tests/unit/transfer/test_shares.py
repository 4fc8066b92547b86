"""Every file is in one share, and no share is much larger than another."""

from hypothesis import given
from hypothesis import strategies as st

from arteriole.checksum.listing import FoundFile
from arteriole.transfer.shares import OVERHEAD, share_out

sizes = st.lists(st.integers(0, 10**10), max_size=60)


def files_of(sizes: list[int]) -> list[FoundFile]:
    return [FoundFile(f"{number}.fastq.gz", size, 0) for number, size in enumerate(sizes)]


@given(sizes, st.integers(1, 16))
def test_each_file_is_in_one_share(sizes: list[int], count: int) -> None:
    files = files_of(sizes)
    shares = share_out(files, count)
    assert sorted(found for share in shares for found in share) == sorted(files)
    assert len(shares) == min(count, len(files)) and all(shares)


@given(sizes, st.integers(1, 16))
def test_shares_differ_by_a_file_at_most(sizes: list[int], count: int) -> None:
    """Else the last file of the larger one would have gone to the smaller one."""
    shares = share_out(files_of(sizes), count)
    loads = [sum(found.size + OVERHEAD for found in share) for share in shares]
    for share, load in zip(shares, loads, strict=True):
        assert load - (share[-1].size + OVERHEAD) <= min(loads)


@given(sizes)
def test_a_later_start_has_the_same_shares(sizes: list[int]) -> None:
    files = files_of(sizes)
    assert share_out(files[::-1], 3) == share_out(files, 3)
