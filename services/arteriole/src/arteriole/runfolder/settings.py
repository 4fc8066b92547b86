"""The section `runfolder` of arteriole.yaml."""

import enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from arteriole.app.config import AbsolutePath, Section
from arteriole.illumina.instruments import INSTRUMENTS, instrument_type

#: Seconds: a client that died, or a clock that is a little wrong, must not matter.
SHORTEST_LEASE, LONGEST_LEASE = 1.0, 7 * 86400.0


class Readiness(enum.StrEnum):
    """What makes a run ready: its marker alone (Arteria's rule), or all of the evidence."""

    MARKER = "marker"
    EVIDENCE = "evidence"


def _instrument(name: str) -> str:
    known = [one.name for one in INSTRUMENTS]
    if name not in known:
        raise ValueError(f"{name!r} is no family of instruments; there are {', '.join(known)}")
    return name


InstrumentName = Annotated[str, AfterValidator(_instrument)]
SettleSeconds = Annotated[float, Field(ge=0, le=3600)]


class ReadRate(Section):
    """How quickly each monitored directory is read at most, whatever is to be judged there."""

    #: Files a second that are opened or asked for their size.
    files: float = Field(default=5000.0, ge=10, le=1_000_000)
    #: Megabytes a second that are read of them.
    megabytes: float = Field(default=50.0, ge=0.1, le=100_000)
    #: Seconds for which base calls are not read at most while an instrument that writes in the
    #: same directory lags; 0 never waits for one.
    longest_pause: float = Field(default=300.0, ge=0, le=3600)


RUN_FOLDER: Literal["run_folder"] = "run_folder"


class DropFolder(Section):
    #: A folder in which people put `<run>.csv` or `<flow cell>.csv`.
    folder: AbsolutePath


class SheetProgram(Section):
    #: A program by its absolute path and its arguments, of which `{run}` or `{flowcell}` stands
    #: for itself; it prints the sheet, or ends with 3 while there is none.
    command: list[str] = Field(min_length=2, max_length=100)
    #: Seconds that the program may take.
    timeout: float = Field(default=10.0, gt=0, le=60)

    @field_validator("command")
    @classmethod
    def _asks_for_a_run(cls, command: list[str]) -> list[str]:
        if not Path(command[0]).is_absolute():
            raise ValueError(f"expected a program by its absolute path, found {command[0][:60]!r}")
        if not {"{run}", "{flowcell}"} & set(command[1:]):
            raise ValueError("expected {run} or {flowcell} as an argument of its own")
        if any("\0" in part for part in command):
            raise ValueError("expected arguments without a zero byte")
        return command


SheetSource = Literal["run_folder"] | DropFolder | SheetProgram


class RunfolderSettings(Section):
    #: Its port; 0 lets the kernel choose one.
    port: int = Field(default=8180, ge=0, le=65535)
    #: The folders in which instruments write run folders.
    monitored_directories: list[AbsolutePath] = Field(min_length=1)
    #: What makes a run ready: `evidence` is all that says it is whole, `marker` is the
    #: instrument's last file alone, as in Arteria.
    readiness: Readiness = Readiness.EVIDENCE
    #: Seconds between two scans; changes that the kernel tells of are seen at once.
    scan_interval: float = Field(default=10.0, gt=0)
    #: How quickly each monitored directory is read at most.
    read_rate: ReadRate = ReadRate()
    #: Seconds without a change, as we see it, after which a copy is believed to be over: what is
    #: missing then is missing. A whole run with CopyComplete.txt as its last file does not wait.
    settle_seconds: float = Field(default=300.0, ge=0, le=3600)
    #: The same for some families of instruments ([instruments.md](instruments.md)), such as
    #: `{MiSeq: 60, NovaSeq 6000: 900}`.
    settle_by_instrument: dict[InstrumentName, SettleSeconds] = Field(default_factory=dict)
    #: Seconds without a change after which a run that is not marked complete has stalled.
    stalled_after: float = Field(default=4 * 3600.0, gt=0)
    #: Seconds without a new cycle before which no run counts as stuck, however fast it was.
    stuck_after: float = Field(default=3600.0, gt=0)
    #: Seconds between two looks at every file of a run that is not as it should be, while the two
    #: upper levels of its folder do not change.
    recheck_seconds: float = Field(default=60.0, gt=0)
    #: A run without a sample sheet is not ready (`readiness: evidence` only).
    require_sheet: bool = True
    #: Hours after a run is whole at which people are told that its sample sheet has not come.
    sheet_due_hours: float = Field(default=4.0, gt=0, le=10000)
    #: Where the sheet of a run is looked up; the first place that has one counts. `run_folder` is
    #: its SampleSheet.csv.
    sheets: list[SheetSource] = Field(default=[RUN_FOLDER], min_length=1, max_length=10)
    #: Minutes that the marker has to be old before the run is ready (`readiness: marker` only).
    completed_marker_grace_minutes: float = Field(default=0.0, ge=0)
    #: What the instrument measured is read from InterOp once a run is complete or rests.
    read_metrics: bool = True
    #: GB that a run of some families of instruments takes, such as `{NovaSeq X: 5200}`: so much is
    #: expected of one that is being sequenced until its own base calls tell.
    run_gb: dict[InstrumentName, Annotated[float, Field(ge=0, le=1e6)]] = Field(
        default_factory=dict
    )
    #: Arteria's PUT endpoints, which make run folders and their markers, are there (`mode: act`
    #: only); for tests.
    can_create_runfolder: bool = False
    #: Runs that are there when a directory is scanned for the first time may be worked on without
    #: `arteriole adopt`; each directory that is added later is scanned for the first time too.
    adopt_existing: bool = False
    #: Seconds for which a begun stage without a job belongs to the one who began it; then it may
    #: be begun again.
    begin_lease: float = Field(default=60.0, gt=0)
    #: Seconds for which a picked-up run belongs to the client, unless it asks for another time.
    pickup_lease: float = Field(default=900.0, ge=SHORTEST_LEASE, le=LONGEST_LEASE)
    #: Seconds without a heartbeat after which the packs' sensor counts as silent.
    heartbeat_limit: float = Field(default=60.0, gt=0)

    #: Hours after a run is complete at which its results are due; `arteriole why` tells it.
    result_due_hours: float = Field(default=24.0, gt=0, le=10000)

    def settle(self, serial_number: str) -> float:
        """Seconds without a change for a run of this instrument."""
        known = instrument_type(serial_number)
        name = known.name if known else ""
        return self.settle_by_instrument.get(name, self.settle_seconds)
