"""The section `runfolder` of arteriole.yaml."""

import enum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from arteriole.app.config import Section


class Readiness(enum.StrEnum):
    """What makes a run ready: its marker alone (Arteria's rule), or all of the evidence."""

    MARKER = "marker"
    EVIDENCE = "evidence"


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f"expected an absolute path without '..', found {str(path)!r}")
    return path


class ReadRate(Section):
    """How quickly each monitored directory is read at most, whatever is to be judged there."""

    #: Files a second that are opened or asked for their size.
    files: float = Field(default=5000.0, ge=10, le=1_000_000)
    #: Megabytes a second that are read of them.
    megabytes: float = Field(default=50.0, ge=0.1, le=100_000)
    #: Seconds for which base calls are not read at most while an instrument that writes in the
    #: same directory lags; 0 never waits for one.
    longest_pause: float = Field(default=300.0, ge=0, le=3600)


class RunfolderSettings(Section):
    port: int = Field(default=8180, ge=0, le=65535)
    monitored_directories: list[Annotated[Path, AfterValidator(_absolute)]] = Field(min_length=1)
    readiness: Readiness = Readiness.EVIDENCE
    #: Seconds between two scans; changes that the kernel tells of are seen at once.
    scan_interval: float = Field(default=10.0, gt=0)
    read_rate: ReadRate = ReadRate()
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
    #: Seconds without a heartbeat after which the packs' sensor counts as silent.
    heartbeat_limit: float = Field(default=60.0, gt=0)

    #: Hours after a run is complete at which its results are due; `why` tells it.
    result_due_hours: float = Field(default=24.0, gt=0, le=10000)
