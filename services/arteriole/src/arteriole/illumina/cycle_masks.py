"""OverrideCycles written: one mask a read, for BCL Convert, which needs it where an index is short.

BCL Convert refuses an index that is shorter than its read without a mask; bcl2fastq uses the first
cycles. It turns the mask of a read that RunInfo.xml marks IsReverseComplement="Y" round before it
applies it (Illumina Knowledge 7945), so that one is written from its end.
"""

from collections.abc import Mapping
from itertools import groupby

from arteriole.illumina.run_info import Read, RunInfo
from arteriole.illumina.sample_sheet import Sample


def mask(run_info: RunInfo, sample: Sample, cycles: Mapping[str, int] | None = None) -> str:
    """OverrideCycles of a sample, as bcl2fastq would use the run.

    Args:
        cycles: bcl2fastq's settings of cycles by their plain names, such as read1endwithcycle.

    >>> from arteriole.illumina.run_info import Layout
    >>> reads = (Read(1, 9, False), Read(2, 10, True), Read(3, 10, True, True))
    >>> info = RunInfo("", 1, "", "", "", reads, Layout(1, 1, 1, 1), {})
    >>> mask(info, Sample(2, None, "S1", index="ACGTACGT", index2="ACGTACGT"))
    'Y9;I8N2;N2I8'
    >>> mask(info, Sample(2, None, "S1"), {"read1umilength": 2, "read1endwithcycle": 8})
    'U2Y6N1;N10;N10'
    """
    indexes = dict(zip(run_info.index_reads, (sample.index, sample.index2), strict=False))
    parts = []
    for read in run_info.reads:
        if read.is_index:
            parts.append(_index(read, len(indexes.get(read, ""))))
        else:
            number = run_info.template_reads.index(read) + 1
            parts.append(_template(read, number, cycles or {}))
    return ";".join(parts)


def is_whole(text: str, run_info: RunInfo) -> bool:
    """Whether a mask uses every cycle, as without one."""
    return text == ";".join(f"{'I' if r.is_index else 'Y'}{r.cycles}" for r in run_info.reads)


def _index(read: Read, length: int) -> str:
    used = f"I{length}" if length else ""
    left = f"N{read.cycles - length}" if length < read.cycles else ""
    return left + used if read.is_reverse_complement else used + left


def _template(read: Read, number: int, cycles: Mapping[str, int]) -> str:
    """Cycles count from 1; those of a UMI are no data (bcl2fastq2 guide, "Settings Section")."""
    first = cycles.get(f"read{number}startfromcycle", 1)
    last = cycles.get(f"read{number}endwithcycle", read.cycles)
    umi = cycles.get(f"read{number}umistartfromcycle", 1)
    umi_end = umi + cycles.get(f"read{number}umilength", 0)
    letters = [
        "U" if umi <= cycle < umi_end else "Y" if first <= cycle <= last else "N"
        for cycle in range(1, read.cycles + 1)
    ]
    return "".join(f"{letter}{len(list(run))}" for letter, run in groupby(letters))
