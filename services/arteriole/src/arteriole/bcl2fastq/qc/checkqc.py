"""A site's own CheckQC, run on an attempt; what it tells becomes findings like all others.

It wants a run folder with the statistics of bcl2fastq inside, so it gets one of links. NB: with a
run that it cannot judge it ends with 0 and prints nothing (checkQC/app.py, App.run), so what it
prints counts and not its exit code.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.qc.judging import Finding
from arteriole.bcl2fastq.qc.settings import CheckQcSettings
from arteriole.jobs.worker import Task, note

#: Of the run folder; the last three as instruments call them.
_LINKED = ("RunInfo.xml", "InterOp", "RunParameters.xml", "runParameters.xml")
#: CheckQC's own defaults of where it looks for the statistics and for the sheet.
_OUTPUT, _SHEET = "Data/Intensities/BaseCalls", "SampleSheet.csv"
_CONFIG_LIMIT, _ANSWER_LIMIT = 2**20, 16 * 2**20
_VERSION_SECONDS = 60.0
#: So many of its findings are taken, of so many characters each.
_MOST, _LONGEST = 1000, 500
_LAST_LINES = 3


class _NoAnswer(Exception):
    """CheckQC did not judge the attempt, and why."""


def findings(
    task: Task, settings: CheckQcSettings, attempt: Attempt, sheet: bytes
) -> tuple[Finding, ...]:
    """What it finds; that it did not judge is a finding of its own."""
    home = task.folder.path / "checkqc"
    shutil.rmtree(home, ignore_errors=True)
    try:
        home.mkdir()
        _require_version(task, settings, home)
        run = _laid_out(home / task.run, Path(task.parameters["run_dir"]), attempt, sheet, settings)
        words = ["--json", "--config", str(settings.config), str(run)]
        exit_code, output = _call(task, settings, words, home, settings.timeout_minutes * 60)
        found = tuple(_findings(_report(exit_code, output, home), settings))
        if exit_code and not any(finding.code == "qc.checkqc_error" for finding in found):
            raise _NoAnswer(f"it ended with {exit_code} and told of no error{_last(home)}")
    except (_NoAnswer, OSError) as err:
        message = f"CheckQC has not judged the attempt: {err}"
        return (Finding("qc.checkqc_failed", settings.no_answer, message[:_LONGEST]),)
    return found


def _require_version(task: Task, settings: CheckQcSettings, home: Path) -> None:
    if settings.version is None:
        return
    _, output = _call(task, settings, ["--version"], home, _VERSION_SECONDS)
    said = output.decode("utf-8", "replace").split()
    if settings.version not in said:
        raise _NoAnswer(
            f"expected version {settings.version}, found {' '.join(said)[:100] or 'no answer'}"
        )


def _laid_out(
    run: Path, run_dir: Path, attempt: Attempt, sheet: bytes, settings: CheckQcSettings
) -> Path:
    """The folder, with what its configuration says is where."""
    output, name = _places(settings.config)
    if not (attempt.path / "Stats" / "Stats.json").is_file():
        raise _NoAnswer("the attempt has no Stats/Stats.json")
    run.mkdir()
    for entry in _LINKED:
        if (run_dir / entry).exists():
            (run / entry).symlink_to(run_dir / entry)
    (run / output).mkdir(parents=True, exist_ok=True)
    (run / output / "Stats").symlink_to(attempt.path / "Stats")
    (run / name).write_bytes(sheet)
    return run


def _places(config: Path) -> tuple[PurePosixPath, PurePosixPath]:
    """Where its configuration has the statistics and the sheet, below the run folder."""
    with config.open("rb") as file:
        data = file.read(_CONFIG_LIMIT + 1)
    try:
        parsers = (yaml.safe_load(data[:_CONFIG_LIMIT]) or {}).get("parser_configurations") or {}
        output = (parsers.get("StatsJsonParser") or {}).get("bcl2fastq_output_path", _OUTPUT)
        sheet = (parsers.get("SamplesheetParser") or {}).get("samplesheet_name", _SHEET)
        places = PurePosixPath(output), PurePosixPath(sheet)
    except (yaml.YAMLError, AttributeError, TypeError, RecursionError) as err:
        raise _NoAnswer(f"{config} is no configuration of CheckQC") from err
    if any(place.is_absolute() or ".." in place.parts for place in places):
        raise _NoAnswer(f"{config} names places outside of the run folder")
    return places


def _call(
    task: Task, settings: CheckQcSettings, words: list[str], home: Path, seconds: float
) -> tuple[int, bytes]:
    """Exit code and standard output; it runs in the job's process group, and ends with it."""
    argv = [settings.program, *words]
    note(f"+ {json.dumps(argv)}")
    with open(home / "stdout", "wb") as output, open(home / "stderr", "wb") as errors:
        try:
            ended = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                timeout=seconds,
                check=False,
                pass_fds=task.lock_fds,
                env={n: v for n, v in os.environ.items() if not n.startswith("ARTERIOLE_")},
            )
        except subprocess.TimeoutExpired as err:
            raise _NoAnswer(f"it had not ended after {seconds:g} s and was stopped") from err
        except OSError as err:
            raise _NoAnswer(f"{settings.program} cannot be run: {err.strerror}") from err
    with open(home / "stdout", "rb") as file:
        return ended.returncode, file.read(_ANSWER_LIMIT + 1)


def _report(exit_code: int, output: bytes, home: Path) -> dict[str, Any]:
    try:
        report = json.loads(output) if len(output) <= _ANSWER_LIMIT else None
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, dict) or "run_summary" not in report:
        raise _NoAnswer(f"it ended with {exit_code} and no report{_last(home)}")
    return report


def _findings(report: dict[str, Any], settings: CheckQcSettings) -> Iterator[Finding]:
    """A row of a handler is `{type, message, data}`; of another type than known it is an error."""
    rows = [row for told in report.values() if isinstance(told, list) for row in told]
    for row in rows[:_MOST]:
        row = row if isinstance(row, dict) else {"message": str(row)}
        data = row["data"] if isinstance(row.get("data"), dict) else {}
        lane, sample = data.get("lane"), data.get("sample_name")
        is_warning = row.get("type") == "warning"
        yield Finding(
            "qc.checkqc_warning" if is_warning else "qc.checkqc_error",
            settings.warning if is_warning else settings.error,
            f"CheckQC: {' '.join(str(row.get('message', '')).split())}"[:_LONGEST],
            lane if type(lane) is int else None,
            str(sample)[:_LONGEST] if sample else "",
        )
    if len(rows) > _MOST:
        message = f"CheckQC: and {len(rows) - _MOST} more"
        yield Finding("qc.checkqc_error", settings.error, message)


def _last(home: Path) -> str:
    """The end of what it wrote to standard error."""
    text = (home / "stderr").read_bytes()[-8192:].decode("utf-8", "replace")
    lines = [" ".join(line.split())[:200] for line in text.splitlines() if line.strip()]
    return f": {' | '.join(lines[-_LAST_LINES:])}" if lines else ""
