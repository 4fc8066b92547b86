"""The work of a job of clean: tell what may go; move it into a bin; or empty the bin."""

from contextlib import ExitStack
from typing import Any

from arteriole.archive.clean import bin, judging
from arteriole.archive.clean.case import Case
from arteriole.archive.clean.judging import Finding
from arteriole.archive.clean.objections import CleanError, NoRoomError
from arteriole.archive.clean.request import Verb
from arteriole.checksum.units import RESULTS
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.folder import NO_SPACE
from arteriole.jobs.worker import Task
from arteriole.policy.settings import DataKind

EVENTS = {Verb.DELETE: "cleaned", Verb.EMPTY: "clean_emptied"}


def work(task: Task) -> dict[str, Any]:
    """As `listing`, or `{kinds: {kind: {bin, files, bytes}}, events}` of what went; `gone` of what
    an earlier job has taken away, `{kind: where and when}`.

    Raises:
        CleanError: something speaks against it; then nothing went that had not gone before.
    """
    case = Case.of(task.run, task.attempt, task.parameters)
    if case.verb is Verb.LIST:
        return listing(case)
    with ExitStack() as held:
        for place in _places(case):
            held.enter_context(exclusive(task, place))
        return _act(task, case)


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


def _act(task: Task, case: Case) -> dict[str, Any]:
    """NB: what earlier starts of this job have done is not judged again, and is told of too."""
    earlier = _done(case, task.job_id)
    emptying = case.verb is Verb.EMPTY
    gone = {kind.value: judging.gone(case, kind) for kind in case.kinds}
    rest = tuple(
        kind
        for kind in judging.left(case)
        if kind.value not in earlier or (emptying and bin.entries(case, kind))
    )
    if back := [kind.value for kind in rest if kind not in case.said]:
        raise CleanError(
            f"{' and '.join(back)} was gone when this was asked for, and is in its place again",
            code="clean.place",
            hint="ask anew, if it is to go",
        )
    try:
        for finding in require(case, rest) if rest else ():
            (_empty if emptying else _move)(task, case, finding)
    except CleanError as err:
        if not _done(case, task.job_id):
            raise
        task.remark(err.code, f"a part of it stays where it is: {err}", err.hint)
    done = _done(case, task.job_id)
    if not emptying and DataKind.FASTQ.value in done:
        bin.forget_current(case)
    earlier_jobs = {kind: where for kind, where in gone.items() if where and kind not in done}
    told = _told(case, done) if done else {"kinds": {}}
    return told | ({"gone": earlier_jobs} if earlier_jobs else {})


def done_by(case: Case, job_id: int) -> dict[str, Any]:
    """As `work` tells it, of what the starts of this job have done; empty if that is nothing.

    OSError if a bin cannot be looked into.
    """
    done = _done(case, job_id)
    return _told(case, done) if done else {}


def _told(case: Case, done: dict[str, Any]) -> dict[str, Any]:
    return {"kinds": done, "events": {EVENTS[case.verb]: {"kinds": done}}}


def _done(case: Case, job_id: int) -> dict[str, Any]:
    """The proofs, by kind."""
    found = {}
    for kind in case.kinds:
        for entry in (bin.entry_in(folder, case, kind) for folder in case.bins):
            if case.verb is Verb.DELETE and entry.is_of(job_id):
                found[kind.value] = entry.proof()
            elif case.verb is Verb.EMPTY and (proof := entry.emptied_by(job_id)):
                found[kind.value] = proof
    return found


def _move(task: Task, case: Case, finding: Finding) -> None:
    """NB: the proof is written before anything is moved."""
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
        if err.errno in NO_SPACE:
            raise NoRoomError(f"{case.source(finding.kind)} is not moved", err) from err
        raise CleanError(
            f"{case.source(finding.kind)} cannot be moved into {entry.folder}: {err.strerror}",
            code="clean.bin",
            hint="look at the permissions there; it is where it was",
        ) from err


def _empty(task: Task, case: Case, finding: Finding) -> None:
    for entry in bin.entries(case, finding.kind):
        try:
            bin.empty(entry, task.job_id)
        except OSError as err:
            raise CleanError(
                f"{entry.folder} cannot be removed: {err}",
                code="clean.bin",
                hint="look at the permissions there, then empty it again: what is left goes then",
            ) from err
