"""The sample sheet of a run, as the runfolder service looks it up."""

from typing import Dict

from arteria_client import Client, path
from arteria_errors import RefusedError


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
