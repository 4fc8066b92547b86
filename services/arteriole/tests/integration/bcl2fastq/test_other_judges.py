"""CheckQC and MultiQC read what our conversions leave, and find the same in it as our own QC."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from arteriole.bcl2fastq.converters import ConversionRequest, find
from arteriole.bcl2fastq.kind import Bcl2fastqKind, ConvertRequest
from arteriole.bcl2fastq.qc.measures import Counted, measure
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.work import work
from arteriole.illumina import demultiplexing_stats, interop_summary
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import Kind
from arteriole.simulator.sequencer import write_run

ROOT = Path(__file__).parents[5]
REAL = "230825_M04034_0043_000000000-L6NVV"
#: CheckQC tells its figures only where they cross a threshold, so each of these is crossed.
HANDLERS = [
    {"name": "ClusterPFHandler", "warning": 10_000, "error": "unknown"},
    {"name": "Q30Handler", "warning": 100, "error": "unknown"},
    {
        "name": "ErrorRateHandler",
        "allow_missing_error_rate": True,
        "warning": 0.001,
        "error": "unknown",
    },
    {"name": "ReadsPerSampleHandler", "warning": "unknown", "error": 10_000},
]
DEFAULT_HANDLERS = [
    {"name": "UndeterminedPercentageHandler", "warning": "unknown", "error": -100},
    {"name": "UnidentifiedIndexHandler", "significance_threshold": 0.01},
]


def program(name):
    """Of an environment that `make test` makes."""
    path = ROOT / f".venv-{name}" / "bin" / name
    if not path.exists():
        pytest.skip(f"make .venv-{name}/.made")
    return path


def configuration(instrument, output):
    """CheckQC's, with `output` as the path of the statistics below the run folder."""
    return {
        "parser_configurations": {
            "StatsJsonParser": {"bcl2fastq_output_path": output},
            "SamplesheetParser": {"samplesheet_name": "SampleSheet.csv"},
        },
        "default_view": "illumina_data_view",
        "default_handlers": DEFAULT_HANDLERS,
        instrument: {"20-160": {"handlers": HANDLERS, "view": "illumina_data_view"}},
    }


