"""The report for people, 80 columns wide."""

import textwrap
from collections.abc import Iterator
from typing import Any

from arteriole.commands.terminal import moment, plain
from arteriole.observe.fastq_names import UNDETERMINED
from arteriole.observe.report import Comparison, Report, RunReport
from arteriole.observe.stages import StageReport

WIDTH = 80
LABEL = 14
#: So many files of one sort are named.
NAMED = 5

OUTCOMES = {
    "as_others": "as others did",
    "different": "differs from what others did",
    "stopped": "would have been stopped",
    "nobody_else": "no FASTQs of others",
    "open": "not fully observed yet",
}


def render(report: Report) -> str:
    lines = [*_head(report)]
    for run in report.runs:
        lines += ["", *_run(run)]
    return "\n".join([*lines, "", *_summary(report)])


def _line(label: str, words: str) -> list[str]:
    """`label`, and `words` wrapped beside it; names are never broken."""
    return textwrap.wrap(
        plain(words),
        WIDTH,
        initial_indent=f"  {label}".ljust(LABEL),
        subsequent_indent=" " * LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _head(report: Report) -> Iterator[str]:
    made = report.produced
    yield "What would have been done, what others did, and what was done"
    yield from _line("made", f"{moment(made.time)} UTC by {made.by}, arteriole {made.version}")
    if made.config:
        yield from _line("with", f"{made.config} (mode {made.mode}), sha256 {made.config_sha256}")
    for pattern in made.others:
        yield from _line("others", pattern)


def _run(run: RunReport) -> Iterator[str]:
    yield f"{plain(run.run)}: {OUTCOMES[run.outcome]}"
    complete = run.complete
    since = f", {complete['marker']} of {moment(complete['written'])}" if complete else ""
    yield from _line("run", f"{run.verdict}{since}; observed {moment(run.made)}")
    for stage in run.stages:
        yield from _line(stage.stage, _stage(stage))
    if run.comparison is not None:
        yield from _comparison(run.comparison)
    for remark in run.remarks:
        yield from _line("remark", remark.text)
    yield from _done(run)


def _stage(stage: StageReport) -> str:
    if stage.state == "failed":
        return f"would have stopped here: {stage.code}: {stage.message} {stage.hint}"
    if stage.trouble:
        return f"not known: {stage.trouble}"
    if stage.would is None:
        return {"done": "passed", "skipped": "passed"}.get(stage.state, stage.state)
    return _would(stage.would)


def _would(would: dict[str, Any]) -> str:
    if "samples" in would:
        samples = len({row["sample_id"] for row in would["samples"]} - {UNDETERMINED})
        words = f"{_count(samples, 'sample')}, {_count(len(would['files']), 'FASTQ')}"
        words += f" by {would.get('converter')} {would.get('converter_version')}"
        waived = [*(would.get("ignore") or []), *(would.get("waived_rules") or [])]
        ignored = ", ".join(map(str, waived))
        words += f", ignoring {ignored}" if ignored else ""
        warnings = _count(len(would.get("warnings") or []), "warning")
        return f"{words}, {warnings}; to {would['to']}"
    words = f"{_count(would['files'], 'file')}, {would['bytes']} bytes " if "files" in would else ""
    if "destination" in would:
        return f"{words}to {would['destination']}: {would['to']}"
    return f"{words}to {would['to']}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _comparison(found: Comparison) -> Iterator[str]:
    theirs, matching = found.others, found.matching
    yield from _line(
        "others",
        f"{_count(len(theirs.files), 'FASTQ')} in {', '.join(theirs.folders)}, written"
        f" {moment(theirs.first)} to {moment(theirs.last)}",
    )
    rules = ", ".join(f"{number} by {rule}" for rule, number in matching.rules.items())
    yield from _line("matched", f"{len(matching.pairs)} of ours: {rules or 'none'}")
    document = found.document()
    for label in ("missing", "surplus", "empty", "unreadable"):
        yield from _named(label, document[label])


def _named(label: str, names: list[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield from _line(label, f"{len(names)}: {' '.join(names[:NAMED])}{more}")


def _done(run: RunReport) -> Iterator[str]:
    if run.done is None:
        return
    words = {
        True: "as announced",
        False: "NOT as announced",
        None: "nothing to compare with what was announced (yet)",
    }
    yield from _line("done", f"attempt {run.done.attempt}: {words[run.done.as_announced]}")
    for line in run.done.differences:
        yield from _line("", line)


def _summary(report: Report) -> Iterator[str]:
    counts = report.summary
    yield f"{_count(counts['runs'], 'run')} observed"
    for name, words in OUTCOMES.items():
        yield f"{counts[name]:6} {words}"
    if counts["as_announced"] or counts["not_as_announced"]:
        yield f"{counts['as_announced']:6} done as announced"
        yield f"{counts['not_as_announced']:6} done otherwise than announced"
    if counts["not_observed"]:
        yield f"{counts['not_observed']:6} more not observed (arteriole runs)"
