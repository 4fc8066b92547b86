"""Other runs whose reads are in an attempt's results: an analysis merges lanes and top-ups."""

import json
from collections.abc import Iterable
from pathlib import Path

from arteriole.archive.clean import bin
from arteriole.archive.clean.case import Case
from arteriole.checksum.errors import ManifestError
from arteriole.policy.settings import DataKind

#: As an analysis leaves it in its unit of results.
RECORD = "analysis.json"


def merged_runs(case: Case) -> list[str]:
    """Those that analysis.json of a unit names; a unit without it is of this run alone.

    Raises:
        ManifestError: one cannot be read.
    """
    found: set[str] = set()
    for path in (path for folder in _folders(case) for path in folder.glob(f"*/{RECORD}")):
        try:
            samples = json.loads(path.read_bytes())["samples"]
            sources = [
                one for sample in samples for read in sample["reads"].values() for one in read
            ]
            found |= {str(source["path"]).partition("/")[0] for source in sources}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
            raise ManifestError(
                f"whose reads are in it cannot be known: {path}: {type(err).__name__}",
                hint="see whether it is as it was archived: arteriole restore RUN --part results",
            ) from err
    return sorted(found - {case.run})


def _folders(case: Case) -> Iterable[Path]:
    if not case.is_in_place:
        return [entry.data for entry in bin.entries(case, DataKind.RESULTS)]
    return [] if case.results is None else [case.results]
