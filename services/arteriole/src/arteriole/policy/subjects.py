"""Of which projects and consents an attempt is."""

import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.illumina import run_file
from arteriole.illumina.sample_sheet import parse
from arteriole.illumina.sheet_text import SIZE_LIMIT
from arteriole.policy.errors import PolicyError
from arteriole.policy.policy import UNKNOWN, Policy, Subject

RECORD, SHEET = "attempt.json", "SampleSheet.csv"
#: So often a table is waited for that is being written, a second each time.
LOOKS = 4

#: A sample and its project.
Row = tuple[str, str]


def subjects_of(policy: Policy, fastq: Path, run_dir: Path | None) -> list[Subject]:
    """Those of the attempt in the folder `fastq`, or to be: then as the run folder's sheet has it.

    Raises:
        PolicyError: they cannot be known, or the tables that tell consents cannot be read.
    """
    rows = _recorded(fastq)
    if rows is None:
        rows = _by_sheet(fastq, run_dir)
    rows = rows or [("", "")]
    consents = _consents(policy, {sample for sample, _ in rows})
    found = {Subject(project, consents.get(sample, UNKNOWN)) for sample, project in rows}
    return sorted(found)


def _unknown(fastq: Path, why: str) -> PolicyError:
    return PolicyError(
        f"of which projects {fastq} is cannot be known: {why}",
        code="policy.projects",
        hint=f"put the {SHEET} that the attempt was made with into the run folder, or convert anew",
    )


def _record(fastq: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((fastq / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as err:
        raise _unknown(fastq, f"{RECORD} cannot be read: {err}") from err
    if not isinstance(found, dict):
        raise _unknown(fastq, f"{RECORD} is no JSON object")
    return found


def _recorded(fastq: Path) -> list[Row] | None:
    """As attempt.json has it; those of older versions do not."""
    projects = (_record(fastq) or {}).get("projects")
    if not isinstance(projects, dict):
        return None
    return [(sample, str(project)) for sample, each in projects.items() for project in each]


def _by_sheet(fastq: Path, run_dir: Path | None) -> list[Row]:
    """As the sheet has it that the attempt was made with, or is to be made with."""
    record = _record(fastq)
    folders = [fastq] if run_dir is None else [fastq, run_dir]
    for path in (folder / SHEET for folder in folders):
        if not path.is_file():
            continue
        try:
            data = run_file.read(path, SIZE_LIMIT)
            if record is None or hashlib.sha256(data).hexdigest() == record.get("sheet_sha256"):
                return [(sample.sample_id, sample.project) for sample in parse(data).samples]
        except ArterioleError as err:
            raise _unknown(fastq, str(err)) from err
    raise _unknown(fastq, f"its {SHEET} is neither there nor in the run folder as it was")


def _consents(policy: Policy, samples: Iterable[str]) -> dict[str, str]:
    """What the tables say of each of `samples` that they know."""
    if policy.metadata_folder is None or not policy.asks_for_consent:
        return {}
    from arteriole.metadata.record import Entry
    from arteriole.metadata.sources.csv_folder import look_at

    folder = policy.metadata_folder
    try:
        look = look_at(folder)
        for _ in range(LOOKS):
            if look.waiting:
                time.sleep(1)
                look = look_at(folder)
    except OSError as err:
        raise _no_tables(folder, err.strerror or str(err)) from err
    if look.waiting or look.unread:
        which = look.waiting[0] if look.waiting else str(look.unread[0])
        raise _no_tables(folder, which)
    answers = {sample: look.answers.get(sample) for sample in samples}
    unsure = next((a for a in answers.values() if a is not None and not isinstance(a, Entry)), None)
    if unsure is not None:
        raise _no_tables(folder, str(unsure))
    entries = {s: json.loads(a.text) for s, a in answers.items() if isinstance(a, Entry)}
    return {sample: entry["consent"] or UNKNOWN for sample, entry in entries.items()}


def _no_tables(folder: Path, why: str) -> PolicyError:
    return PolicyError(
        f"what was consented to cannot be known from {folder}: {why}",
        code="policy.consents",
        hint=f"mend the table (arteriole metadata check {folder}), then retry",
    )
