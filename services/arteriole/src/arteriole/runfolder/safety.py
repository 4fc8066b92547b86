"""Whether the data of a run are safe, in a person's words."""

from arteriole.runfolder.records import Run
from arteriole.runfolder.states import StageState
from arteriole.runfolder.verdict import VerdictKind

_DAMAGED = "no: the copy here is damaged; do not let the run be deleted on the instrument"
_UNCHECKED = (
    "unknown: nobody can tell whether the copy here is whole; do not let the run be deleted on the"
    " instrument"
)
_DISK = "unknown until the disk was looked at; do not let the run be deleted on the instrument"
_CHANGED = "no, unless the change is known: bytes of a finished run changed"
_FASTQS_CHANGED = "no, not these FASTQs; the base calls are as they were"

_ARCHIVED = "yes: the run folder is archived and verified"

#: What a code tells of the data, whatever the verdict was; its page in docs/runbook says the same.
_BY_CODE = {
    "analysis.inputs": "unknown: a file changed or broke after it was converted; the archive has it"
    " as it was",
    "archive.source_changed": _CHANGED,
    "archive.unproven": "unknown: nobody here can tell whether the archive is whole; delete"
    " nothing",
    "attempt.record": "unknown: the FASTQs may be whole, but the list of them is damaged",
    "checksum.changed": _CHANGED,
    "checksum.not_as_written": _FASTQS_CHANGED,
    "checksum.record": "unknown: the FASTQs may be whole, but nothing proves it",
    "checksum.unreadable": _DISK,
    "convert.filter_needed": "no: the copy here lacks a file; do not let the run be deleted on the"
    " instrument",
    "convert.io": _DISK,
    "convert.no_base_calls": "no, if they should be there: then the base calls exist on the"
    " instrument only",
    "convert.run_data": _DAMAGED,
    "convert.tile_index": _DAMAGED,
    "manifest.invalid": "unknown: files may be whole, but their list no longer proves it",
    "qc.read_counts_differ": "unknown for the FASTQs of this attempt; yes for the run folder, of"
    " which they are made again",
    "run.data": _DAMAGED,
    "run.link": "unknown: a part of it lies outside of the run folder",
    "run.run_info": _UNCHECKED,
    "run.run_parameters": _UNCHECKED,
    "run.run_status": _UNCHECKED,
    "run.unreadable": _DISK,
    "transfer.runfolder_changed": "unknown: a file may be gone from the run folder",
    "transfer.source_changed": _FASTQS_CHANGED,
    "transfer.unreadable": _DISK,
}


def data_safe(run: Run) -> str:
    """What would be lost: by what stopped it, else by where it is known to be whole."""
    if run.verdict is not VerdictKind.UNREACHABLE:
        for code in (*_stopped_by(run), run.code):
            if code in _BY_CODE:
                return _BY_CODE[code]
    missing = _missing(run)
    if run.archived:
        return f"yes: archived and verified; {missing}" if missing else _ARCHIVED
    if missing:
        return f"unknown: {missing}; keep any other copy of it"
    if run.verdict in (VerdictKind.COMPLETE, VerdictKind.NO_SHEET):
        return "yes, in the run folder only: do not delete it"
    return "only on the instrument and in the run folder: delete neither"


def _stopped_by(run: Run) -> list[str]:
    stopped = (StageState.FAILED, StageState.HELD)
    return [stage.code for stage in run.current if stage.state in stopped]


def _missing(run: Run) -> str:
    """What of it is not where it was; empty if all is."""
    if run.verdict is VerdictKind.EMPTIED:
        return "its base calls are not in the run folder"
    if run.verdict is not VerdictKind.UNREACHABLE:
        return ""
    return "no longer in its landing folder" if run.is_gone else "the run folder cannot be reached"
