"""Sheets that name index sets, through the converters. Sets are made up; their form is 10x's."""

import gzip
import shlex
import sys
from pathlib import Path

import pytest

from arteriole.bcl2fastq import sheets
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, find
from arteriole.bcl2fastq.indexes.examination import Question, examine
from arteriole.bcl2fastq.kind import Bcl2fastqKind, ConvertRequest, IndexesRequest
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.sheets import Standard
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.work import observe, work
from arteriole.illumina import index_sets
from arteriole.illumina.index_orientation import reverse_complement
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task

FAKES = Path(__file__).parent / "fakes"
KITS = {
    "single.csv": "SI-XX-A1,AACC,CCGG,GGTT,TTAA\n",
    "dual.csv": "index_name,index(i7),index2_workflow_a(i5),index2_workflow_b(i5)\n"
    "SI-YY-A1,ACGT,GGCA,TGCC\n",
}
ROWS = "cells,,SI-XX-A1,,\npair,P1,SI-YY-A1,,\n"
COLUMNS = "Sample_ID,Sample_Project,index,index2,OverrideCycles\n"
NO_I5 = "Y4;I4;N4;Y4"
BARE = (
    "".join(f"cells,,{index},,{NO_I5}\n" for index in ("AACC", "CCGG", "GGTT", "TTAA"))
    + "pair,P1,ACGT,GGCA,\n"
)
#: i7, i5 of each cluster: four of the set, two of the pair, one of none.
CLUSTERS = ("AACCGGGG", "CCGGAAAA", "AACCGGCA", "ACGTGGCA", "GGTTTTTT", "ACGTGGCA", "ACGTAAAA")


def sheet(rows: str, version: int = 1) -> str:
    if version == 1:
        return f"[Data]\n{COLUMNS}{rows}"
    header = "[Header]\nFileFormatVersion,2\n[BCLConvert_Settings]\n[BCLConvert_Data]\n"
    return header + COLUMNS.replace("index", "Index") + rows


@pytest.fixture
def kits(tmp_path) -> tuple[Path, ...]:
    for name, text in KITS.items():
        (tmp_path / name).write_text(text)
    return tuple(tmp_path / name for name in KITS)


@pytest.fixture
def sequenced(tiny_run, cluster_of):
    """A MiSeq reads the i5 forward, a NextSeq 500 reversed."""

    def make(text: str, instrument: str = "M04034", times: int = 1) -> Path:
        tiny_run.reads = ((4, "N"), (4, "Y"), (4, "Y"), (4, "N"))
        for place, index in enumerate(CLUSTERS):
            if instrument != "M04034":
                index = index[:4] + reverse_complement(index[4:])
            bases = "ACGT"[place % 4] * 4
            found = tiny_run.clusters.setdefault((1, tiny_run.tiles[place % 2]), [])
            found += [cluster_of(bases + index + bases, x=1000 + 10 * place)] * times
        tiny_run.write(text)
        info = tiny_run.folder / "RunInfo.xml"
        info.write_text(info.read_text().replace("<Instrument>M04034", f"<Instrument>{instrument}"))
        return tiny_run.folder

    return make


@pytest.fixture
def converter(tmp_path):
    def make(name: str):
        if name == "builtin":
            return find(name)
        fake, version = {
            "bcl2fastq": ("fake_bcl2fastq.py", "2.20.0.422"),
            "bclconvert": ("fake_bcl_convert.py", "4.2.7"),
        }[name]
        path = tmp_path / name
        answer = 'if [ "$*" = --version ]; then echo "bcl-convert Version 4.2.7"; exit; fi\n'
        path.write_text(
            f"#!/bin/sh\n{answer if name == 'bclconvert' else ''}"
            f'exec {shlex.join([sys.executable, str(FAKES / fake)])} "$@"\n'
        )
        path.chmod(0o755)
        return find(name, ToolSettings(version=version, program=str(path)))

    return make


def records(folder: Path) -> dict[str, list[str]]:
    found = {}
    for path in sorted(folder.rglob("*.fastq.gz")):
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        rows = sorted("\n".join(lines[n : n + 4]) for n in range(0, len(lines), 4))
        if "Undetermined" not in path.name:
            found[path.relative_to(folder).as_posix()] = rows
    return found


