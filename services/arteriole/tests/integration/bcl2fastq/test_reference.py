"""The builtin converter against a reference that shares no code with it, on every kind of run."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from reference_convert import Asked, Converted, Sample, read_samples
from reference_convert import convert as reference
from reference_run import Run

from arteriole.bcl2fastq.converters import ConversionRequest, Options, find
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import BaseCalls, Kind
from arteriole.simulator.kinds import INSTRUMENTS
from arteriole.simulator.sequencer import write_run

CLUSTERS = 40


@pytest.fixture(scope="module", params=list(Kind), ids=lambda kind: kind.value)
def run(request, tmp_path_factory) -> Run:
    """Two lanes where there are two, both surfaces; every other index has an error."""
    kind = request.param
    instrument = INSTRUMENTS[kind]
    plan = default_plan(
        kind=kind,
        lanes=min(2, instrument.lanes),
        surfaces=2,
        swaths=1,
        tiles=1,
        clusters=CLUSTERS,
        read_cycles=(9, 7),
        index_error=0.4,
        index_ruin=0.1,
        seed=5,
    )
    return Run(write_run(plan, tmp_path_factory.mktemp("run")))


def sheet(run: Run, out: Path, *, lanes: tuple[int, ...] = (), i7: int = 99, i5: int = 99) -> Path:
    """One like that of the run: of some lanes, or with indexes cut to some bases."""
    samples = read_samples(run.folder / "SampleSheet.csv")
    rows = [_row(sample, lane, i7, i5) for lane in lanes or (None,) for sample in samples]
    lane = "Lane," if lanes else ""
    header = f"[Data]\n{lane}Sample_ID,Sample_Name,Sample_Project,index,index2\n"
    out.write_text(header + "".join(f"{row}\n" for row in dict.fromkeys(rows)))
    return out


def _row(sample: Sample, lane: int | None, i7: int, i5: int) -> str:
    indexes = sample.indexes[0][:i7], sample.indexes[1][:i5]
    fields = (sample.id, sample.name, sample.project, *indexes)
    return ",".join([*([str(lane)] if lane else []), *fields])


def both(run: Run, sheet: Path, out: Path, asked: Asked) -> tuple[Converted, Converted]:
    """What the builtin converter gives, in the words of the reference, and the reference."""
    out.mkdir()
    options = Options(
        no_lane_splitting=asked.no_lane_splitting,
        create_fastq_for_index_reads=asked.index_reads,
        tiles=tuple(asked.tiles),
        use_bases_mask=tuple(asked.masks),
        mask_short_adapter_reads=asked.mask_short,
    )
    request = ConversionRequest(
        run.folder,
        sheet,
        out,
        barcode_mismatches=asked.mismatches,
        include_non_pf=asked.failed_too,
        ignore_adapters=True,
        allow_index_collisions=True,
        options=options,
    )
    result = find("builtin").convert(request, lambda done, total: None)
    texts = {
        path.relative_to(out).as_posix(): gzip.decompress(path.read_bytes()).decode()
        for path in out.rglob("*.fastq.gz")
    }
    stats = json.loads((out / result.stats_path).read_text())
    ours = Converted(
        files=texts,
        reads=Counter({(s.sample_id, s.lane): s.reads for s in result.samples}),
        clusters=result.clusters,
        passed=result.clusters_pf,
        unknown={e["Lane"]: Counter(e["Barcodes"]) for e in stats["UnknownBarcodes"]},
    )
    assert {file.path: file.reads for file in result.files} == {
        name: text.count("\n") // 4 for name, text in texts.items()
    }
    return ours, reference(run, sheet, asked)


def assert_same(ours: Converted, expected: Converted) -> None:
    assert sorted(ours.files) == sorted(expected.files)
    for name, text in expected.files.items():
        assert ours.files[name] == text, name
    assert +ours.reads == +expected.reads
    assert (ours.clusters, ours.passed) == (expected.clusters, expected.passed)
    assert ours.unknown == expected.unknown
    assert sum(len(text) for text in ours.files.values()) > 0


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(mismatches=(2, 1), no_lane_splitting=True),
        Asked(mismatches=(0, 2), index_reads=True),
        Asked(no_lane_splitting=True, index_reads=True, tiles=["s_[12]_1[0-9]"]),
        Asked(tiles=["s_1"], mask_short=8),
        Asked(masks=["y*,i*,i*,y*"], tiles=["^s_1_[12]1,s_2"]),
        Asked(masks=["n2y5n*,i8,i8n*,y*"], index_reads=True),
        Asked(masks=["n*,n*,i*,n1y2y4"], no_lane_splitting=True, index_reads=True),
        Asked(masks=["1:y3n*,i*,i*,n*"], index_reads=True, mask_short=4),
    ],
    ids=lambda asked: "-".join(
        f"{name}={value}" for name, value in vars(asked).items() if value != vars(Asked())[name]
    ),
)  # fmt: skip
def test_every_file_is_that_of_the_reference(run, tmp_path, asked):
    ours, expected = both(run, sheet(run, tmp_path / "sheet.csv"), tmp_path / "out", asked)
    assert_same(ours, expected)


def test_short_indexes(run, tmp_path):
    """The first cycles of each index read count, of one that is turned too."""
    asked = Asked(index_reads=True)
    short = sheet(run, tmp_path / "sheet.csv", i7=7, i5=6)
    assert_same(*both(run, short, tmp_path / "out", asked))
    same = Asked(masks=["y*,i7n1,i6n*,y*"], index_reads=True)
    assert_same(*both(run, short, tmp_path / "masked", same))


def test_a_sheet_of_one_lane(run, tmp_path):
    """A lane that is in no row is not converted."""
    ours, expected = both(
        run, sheet(run, tmp_path / "s.csv", lanes=(1,)), tmp_path / "out", Asked()
    )
    assert {lane for _, lane in ours.reads} == {1}
    assert_same(ours, expected)


def test_index_reads_as_template_reads(run, tmp_path):
    """One sample without index gets four reads."""
    path = tmp_path / "sheet.csv"
    path.write_text("[Data]\nSample_ID,Sample_Project\nS1,P1\n")
    ours, expected = both(run, path, tmp_path / "out", Asked(masks=["y*,y*,y*,y*"]))
    assert_same(ours, expected)
    assert len(ours.files) == 4 * len({lane for _, lane in ours.reads})
    ours, expected = both(run, path, tmp_path / "split", Asked(masks=["y*,i3y*,i*,y*"]))
    assert_same(ours, expected)


def test_what_failed_the_filter(run, tmp_path):
    kind = next(kind for kind in Kind if run.folder.name == default_plan(kind=kind).run)
    if INSTRUMENTS[kind].base_calls is BaseCalls.CBCL:
        pytest.skip("CBCLs lack what failed the filter")
    ours, expected = both(
        run, sheet(run, tmp_path / "s.csv"), tmp_path / "out", Asked(failed_too=True)
    )
    assert sum(ours.reads.values()) == ours.clusters > ours.passed
    assert_same(ours, expected)
