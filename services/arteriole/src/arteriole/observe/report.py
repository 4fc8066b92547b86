"""The report on observed runs: a laboratory's evidence that switching on does what was announced.

Its document (`--json`):
    {"produced": {"time", "by", "version", "config", "config_sha256", "mode", "others": [patterns]},
     "runs": [{"run", "state", "verdict", "complete": {"marker", "written"} | null,
               "attempt", "made", "outcome", "stages": [{"stage", "state", "code", "message",
               "hint", "would", "trouble"}], "would": {stage: as its service announced},
               "stopped": {"stage", "code", "message", "hint"} | null,
               "others": {"folders", "files", "first", "last", "matched": {rule: files},
                          "missing", "surplus", "empty", "unreadable", "stats", "reads",
                          "cut_short"} | null,
               "remarks": [{"code", "text"}],
               "done": attempt | null, "as_announced": bool | null, "differences": [text]}],
     "summary": {"runs", "not_observed", "as_others", "different", "stopped", "nobody_else",
                 "open", "as_announced", "not_as_announced"}}
Times are UTC, ISO 8601. `outcome`: `as_others`, `different`, `stopped`, `nobody_else` (no FASTQs of
others were found), `open` (its observation has not ended, or a result is not known).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from arteriole.observe import announced, counts, others, remarks, stages
from arteriole.observe.announced import Deeds
from arteriole.observe.fastq_names import Matching, match
from arteriole.observe.others import Content, Others
from arteriole.observe.remarks import Remark
from arteriole.observe.source import Source
from arteriole.observe.stages import StageReport

OUTCOMES = ("as_others", "different", "stopped", "nobody_else", "open")


@dataclass(frozen=True)
class Produced:
    """By whom, when and with what a report was made."""

    time: str
    by: str
    version: str
    config: str
    config_sha256: str
    mode: str
    others: list[str]


@dataclass(frozen=True)
class Done:
    """The real attempt that followed; `as_announced` is None while it has not ended."""

    attempt: int
    as_announced: bool | None
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Others' FASTQs against ours; `reads`: the samples whose counts differ, if both are known."""

    others: Others
    matching: Matching
    stats: str
    reads: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        return not (
            self.matching.missing
            or self.matching.surplus
            or self.reads
            or self.others.cut_short
            or self.others.names(Content.EMPTY)
            or self.others.names(Content.UNREADABLE)
        )

    def document(self) -> dict[str, Any]:
        return {
            "folders": list(self.others.folders),
            "files": len(self.others.files),
            "first": self.others.first,
            "last": self.others.last,
            "matched": self.matching.rules,
            "missing": list(self.matching.missing),
            "surplus": list(self.matching.surplus),
            "empty": self.others.names(Content.EMPTY),
            "unreadable": self.others.names(Content.UNREADABLE),
            "stats": self.stats,
            "reads": list(self.reads),
            "cut_short": self.others.cut_short,
        }


@dataclass(frozen=True)
class RunReport:
    run: str
    state: str
    verdict: str
    complete: dict[str, str] | None
    attempt: int
    made: str
    stages: tuple[StageReport, ...]
    comparison: Comparison | None
    remarks: tuple[Remark, ...]
    done: Done | None

    @property
    def would(self) -> dict[str, dict[str, Any]]:
        return {stage.stage: stage.would for stage in self.stages if stage.would is not None}

    @property
    def stopped(self) -> StageReport | None:
        return next((stage for stage in self.stages if stage.state == "failed"), None)

    @property
    def outcome(self) -> str:
        if self.stopped is not None:
            return "stopped"
        if not all(stage.passed and not stage.trouble for stage in self.stages):
            return "open"
        if self.comparison is None:
            return "nobody_else"
        return "as_others" if self.comparison.is_same else "different"

    def document(self) -> dict[str, Any]:
        stopped, done = self.stopped, self.done
        return {
            "run": self.run,
            "state": self.state,
            "verdict": self.verdict,
            "complete": self.complete,
            "attempt": self.attempt,
            "made": self.made,
            "outcome": self.outcome,
            "stages": [stage.document() for stage in self.stages],
            "would": self.would,
            "stopped": None
            if stopped is None
            else {name: getattr(stopped, name) for name in ("stage", "code", "message", "hint")},
            "others": None if self.comparison is None else self.comparison.document(),
            "remarks": [asdict(remark) for remark in self.remarks],
            "done": None if done is None else done.attempt,
            "as_announced": None if done is None else done.as_announced,
            "differences": [] if done is None else list(done.differences),
        }


