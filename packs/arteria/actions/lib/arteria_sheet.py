"""The sample sheet of a run, as the runfolder service looks it up, or in a file."""

import base64
import os
import stat
from pathlib import Path
from typing import Dict

from arteria_client import Client, path
from arteria_errors import ArteriaError, RefusedError
from arteria_names import inert

#: Bytes of a sheet that fits in a request.
LIMIT = 512 * 1024


def sheet_of(client: Client, run: str) -> Dict[str, str]:
    """What a request to bcl2fastq says of the sheet: nothing of the one in the run folder.

    A run without a sheet is bcl2fastq's to refuse.
    """
    try:
        found = client.get("runfolder", path("runs", run, "sheet"))
    except RefusedError as error:
        if error.code == "run.no_sheet":
            return {}
        raise
    return {"sheet": found["base64"]} if found.get("base64") else {}


def read_sheet(name: str) -> str:
    """The file at the absolute path `name`, in base 64.

    NB: findings quote what they are about, so no other file than a `.csv` is read, whatever a link
    is called that leads to it. A pipe would be waited for without end.
    """
    real = "" if "\0" in name else os.path.realpath(name)
    if not Path(name).is_absolute() or not real.endswith(".csv"):
        raise _refused(name, "expected the absolute path of a .csv")
    try:
        number = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise _refused(name, error.strerror or "it cannot be opened") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise _refused(name, "it is no file")
    with open(number, "rb") as file:
        data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise _refused(name, "it is larger than %d bytes" % LIMIT)
    return base64.b64encode(data).decode("ascii")


def _refused(name: str, why: str) -> ArteriaError:
    return ArteriaError(
        "%s: %s" % (inert(name)[:200], why),
        code="samplesheet.file",
        hint="give a sample sheet on the machine where the pack's actions run",
    )
