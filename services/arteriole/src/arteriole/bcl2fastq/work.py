"""The worker of a conversion job."""

from pathlib import Path
from typing import Any

from arteriole.bcl2fastq import converters
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionRequest
from arteriole.bcl2fastq.empty_samples import refuse_empty_samples
from arteriole.bcl2fastq.sheets import SHEET
from arteriole.jobs.worker import Task, main


def work(task: Task) -> dict[str, Any]:
    """Convert into the attempt's folder; one that is complete is left as it is."""
    wanted = task.parameters
    attempt = Attempt(Path(wanted["fastq_root"]), task.run, task.attempt)
    record = attempt.record()
    if record is None:
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
        result = converters.find(wanted["converter"]).convert(
            request, lambda done, total: task.progress(done, total, "tiles")
        )
        if not wanted["allow_empty_samples"]:
            refuse_empty_samples(partial, result, request.sheet)
        record = attempt.complete(partial, result, request.sheet)
    return {
        "files": len(record["files"]),
        "bytes": sum(file["size"] for file in record["files"]),
        "clusters": record["clusters"],
        "clusters_pf": record["clusters_pf"],
        "converter": record["converter"],
        "converter_version": record["converter_version"],
    }


if __name__ == "__main__":
    main(work)