@pytest.mark.parametrize(
    ("instrument", "name", "version"),
    [
        ("M04034", "builtin", 1),
        ("NB500968", "builtin", 1),
        ("NB500968", "builtin", 2),
        ("NB500968", "bcl2fastq", 1),
        ("NB500968", "bclconvert", 1),
        ("M04034", "bclconvert", 2),
        ("NB500968", "bclconvert", 2),
    ],
)
def test_a_name_means_what_its_bases_would(tmp_path, kits, sequenced, converter, name, version,
                                           instrument):  # fmt: skip
    bare = BARE if instrument == "M04034" else BARE.replace("GGCA", "TGCC")
    run = sequenced(sheet(bare), instrument)
    outs = tmp_path / "bare", tmp_path / "named"
    for out in outs:
        out.mkdir()
    path = run / "SampleSheet.csv"
    request = ConversionRequest(run, path, outs[0], (0, 0))
    find("builtin").convert(request, lambda done, total: None)
    path.write_text(sheet(ROWS, version))
    request = ConversionRequest(run, path, outs[1], (0, 0), index_sets=kits)
    result = converter(name).convert(request, lambda done, total: None)
    assert records(outs[1]) == records(outs[0]) != {}
    assert {one.sample_id: one.reads for one in result.samples} == {
        "cells": 4, "pair": 2, "Undetermined": 1
    }  # fmt: skip


def test_without_its_file_a_name_is_refused(tmp_path, kits, sequenced):
    run = sequenced(sheet(ROWS))
    request = ConversionRequest(run, run / "SampleSheet.csv", tmp_path, index_sets=kits[:1])
    with pytest.raises(
        ConversionError, match=r"line 4, column 3: .* it is not in single\.csv"
    ) as no:
        find("builtin").announce(request)
    assert no.value.code == "sheet.index_set"


def test_an_attempt_tells_the_name(tmp_path, kits, sequenced):
    run = sequenced(sheet(ROWS))
    (tmp_path / "fastq").mkdir()
    settings = Bcl2fastqSettings(run_roots=[tmp_path], fastq_root=tmp_path / "fastq",
                                 converter="builtin", barcode_mismatches=(0, 0),
                                 index_sets=list(kits))  # fmt: skip
    folder = JobFolder(tmp_path / "job")
    parameters = Bcl2fastqKind(settings).parameters("run", ConvertRequest())
    about = {"job_id": 1, "run": "run", "stage": "convert", "attempt": 1, "stopping": False}
    folder.prepare({**about, "parameters": parameters})
    lock = folder.lock()
    assert lock is not None
    task = Task(folder, lock)
    assert len(observe(task)["files"]) == 6
    work(task)
    record = Attempt(tmp_path / "fastq", "run", 1).record()
    assert record is not None and run.name == "run"
    assert record["samples"] == [
        {"sample_id": "cells", "lane": 1, "reads": 4, "index_set": "SI-XX-A1"},
        {"sample_id": "pair", "lane": 1, "reads": 2, "index_set": "SI-YY-A1"},
        {"sample_id": "Undetermined", "lane": 1, "reads": 1},
    ]
    asked = Bcl2fastqKind(settings).parameters("run", IndexesRequest())
    assert asked["index_sets"] == [str(path) for path in kits]


def test_a_check_knows_the_names(kits, sequenced):
    run = sequenced(sheet(ROWS))
    sets = index_sets.load(kits)
    assert sheets.check(run, None, Standard((0, 0)))["code"] == "sheet.index_set"
    assert sheets.check(run, None, Standard((0, 0), index_sets=sets))["ok"]
    assert sheets.check_given(sheet(ROWS).encode(), None, Standard((0, 0), index_sets=sets))["ok"]
    near = sheets.check(run, None, Standard((1, 1), index_sets=sets))
    assert near["code"] == "sheet.index_collision"


def test_an_unknown_direction_is_a_finding(kits, sequenced):
    run = sequenced(sheet(ROWS), "ZZ9")
    found = sheets.check(run, None, Standard((0, 0), index_sets=index_sets.load(kits)))
    assert found["code"] == "sheet.orientation_unknown"
    told = [one["line"] for one in found["findings"] if one["code"] == found["code"]]
    assert told == [4]


@pytest.mark.parametrize(("instrument", "wrong"), [("NB500968", "GGCA"), ("M04034", "TGCC")])
def test_observed_indexes_are_compared_with_those_of_a_set(kits, sequenced, instrument, wrong):
    rows = "pair,P1,SI-YY-A1,,\n"
    run = sequenced(sheet(rows), instrument, times=500)
    found = examine(Question(run, sheet(rows).encode(), (0, 0), index_sets=kits))
    assert found.brief["code"] == "" and found.proposal is None
    bare = sheet(f"pair,P1,ACGT,{wrong},\n").encode()
    assert examine(Question(run, bare, (0, 0))).brief["code"] == "indexes.reversed_i5"
    other = kits[1].with_name("wrong.csv")
    other.write_text(kits[1].read_text().replace("GGCA,TGCC", "TGCC,GGCA"))
    told = examine(Question(run, sheet(rows).encode(), (0, 0), index_sets=(other,)))
    assert told.brief["code"] == "indexes.reversed_i5" and told.proposal is None
    assert "names index sets" in told.whole["by_hand"]
    with pytest.raises(ConversionError, match="names a set of indexes"):
        examine(Question(run, sheet(rows).encode(), (0, 0)))
