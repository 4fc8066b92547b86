"""Many files to digest or send: large ones and small ones, as a run and its FASTQs have them."""

import random
from dataclasses import dataclass
from pathlib import Path

#: The FASTQs of a lane by their read, and the bytes of each; an index is short.
LARGE = {"R1": 980_000_000, "R2": 1_010_000_000, "I1": 150_000_000}
SMALL, SMALL_BYTES = 20_000, 20_000
#: So many small files where sizes are to be of seconds, and by what large ones are divided then.
FEW, SHORTENED = 200, 400


@dataclass(frozen=True)
class Data:
    folder: Path
    files: int
    size: int

    def __str__(self) -> str:
        return f"{self.size // 10**6:,} MB in {self.files:,} files"


def write(folder: Path, *, small: bool) -> Data:
    """Cycle folders of small files, and large ones in one folder, of bytes that no file shares."""
    count, divisor = (FEW, SHORTENED) if small else (SMALL, 1)
    source = random.Random(20).randbytes(1 << 20)
    for number in range(count):
        where = folder / f"C{number // 100}.1"
        where.mkdir(parents=True, exist_ok=True)
        start = number % (len(source) - SMALL_BYTES)
        (where / f"s_1_{number:05}.bcl.gz").write_bytes(source[start : start + SMALL_BYTES])
    sizes = {read: whole // divisor for read, whole in LARGE.items()}
    large = folder / "fastq"
    large.mkdir()
    for number, (read, size) in enumerate(sizes.items()):
        block = source[number:] + source[:number]
        with open(large / f"S1_S1_L001_{read}_001.fastq.gz", "wb") as file:
            for start in range(0, size, len(block)):
                file.write(block[: size - start])
    return Data(folder, count + len(sizes), count * SMALL_BYTES + sum(sizes.values()))
