"""How large base calls are, told by one cycle of them: no other folder is looked into."""

import contextlib
import os
from itertools import islice
from pathlib import Path

from arteriole.illumina import reading
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.run_info import RunInfo

#: FASTQs (gzip) by base calls. Illumina counts on 1.3 to 1.5 for a NovaSeq X (support-docs.illumina
#: .com, Security and Networking, Data Output and Storage: 14.5 TB by 11.1, 0.9 by 0.6); `builtin`,
#: which compresses quickly, wrote up to 1.9 by .cbcl of simulated runs, 1.0 to 1.3 by other kinds.
FASTQ_BY_CALLS = 2.0
#: No instrument writes more files a lane and cycle.
FILES_AT_MOST = 10_000


def cycle_size(folder: RunFolder, info: RunInfo, cycle: int) -> int:
    """Bytes of the base calls of all lanes in one cycle; what is not there counts nothing."""
    return sum(_lane_size(folder, lane, cycle) for lane in info.lanes)


def fastq_size(run_dir: Path) -> int:
    """About how many bytes of FASTQs a run gives, by a cycle in the middle of its longest read;
    0 where nothing can be said.
    """
    folder = RunFolder(run_dir)
    try:
        info = folder.run_info
    except (RunDataError, OSError):
        return 0
    cycles = [info.cycles_of(read) for read in info.template_reads]
    if not cycles:
        return 0
    longest = max(cycles, key=len)
    each = cycle_size(folder, info, longest[len(longest) // 2])
    return int(FASTQ_BY_CALLS * each * sum(map(len, cycles)))


def _lane_size(folder: RunFolder, lane: int, cycle: int) -> int:
    sizes: list[int] = []
    try:
        with os.scandir(folder.cycle(lane, cycle)) as entries:
            sizes = [entry.stat().st_size for entry in islice(entries, FILES_AT_MOST)]
    except OSError:  # a NextSeq 500 has one file there, or it is not there yet
        with contextlib.suppress(OSError):
            sizes = [folder.bgzf(lane, cycle).stat().st_size]
    reading.looked(1 + len(sizes))
    return sum(sizes)
