"""The builtin converter against the truth, and against Picard, on runs of every kind of instrument.

Picard reads base calls by itself and has a rule of its own of which sample a read belongs to: it
limits the sum of mismatches over both indexes and does not count no-calls, bcl2fastq limits each
index and counts them. Where the two rules coincide every file must be the same; elsewhere exactly
those reads must lie elsewhere for which the two rules, worked out here, differ.
"""

import csv
import json
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, Converter, find
from arteriole.bcl2fastq.converters.picard.convert import PicardConverter
from arteriole.bcl2fastq.converters.picard.rule import Rule
from arteriole.bcl2fastq.converters.picard.tool import Picard
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.fastq import read_records
from arteriole.simulator.instruments import Kind
from arteriole.simulator.judge import judge
from arteriole.simulator.sequencer import write_run

CLUSTERS = 500
UNDETERMINED = "Undetermined"

Index = tuple[str, ...]
Sheet = dict[str, Index]
RuleOfReads = Callable[[Index, Sheet], str]


def _missing() -> str:
    try:
        Picard.find()
    except ConversionError as err:
        return f"{err}; {err.hint}"
    return ""


needs_picard = pytest.mark.skipif(bool(_missing()), reason=_missing() or "Picard is here")


@pytest.fixture(autouse=True)
def quick_java(monkeypatch) -> None:
    """On runs this small Java spends its time on compiling itself."""
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


@pytest.fixture(scope="module", params=list(Kind), ids=lambda kind: kind.value)
def kind(request) -> Kind:
    return request.param


def sequence(kind: Kind, folder: Path, **options) -> Path:
    """A run of one lane, many of whose indexes have errors."""
    layout = {"lanes": 1, "clusters": CLUSTERS, "index_error": 0.2, "index_ruin": 0.1}
    return write_run(default_plan(kind=kind, **(layout | options)), folder)


@pytest.fixture(scope="module")
def run(kind, tmp_path_factory) -> Path:
    """With two indexes."""
    return sequence(kind, tmp_path_factory.mktemp("run"), read_cycles=(30, 25), seed=11)


#: The rule does not depend on how base calls lie in files.
two_kinds = pytest.mark.parametrize("kind", [Kind.MISEQ, Kind.NOVASEQX], indirect=True)


def convert(run: Path, out: Path, converter: Converter, mismatches: tuple[int, int]):
    out.mkdir()
    request = ConversionRequest(
        run, run / "SampleSheet.csv", out, barcode_mismatches=mismatches, threads=2
    )
    return converter.convert(request, lambda done, total: None)


def judged(run: Path, out: Path):
    return judge(run.with_name(f"{run.name}.truth"), out)


def assert_same_files(ours, theirs, our_dir: Path, their_dir: Path) -> None:
    assert [file.path for file in theirs.files] == [file.path for file in ours.files]
    for file in ours.files:
        pairs = zip_longest(*(read_records(folder / file.path) for folder in (our_dir, their_dir)))
        assert next((pair for pair in pairs if pair[0] != pair[1]), None) is None, file.path
    assert theirs.samples == ours.samples
    assert (theirs.clusters, theirs.clusters_pf) == (ours.clusters, ours.clusters_pf)
    stats = [json.loads((d / ours.stats_path).read_text()) for d in (our_dir, their_dir)]
    assert stats[0] == stats[1]


def per_index(allowed: int) -> RuleOfReads:
    """bcl2fastq: at most `allowed` mismatches in each index, a no-call is one."""

    def sample(observed: Index, sheet: Sheet) -> str:
        def worst(wanted: Index) -> int:
            pairs = zip(observed, wanted, strict=True)
            return max(sum(a != b for a, b in zip(o, w, strict=True)) for o, w in pairs)

        near = [name for name, wanted in sheet.items() if worst(wanted) <= allowed]
        assert len(near) < 2, "the simulator keeps samples apart"
        return near[0] if near else UNDETERMINED

    return sample


def sum_of_all(mismatches: int, no_calls: int) -> RuleOfReads:
    """Picard: at most `mismatches` over all indexes, and at most `no_calls` besides."""

    def sample(observed: Index, sheet: Sheet) -> str:
        letters = "".join(observed)
        if letters.count("N") > no_calls:
            return UNDETERMINED
        distances = sorted(
            (sum(a not in (b, "N") for a, b in zip(letters, "".join(w), strict=True)), name)
            for name, w in sheet.items()
        )
        (best, name), (second, _) = distances[:2]
        return name if best <= mismatches and second > best else UNDETERMINED

    return sample


def indexes_of(run: Path) -> Sheet:
    lines = (run / "SampleSheet.csv").read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("Sample_ID"))
    return {
        row["Sample_ID"]: tuple(filter(None, (row["index"], row.get("index2"))))
        for row in csv.DictReader(lines[start:])
    }


