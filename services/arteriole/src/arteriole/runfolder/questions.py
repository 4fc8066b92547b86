"""What each kind of evidence in a run folder answers: one question each, in words."""

from typing import Any

from arteriole.illumina.instruments import CALLING_ENDED, COPY_COMPLETE, instrument_type
from arteriole.illumina.run_status import FILE_NAME as STATUS_FILE
from arteriole.runfolder.sighting import SHEET, Sighting

YES, NO, UNKNOWN = "yes", "no", "unknown"


def answers(seen: Sighting, settle: float) -> list[dict[str, str]]:
    """`[{question, answer, because}]`; the answer is yes, no or unknown.

    The questions are `ended as planned`, `base calling ended`, `copy ended`, `complete` and
    `sheet`. Nothing here changes while nothing changes in the folder.

    Args:
        settle: seconds without a change after which a copy is believed to be over.
    """
    given = {
        "ended as planned": _outcome(seen),
        "base calling ended": _calling(seen),
        "copy ended": _copy(seen, settle),
        "complete": _complete(seen),
        "sheet": _sheet(seen),
    }
    return [
        {"question": question, "answer": answer, "because": because}
        for question, (answer, because) in given.items()
    ]


def instrument(seen: Sighting) -> dict[str, Any]:
    """`{name, verified, source}` of the family of the run's instrument."""
    known = instrument_type(seen.info.instrument) if seen.info else None
    return {
        "name": known.name if known else "",
        "verified": known is not None and known.is_verified,
        "source": known.source if known else "",
    }


def _outcome(seen: Sighting) -> tuple[str, str]:
    if seen.status is None or not seen.status.word:
        return UNKNOWN, f"{STATUS_FILE} does not say it"
    return NO if seen.status.is_failure else YES, f"{STATUS_FILE}: {seen.status}"


def _calling(seen: Sighting) -> tuple[str, str]:
    present = [name for name in CALLING_ENDED if name in seen.markers]
    if present:
        return YES, " and ".join(present)
    if seen.info is None:
        return UNKNOWN, f"none of {', '.join(CALLING_ENDED)} is there, nor a usable RunInfo.xml"
    return NO, f"cycle {seen.cycles_seen} of {seen.info.cycles}"


def _copy(seen: Sighting, settle: float) -> tuple[str, str]:
    if COPY_COMPLETE in seen.markers:
        return YES, COPY_COMPLETE
    if seen.expected_markers == (COPY_COMPLETE,):
        return NO, f"{COPY_COMPLETE} is not there yet, which this instrument writes at the end"
    then = "every file is there" + (f" and nothing has changed for {settle:g} s" if settle else "")
    return UNKNOWN, f"nothing says it; it is taken to have ended when {then}"


def _complete(seen: Sighting) -> tuple[str, str]:
    files = seen.files
    if files is None:
        return UNKNOWN, "the base calls are looked at when the run is over"
    if files.is_complete:
        return YES, f"all {files.expected} files of its lanes, tiles and cycles are whole"
    return NO, f"{files.problem_count} of {files.expected} files are missing or not whole"


def _sheet(seen: Sighting) -> tuple[str, str]:
    if seen.sheet is None:
        return NO, f"{SHEET} is not there"
    if seen.sheet.is_empty:
        return NO, f"{SHEET} is empty"
    if seen.sheet.samples is None:
        return UNKNOWN, f"{SHEET} cannot be read"
    return YES, f"{SHEET} names {seen.sheet.samples} samples"