def check_qc(run, instrument, output, home):
    """What CheckQC tells of the run folder `run`, whose statistics lie in `output`, as JSON."""
    config = configuration(instrument, os.path.relpath(output, run))
    (home / "checkqc.yaml").write_text(yaml.safe_dump(config))
    ended = subprocess.run(
        [program("checkqc"), "--json", "--config", str(home / "checkqc.yaml"), str(run)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.stdout.startswith("{"), ended.stderr
    (home / "checkqc.json").write_text(ended.stdout)
    return json.loads(ended.stdout)


def of(report, handler):
    return [row["data"] for row in report[handler]]


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    home = tmp_path_factory.mktemp("converted")
    plan = default_plan(
        kind=Kind.NOVASEQ6000, clusters=120, read_cycles=(21, 21), swaths=1, surfaces=1
    )
    run = write_run(plan, home / "runs", truth=home / "truth")
    out = home / "fastq" / run.name
    out.mkdir(parents=True)
    request = ConversionRequest(run, run / "SampleSheet.csv", out)
    result = find("builtin").convert(request, lambda done, total: None)
    files = [(file.path, file.sample_id, file.lane, file.reads) for file in result.files]
    reads = {(one.sample_id, one.lane): one.reads for one in result.samples}
    stats = demultiplexing_stats.read(out / "Stats" / "Stats.json")
    interop = interop_summary.summarise(run)
    measures = measure(Counted(reads, tuple(files), False), stats, interop, {})
    return home, run, out, measures


def test_both_find_what_our_own_qc_finds(converted):
    home, run, out, measures = converted
    found = check_qc(run, "novaseq_SP", out, home)
    pf = {row["lane"]: row["lane_pf"] for row in of(found, "ClusterPFHandler")}
    assert pf == {lane.lane: lane.clusters_pf for lane in measures.lanes}
    unknown = of(found, "UndeterminedPercentageHandler")
    assert [(lane.lane, lane.undetermined, lane.phix) for lane in measures.lanes] == [
        (
            row["lane"],
            pytest.approx(row["percentage_undetermined"], abs=0.001),
            pytest.approx(row["phix_on_lane"], abs=0.001),
        )
        for row in unknown
    ]
    reads = {
        (row["sample_name"], row["lane"]): round(row["sample_reads"] * 1e6)
        for row in of(found, "ReadsPerSampleHandler")
    }
    ours = {
        (sample.sample_id.split("_")[0], lane): count
        for sample in measures.samples
        for lane, count in sample.reads_by_lane.items()
    }
    assert reads == ours and len(ours) == 8
    for lane in measures.lanes:
        theirs = [row for row in of(found, "Q30Handler") if row["lane"] == lane.lane]
        of_reads = [row["percent_q30"] for row in theirs if row["read"] in (1, 4)]
        assert lane.q30 == pytest.approx(sum(of_reads) / 2, abs=0.01)
    assert found["UnidentifiedIndexHandler"], "it reads DemuxSummaryF1L<lane>.txt"

    report = home / "report"
    (home / "in").mkdir()
    shutil.copytree(out / "Stats", home / "in" / "Stats")
    shutil.copy(home / "checkqc.json", home / "in")
    shutil.copytree(out / "Reports", home / "in" / "Reports")
    shutil.copy(run / "RunInfo.xml", home / "in" / "Reports")  # where BCL Convert puts it
    modules = ["-m", "bcl2fastq", "-m", "checkqc", "-m", "bclconvert"]
    ended = subprocess.run(
        [program("multiqc"), "--quiet", "--no-version-check", *modules, "-o", report, home / "in"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    assert (report / "multiqc_report.html").stat().st_size > 100_000
    told = json.loads((report / "multiqc_data" / "multiqc_data.json").read_text())
    lanes = told["report_saved_raw_data"]["multiqc_bcl2fastq_bylane"]
    assert {name: row["undetermined"] + row["total"] for name, row in lanes.items()} == {
        f"{run.name} - L{lane.lane}": lane.clusters_pf for lane in measures.lanes
    }
    samples = told["report_saved_raw_data"]["multiqc_bcl2fastq_bysample"]
    samples.pop("undetermined")
    assert sorted((row["total"], round(row["percent_Q30"], 3)) for row in samples.values()) == (
        sorted((sample.reads, sample.percent_q30) for sample in measures.samples)
    )
    assert "multiqc_checkqc" in told["report_saved_raw_data"]
    samples = told["report_saved_raw_data"]["multiqc_bclconvert_bysample"]
    assert {
        name: (row["clusters"], row["yield_"], round(row["percent_yield_q30"], 3))
        for name, row in samples.items()
    } == {
        sample.sample_id: (sample.reads, 42 * sample.reads, sample.percent_q30)
        for sample in measures.samples
    }


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
def test_of_a_real_run_the_instruments_measures_are_the_same(tmp_path):
    run = Path(os.environ["ARTERIOLE_REAL_DATA"]) / REAL
    output = run / "Data" / "Intensities" / "BaseCalls"
    found = check_qc(run, "miseq_v2", output, tmp_path)
    (lane,) = interop_summary.summarise(run).lanes
    templates = [row for row in of(found, "ErrorRateHandler") if row["read"] in (1, 4)]
    assert lane.error_rate == pytest.approx(max(r["error_rate"] for r in templates), abs=0.001)
    (unknown,) = of(found, "UndeterminedPercentageHandler")
    # they take the mean of the reads, we the worst
    assert lane.percent_aligned < unknown["phix_on_lane"] < lane.percent_aligned + 1
    stats = demultiplexing_stats.read(output / "Stats" / "Stats.json")
    reads = stats.lanes[1].undetermined + stats.reads
    assert 100 * stats.lanes[1].undetermined / reads == pytest.approx(
        unknown["percentage_undetermined"], abs=0.05
    )


def test_check_qc_as_a_part_of_our_qc(tmp_path):
    """With the real one: held by its error, told by its warnings."""
    plan = default_plan(
        kind=Kind.NOVASEQ6000, clusters=60, read_cycles=(21, 21), swaths=1, surfaces=1
    )
    run = write_run(plan, tmp_path / "runs", truth=tmp_path / "truth")
    (tmp_path / "fastq").mkdir()
    config = tmp_path / "checkqc.yaml"
    config.write_text(yaml.safe_dump(configuration("novaseq_SP", "Made/by/bcl2fastq")))
    settings = Bcl2fastqSettings.model_validate(
        {
            "run_roots": [tmp_path / "runs"],
            "fastq_root": tmp_path / "fastq",
            "converter": "builtin",
            "qc": {
                "default": {"undetermined": None},
                "checkqc": {"program": str(program("checkqc")), "config": config,
                            "version": "4.1.2"},
            },
        }
    )  # fmt: skip
    work(_task(settings, tmp_path / "convert", run.name, "convert"))
    told = work(_task(settings, tmp_path / "qc", run.name, "qc"))
    found = [(row["code"], row["consequence"]) for row in told["findings"]]
    assert told["verdict"] == "hold" and {*found} == {
        ("qc.checkqc_error", "hold"),
        ("qc.checkqc_warning", "warn"),
    }
    assert any(row["lane"] == 2 for row in told["findings"])
    config.write_text(yaml.safe_dump(configuration("miseq_v2", "Made/by/bcl2fastq")))
    told = work(_task(settings, tmp_path / "again", run.name, "qc"))
    ((code, message),) = [(row["code"], row["message"]) for row in told["findings"]]
    assert (code, "novaseq_SP" in message) == ("qc.checkqc_failed", True), message


def _task(settings, home, run, part):
    kind, folder = Bcl2fastqKind(settings), JobFolder(home)
    parameters = kind.parameters(run, ConvertRequest(part=part))
    folder.prepare(
        {"job_id": 1, "run": run, "stage": part, "attempt": 1, "observe": False,
         "parameters": parameters, "worker": kind.worker}
    )  # fmt: skip
    lock = folder.lock()
    assert lock is not None
    return Task(folder, lock)
