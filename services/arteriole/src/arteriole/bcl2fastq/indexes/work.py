"""The work of a job that compares a run's observed indexes with its sheet."""

import base64
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq import arguments
from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest
from arteriole.bcl2fastq.indexes.examination import Question, examine
from arteriole.bcl2fastq.sheets import SHEET
from arteriole.illumina import run_file
from arteriole.illumina.sheet_text import SIZE_LIMIT
from arteriole.jobs.worker import StoppedError, Task

#: In the job's folder: the whole diagnosis, and the sheet that is proposed.
DIAGNOSIS = "diagnosis.json"
PROPOSAL = "proposed.csv"


def work(task: Task) -> dict[str, Any]:
    """Leave diagnosis and proposal in the job's folder; the result is the diagnosis in brief.

    NB: it reads the run folder and writes nowhere else, so that it is the same when it observes.
    """
    if task.stopping:
        raise StoppedError("it was stopped")
    wanted = task.parameters
    given, run_dir = wanted.get("sheet"), Path(wanted["run_dir"])
    allowed = (wanted["barcode_mismatches"][0], wanted["barcode_mismatches"][1])
    asked = arguments.applied(
        ConversionRequest(run_dir, run_dir, run_dir, allowed),
        wanted["additional_args"],
        wanted["converter"],
    )
    question = Question(
        run_dir,
        own_sheet(run_dir) if given is None else base64.b64decode(given),
        asked.barcode_mismatches,
        wanted["allow_index_collisions"],
        asked.options,
        tuple(map(Path, wanted.get("index_sets", ()))),
        wanted["converter"],
        wanted.get("index2"),
    )
    found = examine(question, lambda done, total: task.progress(done, total, "lanes"))
    proposed = task.folder.path / PROPOSAL
    proposed.unlink(missing_ok=True)
    if found.proposal is not None:
        proposed.write_bytes(found.proposal)
    task.folder.write(DIAGNOSIS, found.whole)
    return found.brief


def own_sheet(run_dir: Path) -> bytes:
    """The one in the run folder."""
    path = run_dir / SHEET
    if not path.resolve().is_relative_to(run_dir.resolve()):
        raise ConversionError(
            f"{SHEET} is a link that leads out of the run folder",
            code="sheet.link",
            hint="replace it with the file that it stands for",
        )
    try:
        with run_file.open_file(path) as file:
            return file.read(SIZE_LIMIT + 1)
    except OSError as err:
        raise ConversionError(
            f"there is no {SHEET} to compare with: {err.strerror}",
            code="sheet.missing",
            hint=f"put the run's {SHEET} there",
        ) from err
