"""The report on documents as the services give them."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from arteriole.client import ClientError
from arteriole.observe.report import Produced, Report, assemble
from arteriole.observe.source import Source
from arteriole.observe.text import render

RECORD = gzip.compress(b"@r\nA\n+\nI\n", mtime=0)
FILES = [
    "P/a_S1_L001_R1_001.fastq.gz",
    "P/b_S2_L001_R1_001.fastq.gz",
    "Undetermined_S0_L001_R1_001.fastq.gz",
]
MADE = "2001-09-09T02:00:00.000Z"  # 1,000,000,800 s
WRITTEN = 1_000_000_000


class Documents:
    """Plays every service: answers a path with a document, or with a refusal."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    def get(self, path: str) -> Any:
        if path not in self.answers:
            raise ClientError(f"no {path}")
        return self.answers[path]


class Site:
    """One run, observed as attempt 1 by jobs 1 to 4, and folders that the report reads."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "runs" / "r1"
        self.path.mkdir(parents=True)
        (self.path / "RTAComplete.txt").touch()
        os.utime(self.path / "RTAComplete.txt", (WRITTEN - 60, WRITTEN - 60))
        self.would: dict[str, Any] = {
            "convert": {
                "converter": "builtin",
                "converter_version": "1",
                "ignore": [],
                "sheet_sha256": "aa",
                "samples": [{"sample_id": name, "lane": 1} for name in ("a", "b", "Undetermined")],
                "files": FILES,
                "to": str(home / "fastq" / "r1" / "attempt-1"),
                "warnings": [],
            },
            "checksum": {"files": 9, "bytes": 99, "to": "/manifests/r1/attempt-1"},
            "transfer": {"destination": "hpc", "to": "/far/r1/attempt-1"},
            "archive": {"destination": "v", "to": "/vault/r1/attempt-1", "files": 9, "bytes": 99},
        }
        self.results: dict[int, dict[str, Any]] = {}
        self.stages = [
            self.stage("receive", "done", None),
            self.stage("check", "done", None),
            *(self.stage(name, "skipped", job) for job, name in enumerate(self.would, start=1)),
        ]
        self.attempts = [{"attempt": 1, "observed": True, "made": MADE}]
        self.evidence: dict[str, Any] = {
            "markers": ["RTAComplete.txt"],
            "expected_markers": ["RTAComplete.txt"],
        }

    def stage(self, name: str, state: str, job: int | None, attempt: int = 1) -> dict[str, Any]:
        return {
            "stage": name,
            "attempt": attempt,
            "state": state,
            "code": "run.observed" if state == "skipped" else "",
            "message": "",
            "hint": "",
            "service": None if job is None else name,
            "job_id": job,
        }

    def put(self, name: str, data: bytes = RECORD, time: float = WRITTEN) -> None:
        path = self.home / "others" / "r1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (time, time))

    def put_all(self) -> None:
        for name in FILES:
            self.put(name)

    def really_done(self, **record: Any) -> None:
        """Attempt 2 followed, by jobs 11 to 14."""
        folder = self.home / "fastq" / "r1" / "attempt-2"
        folder.mkdir(parents=True)
        samples = [{"sample_id": name, "lane": 1, "reads": 5} for name in "ab"]
        document = {
            "converter": "builtin",
            "converter_version": "1",
            "sheet_sha256": "aa",
            "samples": samples,
            "files": [{"path": name} for name in FILES],
        }
        (folder / "attempt.json").write_text(json.dumps(document | record))
        self.attempts.append({"attempt": 2, "observed": False, "made": MADE})
        for job, name in enumerate(self.would, start=11):
            self.stages.append(self.stage(name, "done", job, attempt=2))
        self.results[13] = {"destination": "hpc", "path": "/far/r1/attempt-2"}
        self.results[14] = {"destination": "v", "path": "/vault/r1/attempt-2"}

    def report(self, *names: str) -> Report:
        run = {
            "name": "r1",
            "path": str(self.path),
            "state": "none",
            "verdict": "complete",
            "attempts": self.attempts,
            "stages": self.stages,
        }
        other = {"name": "r2", "attempts": [], "stages": []}
        answers: dict[str, Any] = {
            "runs": {"runs": [run, other]},
            "runs/r1": run,
            "runs/r2": other,
            "runs/r1/evidence": {"evidence": self.evidence},
        }
        for job, would in enumerate(self.would.values(), start=1):
            answers[f"status/{job}"] = {"result": {"would": would}}
        for job, result in self.results.items():
            answers[f"status/{job}"] = {"result": result}
        services = Documents(answers)
        produced = Produced(
            time="2026-01-01T00:00:00.000Z",
            by="ada on lab",
            version="1.2",
            config="/etc/arteriole.yaml",
            config_sha256="ab" * 32,
            mode="observe",
            others=[str(self.home / "others" / "{run}")],
        )
        return assemble(Source(lambda _: services), produced, names)  # type: ignore[arg-type, return-value]

    def document(self) -> dict[str, Any]:
        found = self.report().document()
        json.dumps(found)
        (run,) = found["runs"]
        return dict(run)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_nobody_else(site: Site) -> None:
    run = site.document()
    assert (run["outcome"], run["others"], run["remarks"]) == ("nobody_else", None, [])
    assert run["would"] == site.would
    assert run["complete"] == {
        "marker": "RTAComplete.txt",
        "written": "2001-09-09T01:45:40.000Z",
    }
    assert (run["done"], run["as_announced"], run["stopped"]) == (None, None, None)
    report = site.report()
    assert report.summary["runs"] == report.summary["not_observed"] == 1
    assert site.report("r2").summary["runs"] == 0


def test_as_others_did(site: Site) -> None:
    site.put_all()
    run = site.document()
    assert (run["outcome"], run["remarks"]) == ("as_others", [])
    assert run["others"]["matched"] == {"path": 3}
    assert (run["others"]["first"], run["others"]["last"]) == ("2001-09-09T01:46:40.000Z",) * 2
    assert site.report().summary["as_others"] == 1


def test_what_others_did_differently(site: Site) -> None:
    site.put("x/a_S7_L001_R1_001.fastq.gz", gzip.compress(b"", mtime=0), time=WRITTEN - 3660)
    site.put("Stranger_S9_L001_R1_001.fastq.gz")
    site.put("broken_S8_L001_R1_001.fastq.gz", b"no gzip", time=WRITTEN + 9000)
    run = site.document()
    others = run["others"]
    assert run["outcome"] == "different"
    assert others["missing"] == FILES[1:]
    assert others["surplus"] == [
        "Stranger_S9_L001_R1_001.fastq.gz",
        "broken_S8_L001_R1_001.fastq.gz",
    ]
    assert others["empty"] == ["x/a_S7_L001_R1_001.fastq.gz"]
    assert others["unreadable"] == ["broken_S8_L001_R1_001.fastq.gz"]
    assert others["matched"] == {"another sample number": 1}
    assert [remark["code"] for remark in run["remarks"]] == [
        "others.early",
        "others.sample_missing",
        "others.sample_unknown",
        "others.sample_unknown",
        "others.empty",
        "others.unreadable",
    ]
    assert "1 h before RTAComplete.txt" in run["remarks"][0]["text"]
    text = render(site.report())
    for words in (*FILES[1:], "Stranger_S9", "1 h before", "1 differs from what others did"):
        assert words in text, words


def test_what_would_have_been_stopped(site: Site) -> None:
    site.stages = site.stages[:2]
    site.stages[1] |= {"state": "failed", "code": "sheet.index", "message": "line 7: \x1b[2J"}
    site.would = {}
    site.put_all()
    run = site.document()
    assert (run["outcome"], run["would"], run["others"]) == ("stopped", {}, None)
    assert run["stopped"]["code"] == "sheet.index"
    assert [remark["code"] for remark in run["remarks"]] == ["others.converted"]
    text = render(site.report())
    assert "would have stopped here: sheet.index: line 7:" in text
    assert "\x1b" not in text and "1 would have been stopped" in text


@pytest.mark.parametrize(
    ("stage", "result", "words"),
    [
        ({"state": "running"}, None, "running"),
        ({"job_id": 99}, None, "not known: no status/99"),
        ({}, {"would": {"to": 1}}, "does not say what it would do"),
        ({}, {"would": {"to": "/x", "samples": [1], "files": []}}, "does not say"),
        ({}, {}, "does not say"),
    ],
)
def test_what_is_not_known(
    site: Site, stage: dict[str, Any], result: dict[str, Any] | None, words: str
) -> None:
    site.stages[2] |= stage
    if result is not None:
        site.results[1] = result
    site.put_all()
    run = site.document()
    assert run["outcome"] == "open" and "convert" not in run["would"]
    assert words in " ".join(render(site.report()).split())


def test_done_as_announced(site: Site) -> None:
    site.really_done()
    run = site.document()
    assert (run["done"], run["as_announced"], run["differences"]) == (2, True, [])
    assert "attempt 2: as announced" in render(site.report())
    assert site.report().summary["as_announced"] == 1


def test_done_otherwise(site: Site) -> None:
    site.really_done(sheet_sha256="bb", files=[{"path": name} for name in FILES[1:]])
    site.results[13]["destination"] = "elsewhere"
    run = site.document()
    assert run["as_announced"] is False and len(run["differences"]) == 3
    text = render(site.report())
    assert "NOT as announced" in text and "1 done otherwise than announced" in text
    assert all(" ".join(line.split()) in " ".join(text.split()) for line in run["differences"])


@pytest.mark.parametrize(
    ("state", "as_announced"), [("running", None), ("failed", False), ("waiting", None)]
)
def test_a_real_attempt_that_is_not_done(site: Site, state: str, as_announced: bool | None) -> None:
    site.really_done()
    site.stages[-1] |= {"state": state, "code": "disk.full", "message": "full"}
    run = site.document()
    assert run["as_announced"] is as_announced
    assert run["differences"] == (["archive failed: disk.full: full"] if state == "failed" else [])


def test_counts_that_differ(site: Site) -> None:
    site.put_all()
    lane = {"LaneNumber": 1, "TotalClustersRaw": 12, "TotalClustersPF": 12}
    samples = [
        {"SampleId": name, "SampleName": name, "NumberReads": reads, "IndexMetrics": []}
        for name, reads in (("a", 5), ("b", 4))
    ]
    stats = {"ConversionResults": [lane | {"DemuxResults": samples}]}
    site.put("Stats/Stats.json", json.dumps(stats).encode())
    assert site.document()["outcome"] == "as_others", "our counts are not known yet"
    site.really_done()
    run = site.document()
    assert run["others"]["reads"] == ["b, lane 1: 5 reads here, 4 there"], run
    assert (run["outcome"], run["as_announced"]) == ("different", True)


def test_names_that_a_terminal_would_obey(site: Site) -> None:
    name = os.fsdecode(b"\xff\x1b[2J\n_S1_L001_R1_001.fastq.gz")
    site.put(name)
    site.put("ok_S2_L001_R1_001.fastq.gz")
    text = render(site.report())
    text.encode()
    assert "\x1b" not in text and "\\x1b[2J\\n_S1_L001" in text
    json.dumps(site.document()).encode("ascii")


def test_the_text_is_80_columns_wide_and_tells_who_made_it(site: Site) -> None:
    site.put_all()
    text = render(site.report())
    for words in (
        "2 samples, 3 FASTQs",
        "2026-01-01 00:00:00 UTC",
        "ada on lab",
        "arteriole 1.2",
        "ab" * 32,
    ):
        assert words in text
    for line in text.splitlines():
        assert len(line) <= 80 or len(line.split()) <= 3, line
