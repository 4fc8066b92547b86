"""The builtin converter against a reference that shares no code with it, on every kind of run."""

import gzip
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from reference_convert import Asked, Converted, Sample, read_samples
from reference_convert import convert as reference
from reference_run import Run

from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, Options, find
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import BaseCalls, Kind
from arteriole.simulator.kinds import INSTRUMENTS
from arteriole.simulator.sequencer import write_run

CLUSTERS = 24


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
    """What the builtin converter gives, and the reference."""
    return ours(run, sheet, out, asked), reference(run, sheet, asked)


def ours(run: Run, sheet: Path, out: Path, asked: Asked) -> Converted:
    """What the builtin converter gives, in the words of the reference."""
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
    assert {file.path: file.reads for file in result.files} == {
        name: text.count("\n") // 4 for name, text in texts.items()
    }
    return Converted(
        files=texts,
        reads=Counter({(s.sample_id, s.lane): s.reads for s in result.samples}),
        clusters=result.clusters,
        passed=result.clusters_pf,
        unknown={e["Lane"]: Counter(e["Barcodes"]) for e in stats["UnknownBarcodes"]},
    )


def assert_same(found: Converted, expected: Converted) -> None:
    assert sorted(found.files) == sorted(expected.files)
    for name, text in expected.files.items():
        assert found.files[name] == text, name
    assert +found.reads == +expected.reads
    assert (found.clusters, found.passed) == (expected.clusters, expected.passed)
    assert found.unknown == expected.unknown
    assert sum(len(text) for text in found.files.values()) > 0


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(mismatches=(2, 1), no_lane_splitting=True, index_reads=True),
        Asked(mismatches=(0, 2), tiles=["s_1_1[0-9]"], mask_short=8),
        Asked(masks=["n2y5n*,i8,i8n*,y*"], index_reads=True, tiles=["^s_1_[12]1,s_2"]),
        Asked(masks=["n*,n*,i*,n1y2y4"], no_lane_splitting=True, index_reads=True),
        Asked(masks=["1:y3n*,i*,i*,n*"], index_reads=True, mask_short=4),
    ],
    ids=lambda asked: "-".join(
        f"{name}={value}" for name, value in vars(asked).items() if value != vars(Asked())[name]
    ),
)  # fmt: skip
def test_every_file_is_that_of_the_reference(run, tmp_path, asked):
    found, expected = both(run, sheet(run, tmp_path / "sheet.csv"), tmp_path / "out", asked)
    assert_same(found, expected)


def test_short_indexes(run, tmp_path):
    """The first cycles of each index read count, of one that is turned too."""
    asked = Asked(index_reads=True)
    short = sheet(run, tmp_path / "sheet.csv", i7=7, i5=6)
    assert_same(*both(run, short, tmp_path / "out", asked))


def test_indexes_of_several_lengths_and_rows_on_one_lane(run, tmp_path):
    """A shorter dual index and a single one, beside a sample of four rows with whole ones."""
    cycles = [read.cycles for read in run.reads if read.is_index]
    short, single, *several = read_samples(run.folder / "SampleSheet.csv")
    one, other = (row.indexes for row in several)
    several += [replace(several[0], indexes=[one[0], other[1]])]
    several += [replace(several[0], indexes=[other[0], one[1]])]
    i7, i5 = short.indexes
    short.indexes = [i7[:-2], i5[2:] if run.reads[2].turned else i5[:-2]]
    single.indexes = [single.indexes[0][:-1], ""]
    for row in several:
        row.id, row.name, row.project = "set", "set", ""
    rows = []
    for sample in (short, single, *several):
        masks = [f"I{len(index)}" if index else "" for index in sample.indexes]
        for place, (index, read) in enumerate(zip(sample.indexes, run.reads[1:3], strict=True)):
            left = f"N{cycles[place] - len(index)}" if len(index) < cycles[place] else ""
            masks[place] = left + masks[place] if read.turned else masks[place] + left
        rows.append(f"{_row(sample, None, 99, 99)},Y9;{';'.join(masks)};Y7")
    header = "[Data]\nSample_ID,Sample_Name,Sample_Project,index,index2,OverrideCycles\n"
    written = tmp_path / "sheet.csv"
    written.write_text(header + "\n".join([*rows, ""]))
    found, expected = both(run, written, tmp_path / "out", Asked(mismatches=(2, 1)))
    assert_same(found, expected)
    assert all(found.reads[sample, 1] for sample in (short.id, single.id, "set"))


def test_what_a_sheet_asks_by_its_settings(run, tmp_path):
    """The same as by options; OverrideCycles stands for the run, or at each sample."""
    masks = ["Y7N2", "I7N1", "", "N1Y6"]
    i5 = run.reads[2]
    parts = ["I6", f"N{i5.cycles - 6}"]
    masks[2] = "".join(parts[::-1] if i5.turned else parts)
    short = sheet(run, tmp_path / "sheet.csv", i7=7, i5=6)
    switches = "[Settings]\nCreateFastqForIndexReads,1\nNoLaneSplitting,true\n"
    header, columns, *rows = short.read_text().splitlines()
    text = "\n".join([header, columns, *rows, ""])
    of_the_run, of_samples = tmp_path / "run.csv", tmp_path / "samples.csv"
    of_the_run.write_text(f"{switches}OverrideCycles,{';'.join(masks)}\n{text}")
    rows = [f"{columns},OverrideCycles", *(f"{row},{';'.join(masks)}" for row in rows)]
    of_samples.write_text(switches + "\n".join([header, *rows, ""]))
    by_options = Asked(masks=["y7n2,i7n1,i6n*,n1y6"], index_reads=True, no_lane_splitting=True)
    expected = reference(run, short, by_options)
    for path in (of_the_run, of_samples):
        assert_same(ours(run, path, tmp_path / path.stem, Asked()), expected)
    ends = {name.rpartition("_S")[2].partition("_")[2] for name in expected.files}
    assert ends == {f"{read}_001.fastq.gz" for read in ("R1", "R2", "I1", "I2")}


def test_a_sheet_of_one_lane(run, tmp_path):
    """A lane that is in no row is not converted."""
    found, expected = both(
        run, sheet(run, tmp_path / "s.csv", lanes=(1,)), tmp_path / "out", Asked()
    )
    assert {lane for _, lane in found.reads} == {1}
    assert_same(found, expected)


def test_index_reads_as_template_reads(run, tmp_path):
    """One sample without index gets four reads."""
    path = tmp_path / "sheet.csv"
    path.write_text("[Data]\nSample_ID,Sample_Project\nS1,P1\n")
    found, expected = both(run, path, tmp_path / "out", Asked(masks=["y*,y*,y*,y*"]))
    assert_same(found, expected)
    assert len(found.files) == 4 * len({lane for _, lane in found.reads})
    found, expected = both(run, path, tmp_path / "split", Asked(masks=["y*,i3y*,i*,y*"]))
    assert_same(found, expected)


def test_what_failed_the_filter(run, tmp_path):
    kind = next(kind for kind in Kind if run.folder.name == default_plan(kind=kind).run)
    asked = sheet(run, tmp_path / "s.csv"), tmp_path / "out", Asked(failed_too=True)
    if INSTRUMENTS[kind].base_calls is BaseCalls.CBCL:  # these lack what failed the filter
        with pytest.raises(ConversionError, match="only the clusters that passed") as refused:
            ours(run, *asked)
        assert refused.value.code == "convert.non_pf"
        return
    found, expected = both(run, *asked)
    assert sum(found.reads.values()) == found.clusters > found.passed
    assert_same(found, expected)