@dataclass(frozen=True)
class Report:
    """`not_observed`: runs that have no observed attempt, of which nothing can be told."""

    produced: Produced
    runs: tuple[RunReport, ...]
    not_observed: int

    @property
    def summary(self) -> dict[str, int]:
        outcomes = Counter(run.outcome for run in self.runs)
        ended = [run.done.as_announced for run in self.runs if run.done is not None]
        return {
            "runs": len(self.runs),
            "not_observed": self.not_observed,
            **{name: outcomes[name] for name in OUTCOMES},
            "as_announced": ended.count(True),
            "not_as_announced": ended.count(False),
        }

    def document(self) -> dict[str, Any]:
        return {
            "produced": asdict(self.produced),
            "runs": [run.document() for run in self.runs],
            "summary": self.summary,
        }


def assemble(source: Source, produced: Produced, names: Iterable[str] = ()) -> Report:
    """The report on the runs called `names`, or on all.

    Raises:
        ClientError: the runfolder service does not answer, or knows no such run.
    """
    wanted = list(names)
    found = [source.run(name) for name in wanted] if wanted else source.runs()
    reports = []
    for run in found:
        observed = [row for row in run["attempts"] if row["observed"]]
        if observed:
            reports.append(_run(source, run, observed[-1], produced.others))
    return Report(produced, tuple(reports), len(found) - len(reports))


def _run(
    source: Source, run: dict[str, Any], row: dict[str, Any], patterns: list[str]
) -> RunReport:
    attempt, name = row["attempt"], run["name"]
    reports = stages.read_stages(source, run, attempt)
    would = {stage.stage: stage.would for stage in reports if stage.would is not None}
    conversion = next((one for one in would.values() if "samples" in one), None)
    deeds = _deeds(source, run, attempt, conversion)
    complete = source.completed(run)
    notes: list[Remark] = []
    comparison = None
    theirs = others.find(patterns, name)
    if theirs is not None:
        notes += remarks.on_times(theirs, complete, row["made"])
    if theirs is not None and conversion is not None:
        comparison, more = _compare(theirs, conversion["files"], deeds)
        notes += more
    elif theirs is not None:
        notes.append(
            Remark("others.converted", f"they made {len(theirs.files)} FASTQs of it nonetheless")
        )
    return RunReport(
        run=name,
        state=run["state"],
        verdict=run["verdict"],
        complete=complete,
        attempt=attempt,
        made=row["made"],
        stages=reports,
        comparison=comparison,
        remarks=tuple(notes),
        done=None if deeds is None else _done(run, would, deeds),
    )


def _compare(
    theirs: Others, files: list[str], deeds: Deeds | None
) -> tuple[Comparison, list[Remark]]:
    matching = match(files, (file.name for file in theirs.files))
    notes = remarks.on_files(theirs, matching, files)
    found, where = counts.read_stats(theirs.stats)
    reads: list[str] = []
    if found is None and where:
        notes.append(Remark("others.stats", f"their counts cannot be read: {where}"))
    elif found is not None and deeds is not None and deeds.record is not None:
        reads = counts.differing(deeds.record, found)
        notes += [Remark("others.reads", line) for line in reads]
    return Comparison(theirs, matching, where if found else "", tuple(reads)), notes


def _deeds(
    source: Source, run: dict[str, Any], observed: int, conversion: dict[str, Any] | None
) -> Deeds | None:
    """What the newest real attempt after the `observed` one did; None if there is none."""
    real = [
        row["attempt"]
        for row in run["attempts"]
        if not row["observed"] and row["attempt"] > observed
    ]
    if not real:
        return None
    attempt = real[-1]
    results = {}
    for stage in stages.of_attempt(run, attempt):
        if stage["state"] == "done" and stage["service"] and stage["job_id"]:
            results[stage["stage"]] = source.job(stage["service"], stage["job_id"])[0].get("result")
    record = None if conversion is None else announced.read_record(conversion, attempt)
    return Deeds(attempt, record, {name: result for name, result in results.items() if result})


def _done(run: dict[str, Any], would: dict[str, dict[str, Any]], deeds: Deeds) -> Done:
    rows = stages.of_attempt(run, deeds.attempt)
    if not any("samples" in one for one in would.values()):
        return Done(deeds.attempt, None, ())  # it was announced that nothing would be made
    failed = [row for row in rows if row["state"] == "failed"]
    if failed:
        lines = tuple(f"{row['stage']} failed: {row['code']}: {row['message']}" for row in failed)
        return Done(deeds.attempt, False, lines)
    if not all(row["state"] in stages.PASSED for row in rows):
        return Done(deeds.attempt, None, ())
    found = tuple(announced.differences(would, deeds))
    return Done(deeds.attempt, not found, found)
