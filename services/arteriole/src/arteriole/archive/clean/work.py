"""The work of a job of clean: tell what may go; move it into a bin; or empty the bin."""

import json
from contextlib import ExitStack
from typing import Any

from arteriole.archive.clean import bin, judging
from arteriole.archive.clean.case import Case
from arteriole.archive.clean.judging import Finding
from arteriole.archive.clean.objections import CleanError
from arteriole.archive.clean.request import Verb
from arteriole.checksum.units import RESULTS
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task
from arteriole.policy.settings import DataKind


def work(task: Task) -> dict[str, Any]:
    """As `listing`, or `{kinds: {kind: {bin, files, bytes}}, events}` of what went.

    Raises:
        CleanError: something speaks against it; then nothing went that had not gone before.
    """
    case = Case.of(task.run, task.attempt, task.parameters)
    if case.verb is Verb.LIST:
        return listing(case)
    with ExitStack() as held:
        for place in _places(case):
            held.enter_context(exclusive(task, place))
        return _delete(task, case) if case.verb is Verb.DELETE else _empty(task, case)


def observe(task: Task) -> dict[str, Any]:
    """As `listing`, of the case that the job is about."""
    return listing(Case.of(task.run, task.attempt, task.parameters))


def listing(case: Case) -> dict[str, Any]:
    """`{objections, kinds: [{kind, where, files, bytes, may_go, objections}]}`."""
    general = judging.of_run(case)
    kinds = []
    for kind in _asked(case):
        finding = judging.of_kind(case, kind)
        where = case.results if kind is DataKind.RESULTS else case.source(kind)
        found = finding.document(where)
        kinds.append({**found, "may_go": found["may_go"] and not general})
    return {"objections": [one.document() for one in general], "kinds": kinds}


def _asked(case: Case) -> list[DataKind]:
    """Without results where there are none, unless they alone were asked for."""
    there = case.results is not None and case.results.is_dir()
    kinds = [kind for kind in case.kinds if kind is not DataKind.RESULTS or there]
    return kinds or list(case.kinds)


def require(case: Case, kinds: tuple[DataKind, ...]) -> list[Finding]:
    """What proves that `kinds` may go; CleanError with the first thing that speaks against it."""
    for objection in judging.of_run(case):
        raise objection.error()
    findings = [judging.of_kind(case, kind) for kind in kinds]
    for objection in (one for finding in findings for one in finding.objections):
        raise objection.error()
    return findings


def _places(case: Case) -> list[str]:
    """Those of the jobs that archive the attempt or bring it back, and our own."""
    data = [f"{name}/{case.run}.{case.attempt}" for name in case.destinations]
    data.append(f"restore/{case.run}.attempt-{case.attempt}")
    return [*data, *(f"{place}.{RESULTS}" for place in data), f"clean/{case.run}"]


def _delete(task: Task, case: Case) -> dict[str, Any]:
    """NB: what an earlier start of this job has moved is gone from its place, and is told of."""
    moved: dict[str, Any] = {}
    rest = []
    for kind in case.kinds:
        earlier = next((e for e in bin.entries(case, kind) if e.is_of(task.job_id)), None)
        if earlier is None:
            rest.append(kind)
        else:
            moved[kind.value] = earlier.proof()
    try:
        for finding in require(case, tuple(rest)):
            moved[finding.kind.value] = _move(task, case, finding)
    except CleanError as err:
        if not moved:
            raise
        task.remark(err.code, f"a part of it stays where it is: {err}", err.hint)
    if DataKind.FASTQ.value in moved:
        bin.forget_current(case)
    return {"kinds": moved, "events": {"cleaned": {"kinds": moved}}}


def _move(task: Task, case: Case, finding: Finding) -> dict[str, Any]:
    """The proof, which is written before anything is moved."""
    entry = bin.entry_for(case, finding.kind)
    assert entry is not None and finding.proof is not None, "it was judged"
    proof = {
        "job_id": task.job_id,
        "run": case.run,
        "attempt": case.attempt,
        "from": str(case.source(finding.kind)),
        "bin": str(entry.folder),
        "files": finding.files,
        "bytes": finding.bytes,
        "people": task.parameters["clean"]["people"],
        **finding.proof.document(),
    }
    try:
        bin.move(case, finding.kind, entry, proof)
    except OSError as err:
        raise CleanError(
            f"{case.source(finding.kind)} cannot be moved into {entry.folder}: {err.strerror}",
            code="clean.bin",
            hint="look at the permissions there; it is where it was",
        ) from err
    return proof


def _empty(task: Task, case: Case) -> dict[str, Any]:
    """NB: what an earlier start of this job has emptied is there no more, and is told of."""
    emptied: dict[str, Any] = {}
    rest = []
    for kind in case.kinds:
        places = [bin.entry_in(folder, case, kind) for folder in case.bins]
        earlier = next((one for one in places if one.was_emptied_by(task.job_id)), None)
        if earlier is None or bin.entries(case, kind):
            rest.append(kind)
        else:
            emptied[kind.value] = json.loads(earlier.emptied.read_bytes())
    for finding in require(case, tuple(rest)):
        for entry in bin.entries(case, finding.kind):
            bin.empty(entry, task.job_id)
            emptied[finding.kind.value] = json.loads(entry.emptied.read_bytes())
    return {"kinds": emptied, "events": {"clean_emptied": {"kinds": emptied}}}
