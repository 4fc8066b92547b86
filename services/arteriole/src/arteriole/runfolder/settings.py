"""The section `runfolder` of arteriole.yaml."""

import enum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from arteriole.app.config import Section

#: Seconds: a client that died, or a clock that is a little wrong, must not matter.
SHORTEST_LEASE, LONGEST_LEASE = 1.0, 7 * 86400.0


class Readiness(enum.StrEnum):
    """What makes a run ready: its marker alone (Arteria's rule), or all of the evidence."""

    MARKER = "marker"
    EVIDENCE = "evidence"


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f"expected an absolute path without '..', found {str(path)!r}")
    return path


class RunfolderSettings(Section):
    port: int = Field(default=8180, ge=0, le=65535)
    monitored_directories: list[Annotated[Path, AfterValidator(_absolute)]] = Field(min_length=1)
    readiness: Readiness = Readiness.EVIDENCE
    #: Seconds between two scans; changes that the kernel tells of are seen at once.
    scan_interval: float = Field(default=10.0, gt=0)
    #: Seconds without a change, as we see it, after which a copy is believed to be over: what is
    #: missing then is missing. A whole run whose marker came last does not wait.
    settle_seconds: float = Field(default=5.0, ge=0, le=3600)
    #: Seconds without a change after which a run that is not marked complete has stalled.
    stalled_after: float = Field(default=4 * 3600.0, gt=0)
    #: Seconds between two looks at every file of a run that is not as it should be, while the two
    #: upper levels of its folder do not change.
    recheck_seconds: float = Field(default=60.0, gt=0)
    #: A run without SampleSheet.csv is not ready (`readiness: evidence` only).
    require_sheet: bool = True
    completed_marker_grace_minutes: float = Field(default=0.0, ge=0)
    #: Arteria's PUT endpoints, which make run folders for tests.
    can_create_runfolder: bool = False
    #: Runs found at the very first start may be worked on without `arteriole adopt`.
    adopt_existing: bool = False
    #: Seconds for which a begun stage without a job belongs to the one who began it.
    begin_lease: float = Field(default=60.0, gt=0)
    #: Seconds for which a picked-up run belongs to the client, unless it asks for another time.
    pickup_lease: float = Field(default=900.0, ge=SHORTEST_LEASE, le=LONGEST_LEASE)
    #: Seconds without a heartbeat after which the packs' sensor counts as silent.
    heartbeat_limit: float = Field(default=60.0, gt=0)

    #: Hours after a run is complete at which its results are due; `why` tells it.
    result_due_hours: float = Field(default=24.0, gt=0, le=10000)
