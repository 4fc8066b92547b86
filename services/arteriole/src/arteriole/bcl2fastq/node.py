"""What a job of Slurm runs on its node: the conversion that an order asks for (cluster.py).

Its result is `{folder, result}`: the start's folder below the attempt's partial one, durable, and
the ConversionResult.
"""

import secrets
import shutil
import socket
from dataclasses import asdict
from typing import Any

from arteriole.app.application import VERSION
from arteriole.bcl2fastq.attempt import sync
from arteriole.bcl2fastq.cluster import PREFIX, other_version
from arteriole.bcl2fastq.work import converter_of, request_of, require_unchanged, sheet_of
from arteriole.jobs.worker import Task, main, note


def work(task: Task) -> dict[str, Any]:
    """Convert into a folder of this start's own."""
    order = task.folder.read("task.json") or {}
    if (wanted := str(order.get("version"))) != VERSION:
        raise other_version(VERSION, wanted)
    (task.folder.path / "outcome.json").unlink(missing_ok=True)
    partial = task.folder.path.parent
    for earlier in partial.glob(f"{PREFIX}*"):  # of a node that died
        shutil.rmtree(earlier, ignore_errors=True)
    folder = partial / f"{PREFIX}{secrets.token_hex(8)}"
    folder.mkdir()
    note(f"converting on {socket.gethostname()} into {folder.name}")
    request = request_of(task, folder, sheet_of(task, folder), "")
    require_unchanged(request.sheet, task.parameters["sheet_sha256"])
    converter = converter_of(task)
    result = converter.convert(
        request, lambda done, total: task.progress(done, total, converter.unit)
    )
    sync(folder)
    return {"folder": folder.name, "result": asdict(result)}


if __name__ == "__main__":
    main(work)
