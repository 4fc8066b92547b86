"""Masks in bcl2fastq's words, and what they leave of a run's reads."""

from dataclasses import replace

import pytest

from arteriole.illumina import bases_mask, override_cycles, used_reads
from arteriole.illumina.override_cycles import MaskError
from arteriole.illumina.run_info import Layout, Read, RunInfo

RUN = RunInfo(
    run_id="",
    run_number=1,
    flowcell="",
    instrument="",
    date="",
    reads=(Read(1, 10, False), Read(2, 8, True), Read(3, 8, True, True), Read(4, 10, False)),
    layout=Layout(2, 1, 1, 1),
    tiles={1: (1101,), 2: (1101,)},
)


def told(mask: str) -> list[tuple[str, int, int]]:
    used = used_reads.masked(bases_mask.parse(mask, RUN), RUN)
    return [(read.name, read.cycles.start, len(read.cycles)) for read in used]


WHOLE = [("R1", 1, 10), ("I1", 11, 8), ("I2", 19, 8), ("R2", 27, 10)]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("y*,i*,i*,y*", WHOLE),
        ("Y10,I8,I8,Y10", WHOLE),
        ("y10n*,i8n*,i7i,yyyyyyyyy*", WHOLE),
        ("y*,n*,n*,y*", [WHOLE[0], WHOLE[3]]),
        ("n*,n*,i*,y*", [("I2", 19, 8), ("R2", 27, 10)]),
        ("n2y5n3,i6n*,n2i4n2,ny", [("R1", 3, 5), ("I1", 11, 6), ("I2", 21, 4), ("R2", 28, 9)]),
        ("y*,y*,y*,y*", [("R1", 1, 10), ("R2", 11, 8), ("R3", 19, 8), ("R4", 27, 10)]),
        ("y*,i5y3,n*,y*", [("R1", 1, 10), ("I1", 11, 5), ("R2", 16, 3), ("R3", 27, 10)]),
    ],
)
def test_what_a_mask_leaves(mask: str, expected: list[tuple[str, int, int]]) -> None:
    mask = mask.replace("ny", "ny9") if mask.endswith("ny") else mask
    assert told(mask) == expected


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        ("R1:Y10;R2:N10;I1:I6N2;I2:I8", "Y10;I6N2;I8;N10"),
        ("i2:i8;r2:n10;i1:i6n2;r1:y10", "Y10;I6N2;I8;N10"),
        ("Y10;I6N2;I8;N10", "Y10;I6N2;I8;N10"),
        ("R1:Y10;R2:N10;I1:I6N2", "R1:Y10;R2:N10;I1:I6N2"),
    ],
)
def test_masks_with_names_are_put_in_the_order_of_the_run(mask: str, found: str) -> None:
    assert override_cycles.rewritten(mask, RUN) == found
    first = replace(RUN, reads=(*RUN.reads[1:3], RUN.reads[0], RUN.reads[3]))
    indexes_first = override_cycles.rewritten("R1:Y10;I1:I6N2;I2:I8;R2:N10", first)
    assert indexes_first == "I6N2;I8;Y10;N10"


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        ("R1:Y10;I1:I8;I2:I8;Y10", "a name before each mask or before none, found R1, I1, I2 only"),
        ("R1:Y10;I1:I8;I1:I8;R2:Y10", "expected one mask of each read, found 2 of I1"),
        ("R1:Y10;I1:I8;R2:Y10", "expected 4 masks"),
        ("R1:Y10;I1:I8;I2:I8;R2:Y9", "R2 has 10 cycles, its mask Y9 is of 9"),
    ],
)
def test_names_that_are_refused(mask: str, found: str) -> None:
    with pytest.raises(MaskError, match=found):
        override_cycles.parse(mask, RUN)
    three = replace(RUN, reads=RUN.reads[:3])
    with pytest.raises(MaskError, match="the masks of R1, I1, I2, found those of R1, I1, R2"):
        override_cycles.parse("R1:Y10;I1:I8;R2:I8", three)


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        ("y*,i*,y*", "expected 4 masks"),
        ("y9,i*,i*,y*", "R1 has 10 cycles, its mask y9 is of 9"),
        ("y*,i9,i*,y*", "I1 has 8 cycles, its mask i9 is of 9"),
        ("y*,i*n*,i*,y*", "expected a mask such as"),
        ("y*,*8,i*,y*", "expected a mask such as"),
        ("y*,i0,i*,y*", "expected a mask such as"),
        ("y*,u8,i*,y*", "expected a mask such as"),
        ("y2n2y*,i*,i*,y*", "R1: cycles in the middle"),
        ("n*,i*,i*,n*", "no template read"),
        ("y*,i4y4,i*,i*", "more than 2 index reads"),
        ("y*," * 200, "characters"),
    ],
)
def test_what_is_refused(mask: str, found: str) -> None:
    with pytest.raises(MaskError, match=found):
        told(mask)


def test_masks_of_lanes() -> None:
    general, second = bases_mask.parse("y*,n*,n*,y*", RUN), bases_mask.parse("y*,i*,i*,n*", RUN)
    assert bases_mask.of_lanes(["y*,n*,n*,y*", "2: y*,i*,i*,n*"], RUN) == {1: general, 2: second}
    assert bases_mask.of_lanes(["2:y*,i*,i*,n*"], RUN) == {2: second}
    assert bases_mask.of_lanes([], RUN) == {}
    for texts in (["3:y*,i*,i*,n*"], ["y*,i*,i*,y*"] * 2, ["1:y*,i*,i*,y*"] * 2):
        with pytest.raises(MaskError, match="lane"):
            bases_mask.of_lanes(texts, RUN)
