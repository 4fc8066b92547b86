"""The judge: compares FASTQ files with the truth of the run that they were made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from arteriole.app.errors import ArterioleError
from arteriole.simulator.fastq import (
    UNDETERMINED,
    DamagedError,
    Expected,
    Record,
    expected_files,
    expected_records,
    is_as_expected,
    read_records,
)
from arteriole.simulator.truth import Truth, read_truth

_TOLD_PER_FILE = 5
_SUFFIXES = (".fastq.gz", ".fq.gz", ".fastq", ".fq")


class NothingToJudgeError(ArterioleError):
    """The folder of FASTQ files is not there."""

    code = "simulator.fastq"
    status = 400


@dataclass(frozen=True)
class Verdict:
    """What the judge found.

    Attributes:
        records: records read, Undetermined included. samples: samples with a file that was
            expected, Undetermined not counted. files: FASTQ files found.
        differences: one sentence each, at most five and a count for one file; none if all is well.
    """

    records: int
    samples: int
    files: int
    differences: tuple[str, ...]


def judge(truth_dir: Path, fastq_dir: Path) -> Verdict:
    """Compare every FASTQ file below `fastq_dir` with the truth: names, bases, qualities, order.

    A file without a record may be there or not. Anything that is not named as FASTQ is ignored.

    Raises:
        TruthError: the truth cannot be read.
        NothingToJudgeError: `fastq_dir` is no folder.
    """
    truth = read_truth(truth_dir)
    if not fastq_dir.is_dir():
        raise NothingToJudgeError(f"expected a folder of FASTQ files; found none at {fastq_dir}")
    court = _Court(truth, fastq_dir)
    for lane in truth.lanes:
        court.judge_lane(lane)
    return court.verdict()


class _Court:
    def __init__(self, truth: Truth, folder: Path) -> None:
        self.truth = truth
        self.folder = folder
        self.found = {
            path.relative_to(folder)
            for path in folder.rglob("*")
            if path.name.lower().endswith(_SUFFIXES) and not path.is_dir()
        }
        self.judged: set[Path] = set()
        self.samples: set[int] = set()
        self.records = 0
        self.differences: list[str] = []

    def judge_lane(self, lane: int) -> None:
        for file in expected_files(self.truth, lane):
            self._judge_file(file)

    def _judge_file(self, file: Expected) -> None:
        expected = expected_records(self.truth, self.truth.lane(file.lane), file)
        if file.path not in self.found:
            if missing := sum(1 for _ in expected):
                self.differences.append(f"{file.path}: missing, with {missing} records")
            return
        self.judged.add(file.path)
        self.samples.add(file.sample)
        tiles = self.truth.lane(file.lane)
        records = is_as_expected(self.truth, tiles, file, self.folder / file.path)
        if records is None:
            self._tell(file.path, self._compare(expected, file.path))
        else:
            self.records += records

    def _tell(self, path: Path, sentences: Iterator[str]) -> None:
        untold = 0
        for place, sentence in enumerate(sentences):
            if place < _TOLD_PER_FILE:
                self.differences.append(f"{path}: {sentence}")
            else:
                untold += 1
        if untold:
            self.differences.append(f"{path}: {untold} further differences")

    def _compare(self, expected: Iterator[Record], path: Path) -> Iterator[str]:
        """Sentences on what differs; when names part ways, what is missing or surplus."""
        actual = self._counted(read_records(self.folder / path))
        try:
            for record in actual:
                wanted = next(expected, None)
                if wanted is None:
                    yield from _surplus([record, *actual])
                elif record.name == wanted.name:
                    yield from _fields(record, wanted)
                else:
                    yield from _regroup([record, *actual], [wanted, *expected])
        except DamagedError as err:
            yield str(err)
            return
        if left := sum(1 for _ in expected):
            yield f"{left} records are missing at the end"

    def _counted(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            self.records += 1
            yield record

    def verdict(self) -> Verdict:
        surplus = sorted(self.found - self.judged)
        surplus_found = [f"{path}: a surplus file" for path in surplus]
        return Verdict(
            records=self.records,
            samples=len(self.samples - {UNDETERMINED}),
            files=len(self.found),
            differences=(*self.differences, *surplus_found),
        )


def _fields(record: Record, wanted: Record) -> Iterator[str]:
    for field in ("bases", "plus", "qualities"):
        found, truth = getattr(record, field), getattr(wanted, field)
        if found != truth:
            yield (
                f"line {record.line}: {field} of {_text(wanted.name)}:"
                f" expected {_text(truth)}, found {_text(found)}"
            )


def _surplus(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        yield f"line {record.line}: surplus record {_text(record.name)}"


def _regroup(found: list[Record], wanted: list[Record]) -> Iterator[str]:
    """Compare by name from where the order broke: missing, surplus, moved and changed records.

    NB: yields at least once, since the first names differ.
    """
    found_names = {record.name for record in found}
    wanted_by_name = {record.name: record for record in wanted}
    for record in wanted:
        if record.name not in found_names:
            yield f"record {_text(record.name)} is missing"
    seen: set[bytes] = set()
    common: list[Record] = []
    for record in found:
        if record.name not in wanted_by_name or record.name in seen:
            yield from _surplus([record])
            continue
        seen.add(record.name)
        common.append(record)
        yield from _fields(record, wanted_by_name[record.name])
    in_order = [record for record in wanted if record.name in seen]
    for record, due in zip(common, in_order, strict=True):
        if record.name != due.name:
            yield f"line {record.line}: out of order, {_text(due.name)} belongs here"
            return


def _text(content: bytes) -> str:
    return content.decode("ascii", "backslashreplace")
