"""Whether something may go: everything that speaks against it, from what can be seen here."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.app.errors import ArterioleError
from arteriole.archive.clean import bin
from arteriole.archive.clean.case import Case
from arteriole.archive.clean.mark import Mark
from arteriole.archive.clean.merged import merged_runs, subjects_in
from arteriole.archive.clean.objections import Objection
from arteriole.archive.clean.proof import Proof, claims_of, prove
from arteriole.archive.clean.request import Verb
from arteriole.checksum.errors import listed
from arteriole.checksum.units import RESULTS
from arteriole.policy.gate import policy_at
from arteriole.policy.policy import Policy, Subject
from arteriole.policy.settings import DataKind

#: Seconds for which it counts what the service of runs said, and by which clocks may differ.
EVIDENCE_SECONDS, CLOCKS = 600.0, 60.0
DAY = 24 * 3600.0


@dataclass
class Finding:
    """What was found of one kind of data; `gone` is where and when it went, if we took it away."""

    kind: DataKind
    gone: str = ""
    objections: list[Objection] = field(default_factory=list)
    proof: Proof | None = None
    files: int = 0
    bytes: int = 0

    def document(self, where: Path | None) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "where": "" if where is None else str(where),
            "files": self.files,
            "bytes": self.bytes,
            "may_go": not self.objections,
            "objections": [one.document() for one in self.objections],
            **({"gone": self.gone} if self.gone else {}),
        }


def of_run(case: Case) -> list[Objection]:
    """What speaks against taking away anything of the run."""
    checks = (_by_settings, _by_evidence, _by_jobs, _by_stores, _by_disk)
    return [one for check in checks for one in check(case)]


def of_kind(case: Case, kind: DataKind) -> Finding:
    """What speaks against taking away this kind of data, and what proves that it may go."""
    finding = Finding(kind, gone(case, kind))
    if finding.gone:
        text = f"{kind} data of attempt {case.attempt} {finding.gone}"
        hint = f"arteriole restore {case.run} brings it back from the archive"
        finding.objections.append(Objection("clean.place", text, hint))
        return finding
    if kind is DataKind.RESULTS:
        finding.objections += _of_results(case)
    if finding.objections:
        return finding
    place = _in_the_bin if case.verb is Verb.EMPTY else _in_its_place
    finding.objections += place(case, kind)
    if finding.objections:
        return finding
    if case.policy is None:
        finding.objections.append(
            Objection(
                "clean.retention",
                "no policy says how long anything is kept, so it is kept for ever",
                "set policy in arteriole.yaml, with keep_days (docs/policy.md)",
            )
        )
        return finding
    try:
        policy = policy_at(case.policy)
        subjects = subjects_in(case, policy, [kind])
    except ArterioleError as err:
        finding.objections.append(Objection(err.code, str(err), err.hint))
        return finding
    objections = _by_proof(case, policy, subjects, finding)
    finding.objections += _by_retention(case, policy, subjects, finding)
    finding.objections += objections
    return finding


def gone(case: Case, kind: DataKind) -> str:
    """Where and when this kind of data went, if it is not in its place as we took it away."""
    source = case.results if kind is DataKind.RESULTS else case.source(kind)
    if not case.is_in_place or source is None or os.path.lexists(source):
        return ""
    for entry in (bin.entry_in(folder, case, kind) for folder in case.bins):
        if entry.is_full() and (moved := entry.moved()):
            return f"is in the bin {entry.folder}, since {times.text(moved)[:10]}"
        if (emptied := entry.last_emptied()) is not None:
            return f"was removed on {emptied[0][:10]}: {emptied[1]}"
    return ""


def left(case: Case) -> tuple[DataKind, ...]:
    """The kinds asked for that we have not taken away before."""
    return tuple(kind for kind in case.kinds if not gone(case, kind))


def _by_settings(case: Case) -> Iterator[Objection]:
    if not case.delete:
        yield Objection(
            "clean.not_set",
            "arteriole.yaml does not let anything be taken away; it is only told what might",
            "set archive.clean: {delete: true, bins: [/a/folder]}",
        )


def _by_evidence(case: Case) -> Iterator[Objection]:
    told = case.evidence
    if told is None:
        yield _not_done("nobody says whether the run is done")
        return
    age = times.seconds_since(told["time"])
    if not -CLOCKS <= age <= EVIDENCE_SECONDS:
        yield Objection(
            "clean.stale",
            f"what the runfolder service said of the run is {age:.0f} seconds old",
            "ask again; look at the clocks of both machines",
        )
    if told["state"] != "done":
        yield _not_done(f"the run is {told['state'][:20]!r}, not done")
    if told["observed"]:
        yield _not_done("the run was only observed")
    if told["attempt"] != case.attempt:
        yield _not_done(f"its newest attempt is {told['attempt']}, not {case.attempt}")
    if told["held"]:
        yield Objection(
            "clean.held", "the run is held", f"see why: arteriole why {case.run}; then release it"
        )


def _not_done(text: str) -> Objection:
    return Objection("clean.not_done", text, "only a run that is done is taken away")


def _by_jobs(case: Case) -> Iterator[Objection]:
    if jobs := case.known["open_jobs"]:
        text = f"job {jobs[0]} of the archive is at work on the run, or waits"
        yield Objection("clean.busy", text, "wait for its end, or stop it")


def _by_stores(case: Case) -> Iterator[Objection]:
    """A store that was brought back from a backup knows nothing of what came after it."""
    yield from _by_mark(case)
    newest = case.known["newest"]
    if newest and times.seconds_since(newest) < -CLOCKS:
        yield _older(f"its newest event is of {newest[:19]}, and by the clock that is to come")
    if case.restore_root is not None and not case.known["restored"]:
        name = f"attempt-{case.attempt}"
        for path in sorted((case.restore_root / case.run).glob(f"{name}*")):
            if path.name.partition(".")[0] == name:
                yield _older(f"it knows nothing of a restore, and {path} is there")


def _by_mark(case: Case) -> Iterator[Objection]:
    """NB: the service has compared the stores with the marks, and noted there what was lost."""
    lost: set[str] = set()
    for mark in map(Mark, case.bins):
        try:
            lost |= {*mark.lost()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
            yield Objection("clean.bin", f"{mark.path} cannot be read: {err}", "look at the file")
    yield from map(_older, sorted(lost))


def _older(text: str) -> Objection:
    return Objection(
        "clean.store_older",
        f"a store is older than the disk: {text}",
        "see what was held and restored since its backup; then remove .mark.json from each bin",
    )


def _by_disk(case: Case) -> Iterator[Objection]:
    """What others have on the disk: half of an attempt, of a restore, or a newer attempt."""
    folders = [case.fastq.parent]
    if case.restore_root is not None:
        folders.append(case.restore_root / case.run)
    for folder in folders:
        if half := sorted(folder.glob(".attempt-*partial*")):
            text = f"something is being made or brought back: {half[0]} is there"
            yield Objection("clean.busy", text, "wait for its end; of a dead job, retry the stage")
    numbers = (path.name.removeprefix("attempt-") for path in case.fastq.parent.glob("attempt-*"))
    newest = max((int(number) for number in numbers if number.isdecimal()), default=case.attempt)
    if newest > case.attempt:
        yield _not_done(f"attempt {newest} lies beside attempt {case.attempt}")


def _of_results(case: Case) -> Iterator[Objection]:
    """What speaks against results alone: where they are made, and whose reads are in them."""
    if case.results is None:
        yield Objection(
            "clean.place",
            "arteriole.yaml does not say where results are",
            "set archive.results_root",
        )
        return
    folders = [case.results]
    if case.restore_root is not None:
        folders.append(case.restore_root / case.run / f"{case.fastq.name}.{RESULTS}")
    for folder in folders:
        if half := sorted(folder.glob(".*.partial*")):
            text = f"a unit is being made or brought back: {half[0]} is there"
            yield Objection("clean.busy", text, "wait for its end; of a dead job, retry the stage")
    hidden = sorted(path.name for path in case.results.glob(".*") if ".partial" not in path.name)
    if case.is_in_place and hidden:
        text = f"{case.results} has what is in no unit, and so in no archive: {listed(hidden)}"
        yield Objection("clean.not_proven", text, "look at it; then remove it, or move it away")
    try:
        merged = merged_runs(case)
    except ArterioleError as err:
        yield Objection("clean.not_proven", str(err), err.hint)
        return
    held = {} if case.evidence is None else {m["run"]: m["held"] for m in case.evidence["merged"]}
    for run in merged:
        if held.get(run, True):
            told = "is held" if run in held else "may be held, and nobody says so"
            text = f"{run}, whose reads are in the results, {told}"
            yield Objection("clean.held", text, f"see why: arteriole why {run}; then release it")


def _in_its_place(case: Case, kind: DataKind) -> Iterator[Objection]:
    source = case.source(kind)
    if source.is_symlink() or not source.is_dir():
        found = "a link" if source.is_symlink() else "nothing"
        text = f"expected the folder {source}, found {found}"
        yield Objection("clean.place", text, "was it taken away already, or is a mount missing?")
        return
    if not case.bins:
        return
    try:
        entry = bin.entry_for(case, kind)
    except OSError as err:
        text = f"{err.filename}: {err.strerror}"
        yield Objection("clean.bin", text, "make the folder, or mount the file system")
        return
    if entry is None:
        text = f"none of archive.clean.bins is on the file system of {source}"
        yield Objection("clean.bin", text, "name a folder there: nothing is copied into a bin")
    elif entry.is_full() or entry.is_half_empty():
        text = f"{entry.folder} is there already"
        yield Objection("clean.bin", text, f"empty it first: arteriole clean {case.run} --empty")


def _in_the_bin(case: Case, kind: DataKind) -> Iterator[Objection]:
    found = bin.entries(case, kind)
    if not found:
        text = f"no bin has {kind} data of attempt {case.attempt} of {case.run}"
        yield Objection("clean.place", text, "was the bin emptied already?")
    for entry in found:
        moved = entry.moved()
        if moved is None:
            text = f"{entry.folder} does not say since when it is there"
            yield Objection("clean.bin", text, "it was not put there by us: look at it by hand")
        elif entry.is_full():
            yield from _in_the_entry(case, entry, moved)


def _in_the_entry(case: Case, entry: bin.Entry, moved: datetime) -> Iterator[Objection]:
    if foreign := entry.foreign():
        text = f"{entry.folder} has what was not moved there: {listed(foreign)}"
        yield Objection("clean.bin", text, "move it away: what is there goes for good")
    days = (datetime.now(UTC) - moved).total_seconds() / DAY
    if not case.bin_days <= days:
        text = f"it lies in {entry.folder} for {days:.1f} days of {case.bin_days}"
        yield Objection("clean.too_early", text, "until then it can be moved back")


def _by_retention(
    case: Case, policy: Policy, subjects: list[Subject], finding: Finding
) -> Iterator[Objection]:
    kind = finding.kind
    if kind is DataKind.RESULTS and (finding.proof is None or not finding.proof.archives):
        return  # when they were archived is not known, and that they were not is told
    kept = policy.retention(subjects, kind)
    rules, hint = ", ".join(kept.rules) or "none", f"arteriole policy explain {case.run}"
    if kept.keep_days is None:
        text = f"{kind} data of it is kept for ever (rules: {rules})"
        yield Objection("clean.retention", text, hint)
        return
    try:
        age = times.seconds_since(_since(case, finding)) / DAY
    except (OSError, ValueError, KeyError, TypeError) as err:
        text = f"how old the attempt is cannot be known: {case.record_folder}: {err}"
        yield Objection("clean.retention", text, "see whether attempt.json is whole")
        return
    if not kept.keep_days <= age:
        text = f"it is {age:.1f} days old, and kept for {kept.keep_days} (rules: {rules})"
        yield Objection("clean.retention", text, hint)


def _since(case: Case, finding: Finding) -> str:
    """Since when it is kept: an attempt since its end, results since the last was first archived.

    OSError, ValueError or KeyError if that cannot be known.
    """
    if finding.kind is not DataKind.RESULTS or finding.proof is None:
        return case.finished()
    return min(told["finished"] for told in finding.proof.archives.values())


def _by_proof(
    case: Case, policy: Policy, subjects: list[Subject], finding: Finding
) -> list[Objection]:
    kind = finding.kind
    try:
        claims = claims_of(case, kind)
    except ArterioleError as err:
        return [Objection("clean.not_proven", str(err), err.hint)]
    sizes = [size for claim in claims.values() for _, size in claim.here]
    finding.files, finding.bytes = len(sizes), sum(sizes)
    finding.proof = proof = prove(case, claims, policy, subjects, kind)
    found = []
    wanted = policy.retention(subjects, kind).copies
    if len(proof.archives) < wanted:
        lacking = "; ".join(proof.lacking) or "no other destination is configured"
        found.append(
            Objection(
                "clean.not_proven",
                f"{len(proof.archives)} of {wanted} archived copies are proven: {lacking}",
                "archive it, or mend the archive that is not as it should be",
            )
        )
    return [*found, *_by_time(case, proof)]


def _by_time(case: Case, proof: Proof) -> Iterator[Objection]:
    """A store that ended before an archive of the run was finished does not know of it."""
    newest = case.known["newest"]
    for name, told in proof.archives.items():
        if told["finished"] > newest:
            yield _older(f"its last event is of {newest[:19]}, the archive in {name} is newer")