def reads_of(result, out: Path) -> dict[tuple[int, bytes], tuple[str, Index, tuple[bytes, bytes]]]:
    """(read, place on the flow cell) of every record: its sample, its index, what was read."""
    reads = {}
    for file in result.files:
        for record in read_records(out / file.path):
            place, rest = record.name.split(b" ")
            index = tuple(rest.rsplit(b":", 1)[1].decode().split("+"))
            key = (file.read, place)
            assert key not in reads
            reads[key] = file.sample_id, index, (record.bases, record.qualities)
    return reads


def assert_explained(run: Path, ours: dict, theirs: dict, our_rule, their_rule) -> int:
    """Each read lies where its converter's rule has it; says how many lie in two places."""
    sheet = indexes_of(run)
    assert not ours.keys() ^ theirs.keys()
    differing = set()
    for key, (our_sample, index, called) in ours.items():
        their_sample, their_index, their_called = theirs[key]
        assert (their_index, their_called) == (index, called), key
        assert our_sample == our_rule(index, sheet), (key, index)
        assert their_sample == their_rule(index, sheet), (key, index)
        if our_sample != their_sample:
            differing.add(key)
    expected = {k for k, (_, i, _) in ours.items() if our_rule(i, sheet) != their_rule(i, sheet)}
    assert differing == expected
    return len(differing)


def test_every_record_is_the_truth(run, tmp_path):
    result = convert(run, tmp_path / "out", find("builtin"), (1, 1))
    verdict = judged(run, tmp_path / "out")
    assert verdict.differences == ()
    assert verdict.records == sum(file.reads for file in result.files) > CLUSTERS


@needs_picard
def test_without_mismatches_every_file_is_that_of_picard(run, tmp_path):
    ours = convert(run, tmp_path / "ours", find("builtin"), (0, 0))
    theirs = convert(run, tmp_path / "theirs", find("picard"), (0, 0))
    assert_same_files(ours, theirs, tmp_path / "ours", tmp_path / "theirs")


@needs_picard
@two_kinds
def test_with_two_indexes_the_reads_that_differ_are_those_of_the_rules(run, tmp_path):
    ours = convert(run, tmp_path / "ours", find("builtin"), (1, 1))
    theirs = convert(run, tmp_path / "theirs", PicardConverter(Rule(1, 1)), (1, 1))
    differing = assert_explained(
        run,
        reads_of(ours, tmp_path / "ours"),
        reads_of(theirs, tmp_path / "theirs"),
        per_index(1),
        sum_of_all(mismatches=1, no_calls=1),
    )
    assert differing > 10


@needs_picard
@two_kinds
def test_with_one_index_without_no_calls_every_file_is_that_of_picard(kind, tmp_path):
    run = sequence(kind, tmp_path, index_cycles=(8,), read_cycles=(20,), index_no_call=0.0)
    ours = convert(run, tmp_path / "ours", find("builtin"), (1, 1))
    theirs = convert(run, tmp_path / "theirs", find("picard"), (1, 1))
    assert_same_files(ours, theirs, tmp_path / "ours", tmp_path / "theirs")
    assert judged(run, tmp_path / "theirs").differences == ()


LANES = "[Data]\nLane,Sample_ID,index,index2\n"


@needs_picard
@pytest.mark.parametrize(
    ("rows", "samples"),
    [
        ("1,A,,\n2,B,TCGGGGG,CCCTTC\n2,C,GTACGCG,TGCCGC\n", "A B C Undetermined"),
        ("2,B,TCGGGGGC,\n2,C,GTACGCGA,\n", "B C Undetermined"),
        ("1,A,TCGGGGGC,CCCTTCGA\n2,B,,\n", "A Undetermined B"),
    ],
    ids=["short indexes beside a lane of one sample", "i7 only beside an unused lane", "one each"],
)
def test_with_other_sheets_every_file_is_that_of_picard(tmp_path, rows, samples):
    run = sequence(Kind.HISEQ4000, tmp_path, lanes=2)
    (run / "SampleSheet.csv").write_text(LANES + rows)
    ours = convert(run, tmp_path / "ours", find("builtin"), (0, 0))
    theirs = convert(run, tmp_path / "theirs", find("picard"), (0, 0))
    assert [sample.sample_id for sample in ours.samples] == samples.split()
    assert all(sample.reads for sample in ours.samples)
    assert_same_files(ours, theirs, tmp_path / "ours", tmp_path / "theirs")


@needs_picard
def test_with_one_index_the_reads_that_differ_have_no_calls(tmp_path):
    run = sequence(Kind.MISEQ, tmp_path, index_cycles=(8,), index_no_call=0.4, seed=12)
    with pytest.raises(ConversionError, match=r"beyond the mismatches asked for") as refused:
        convert(run, tmp_path / "refused", find("picard"), (1, 1))
    assert refused.value.code == "convert.picard_rule"
    ours = convert(run, tmp_path / "ours", find("builtin"), (1, 1))
    theirs = convert(run, tmp_path / "theirs", PicardConverter(Rule(1, 1)), (1, 1))
    differing = assert_explained(
        run,
        reads_of(ours, tmp_path / "ours"),
        reads_of(theirs, tmp_path / "theirs"),
        per_index(1),
        sum_of_all(mismatches=1, no_calls=1),
    )
    assert differing > 10
