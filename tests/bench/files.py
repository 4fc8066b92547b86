"""Many files to digest or send: large ones and small ones, as a run and its FASTQs have them."""

import random
from dataclasses import dataclass
from pathlib import Path

#: Large files and small ones, and the bytes of each.
LARGE, LARGE_BYTES = 3, 713_333_333
SMALL, SMALL_BYTES = 20_000, 20_000
#: The same where sizes are to be of seconds.
FEW, FEW_LARGE_BYTES = 200, 2_000_000


@dataclass(frozen=True)
class Data:
    folder: Path
    files: int
    size: int

    def __str__(self) -> str:
        return f"{self.size // 10**6:,} MB in {self.files:,} files"


def write(folder: Path, *, small: bool) -> Data:
    """Cycle folders of small files, and large ones in one folder, of bytes that no file shares."""
    count, large_bytes = (FEW, FEW_LARGE_BYTES) if small else (SMALL, LARGE_BYTES)
    source = random.Random(20).randbytes(1 << 20)
    for number in range(count):
        where = folder / f"C{number // 100}.1"
        where.mkdir(parents=True, exist_ok=True)
        start = number % (len(source) - SMALL_BYTES)
        (where / f"s_1_{number:05}.bcl.gz").write_bytes(source[start : start + SMALL_BYTES])
    large = folder / "fastq"
    large.mkdir()
    for number in range(LARGE):
        block = source[number:] + source[:number]
        with open(large / f"S1_S1_L00{number + 1}_R1_001.fastq.gz", "wb") as file:
            for start in range(0, large_bytes, len(block)):
                file.write(block[: large_bytes - start])
    return Data(folder, count + LARGE, count * SMALL_BYTES + LARGE * large_bytes)
