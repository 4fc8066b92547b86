"""In which direction each instrument and chemistry reads the i5, row by row with its source.

Forward is the direction of the forward strand list of a library kit (Illumina's workflow A, a
primer grafted on the flow cell); reversed is its reverse complement (workflow B, the i5 is read
after the turnaround).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from arteriole.illumina.instruments import instrument_type
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.run_parameters import RunParameters


class Direction(Enum):
    """How the bases of an i5 read stand to the forward strand."""

    FORWARD = "forward"
    REVERSED = "reverse complement"
    UNKNOWN = "unknown"


#: Illumina Knowledge, "Indexed Sequencing Overview for Paired End Flow Cells" and "Guidelines for
#: reverse complementing i5 sequences for demultiplexing".
_OVERVIEW = "knowledge.illumina.com 000002099"
_GUIDELINES = "knowledge.illumina.com 000001800"
_TOP_UNKNOWN = "knowledge.illumina.com 000005078"
#: It rests on the Indexed Sequencing Overview Guide, 15057455.
_DAVIS = "dnatech.genomecenter.ucdavis.edu, FAQ on the direction of barcodes"
_NPG = "github.com/wtsi-npg/npg_tracking, t/data"

_OLD_CONTROL = re.compile(r"1\.[0-6](\.|$)")


@dataclass(frozen=True, slots=True)
class Reading:
    """One row: what an instrument with a chemistry does.

    Attributes:
        family: the name of a row of instruments.INSTRUMENTS.
        chemistry: what tells the row from others of the family, in words.
        marks: RunInfo.xml of this family says IsReverseComplement of each read, so that it, not
            the row, tells the direction; where it says nothing the row does not hold.
        source: the document or real run on which it rests; a row without one is unverified.
        applies: whether a run is of this row.
    """

    family: str
    chemistry: str
    direction: Direction
    source: str
    marks: bool = False
    applies: Callable[[RunInfo, RunParameters], bool] = lambda info, parameters: True

    @property
    def is_verified(self) -> bool:
        return self.source != ""


def _rapid(info: RunInfo, parameters: RunParameters) -> bool:
    return parameters.chemistry.startswith("MiniSeq Rapid")


def _standard(info: RunInfo, parameters: RunParameters) -> bool:
    return parameters.chemistry in {"MiniSeq High", "MiniSeq Mid"}


def _version_1_5(info: RunInfo, parameters: RunParameters) -> bool:
    return parameters.sbs_version == "3"


def _version_1(info: RunInfo, parameters: RunParameters) -> bool:
    """Control software before 1.7 writes no version, and runs no v1.5 reagents."""
    old = _OLD_CONTROL.match(parameters.application_version)
    return parameters.sbs_version == "1" or (not parameters.sbs_version and old is not None)


def _single(info: RunInfo, parameters: RunParameters) -> bool:
    return len(info.template_reads) == 1


FORWARD, REVERSED, UNKNOWN = Direction.FORWARD, Direction.REVERSED, Direction.UNKNOWN

# The first row of a family that applies counts.
READINGS = (
    Reading(
        *("MiniSeq", "rapid kits", FORWARD),
        f"{_OVERVIEW}; Chemistry of such a run is `MiniSeq Rapid High`, of others `MiniSeq High`,"
        " as the public analysis of SwabSeq tells them apart",
        applies=_rapid,
    ),
    Reading("MiniSeq", "standard kits", REVERSED, _OVERVIEW, applies=_standard),
    Reading("MiniSeq", "a kit that is not named", UNKNOWN, ""),
    Reading("MiSeq", "any kit", FORWARD, f"{_OVERVIEW}; {_GUIDELINES}"),
    # Index-first is forward and not marked, read-first is reversed and marked.
    Reading("MiSeq i100", "index-first", FORWARD, f"{_TOP_UNKNOWN}; {_GUIDELINES}"),
    Reading("NextSeq 550Dx", "any kit", REVERSED, f"{_OVERVIEW}, of NextSeq systems as a whole"),
    Reading("NextSeq 500/550", "any kit", REVERSED, f"{_OVERVIEW}; {_GUIDELINES}"),
    Reading(
        *("NextSeq 1000/2000", "any kit", REVERSED),
        f"{_OVERVIEW}; IsReverseComplement is written: {_TOP_UNKNOWN}",
        marks=True,
    ),
    Reading(
        *("NovaSeq X", "any kit", REVERSED),
        f"{_OVERVIEW}; IsReverseComplement is written: {_NPG}/run_info/runInfo.novaseqx.xml",
        marks=True,
    ),
    Reading(
        *("NovaSeq 6000", "v1.5 reagents", REVERSED),
        f"{_OVERVIEW}; SbsConsumableVersion 3: {_NPG}/run_params/RunParameters.novaseq.xp.v1.5.xml",
        applies=_version_1_5,
    ),
    Reading(
        *("NovaSeq 6000", "v1.0 reagents", FORWARD),
        f"{_OVERVIEW}; SbsConsumableVersion 1: github.com/Clinical-Genomics/cg,"
        " cg/apps/demultiplex/sample_sheet/index.py; none: Clinical-Genomics/cg#2681 (control"
        f" software 1.6.0), and {_NPG}/run_params/RunParameters.novaseq.xml and"
        " RunParameters.novaseq.xp.xml (1.4.0 and 1.3.1)",
        applies=_version_1,
    ),
    Reading("NovaSeq 6000", "reagents whose version is not said", UNKNOWN, ""),
    Reading("iSeq", "any kit", REVERSED, f"{_OVERVIEW}; {_GUIDELINES}"),
    Reading("HiSeq X", "any kit", REVERSED, _OVERVIEW),
    Reading(
        *("HiSeq 3000/4000", "a single-read flow cell", FORWARD),
        f"{_DAVIS}; such a run: {_NPG}/run_info/runInfo.hiseq4000.single.twoind.xml",
        applies=_single,
    ),
    Reading("HiSeq 3000/4000", "a paired-end flow cell", REVERSED, f"{_OVERVIEW}; {_DAVIS}"),
    Reading("HiSeq", "any kit", FORWARD, _OVERVIEW),
)


def reading_of(info: RunInfo, parameters: RunParameters | None) -> Reading | None:
    """The row of a run, or None for an instrument that no row knows.

    Args:
        parameters: None where the run has no RunParameters.xml.
    """
    known = instrument_type(info.instrument)
    said = parameters or RunParameters()
    if known is not None:
        for row in READINGS:
            if row.family == known.name and row.applies(info, said):
                return row
    return None
