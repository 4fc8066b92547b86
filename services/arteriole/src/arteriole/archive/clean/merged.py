"""Whose reads are in an attempt's results: those of other runs, too."""

from collections.abc import Iterable
from pathlib import Path

from arteriole.archive.clean import bin
from arteriole.archive.clean.case import Case
from arteriole.policy.policy import Policy, Subject
from arteriole.policy.results import Records, attempts_in
from arteriole.policy.settings import DataKind
from arteriole.policy.subjects import subjects_of


def merged_runs(case: Case) -> list[str]:
    """The other runs; PolicyError if they cannot be known."""
    found = {one.run for folder in _folders(case) for one in attempts_in(folder)}
    return sorted(found - {case.run})


def subjects_in(case: Case, policy: Policy, kinds: Iterable[DataKind]) -> list[Subject]:
    """Whose data that is; PolicyError if that cannot be known."""
    run_dir = case.runfolder if case.runfolder.is_dir() else None
    found = subjects_of(policy, case.record_folder, run_dir)
    if DataKind.RESULTS in kinds:
        roots = case.fastq.parents[1], case.manifests.parents[1]
        records = Records([case.runfolder.parent], *roots)
        found += [one for folder in _folders(case) for one in records.subjects_in(policy, folder)]
    return found


def _folders(case: Case) -> Iterable[Path]:
    if not case.is_in_place:
        return [entry.data for entry in bin.entries(case, DataKind.RESULTS)]
    return [] if case.results is None else [case.results]
