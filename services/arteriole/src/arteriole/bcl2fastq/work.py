"""The worker of a conversion job."""

import contextlib
from pathlib import Path
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq import converters
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionRequest
from arteriole.bcl2fastq.empty_samples import refuse_empty_samples
from arteriole.bcl2fastq.sheets import SHEET
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task, main


def work(task: Task) -> dict[str, Any]:
    """Convert into the attempt's folder; one that is complete is left as it is."""
    attempt = Attempt(Path(task.parameters["fastq_root"]), task.run, task.attempt)
    with exclusive(task, f"{task.run}.{task.attempt}"):
        record = attempt.record() or _convert(task, attempt)
        attempt.make_current()
    return {
        "files": len(record["files"]),
        "bytes": sum(file["size"] for file in record["files"]),
        "clusters": record["clusters"],
        "clusters_pf": record["clusters_pf"],
        "converter": record["converter"],
        "converter_version": record["converter_version"],
    }


def _convert(task: Task, attempt: Attempt) -> dict[str, Any]:
    """Convert, judge and publish; a conversion that failed leaves nothing behind."""
    wanted = task.parameters
    partial = attempt.begin(task.job_id)
    request = ConversionRequest(
        run_dir=Path(wanted["run_dir"]),
        sheet=Path(wanted["run_dir"]) / SHEET,
        out_dir=partial,
        barcode_mismatches=(wanted["barcode_mismatches"][0], wanted["barcode_mismatches"][1]),
        include_non_pf=wanted["include_non_pf"],
        ignore_adapters=wanted["ignore_adapters"],
        allow_index_collisions=wanted["allow_index_collisions"],
        threads=wanted["threads"],
    )
    try:
        result = converters.find(wanted["converter"]).convert(
            request, lambda done, total: task.progress(done, total, "tiles")
        )
        if not wanted["allow_empty_samples"]:
            refuse_empty_samples(partial, result, request.sheet)
        return attempt.complete(partial, result, request.sheet)
    except (ArterioleError, OSError):
        with contextlib.suppress(OSError):
            attempt.clear()
        raise


if __name__ == "__main__":
    main(work)
