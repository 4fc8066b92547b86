"""What each family of instruments writes when it is done, and how that is known.

A marker answers one question only. RTAComplete.txt (or .xml), SequenceComplete.txt and
SequencingComplete.txt say that base calling has ended: files may still be on their way (a NovaSeq
6000 was seen to write CopyComplete.txt an hour and a half later, and base calls in between).
CopyComplete.txt says that the copy has ended, where an instrument and its software write it.
"""

import re
from dataclasses import dataclass

RTA_COMPLETE = "RTAComplete.txt"
#: The same, as RTA 2 of a NextSeq 500 or 550 may write it.
RTA_COMPLETE_XML = "RTAComplete.xml"
COPY_COMPLETE = "CopyComplete.txt"
#: Base calling has ended.
CALLING_ENDED = (
    RTA_COMPLETE,
    RTA_COMPLETE_XML,
    "SequenceComplete.txt",
    "SequencingComplete.txt",
)


@dataclass(frozen=True, slots=True)
class InstrumentType:
    """A family of instruments.

    `pattern` matches the start of its serial numbers. `marker` is the file without which a run is
    not over (RTAComplete.txt stands for RTAComplete.xml too); empty where nothing is known for
    sure, so that evidence alone decides. `source` is the document or the real run on which the row
    rests; a row without one is unverified.
    """

    name: str
    pattern: str
    marker: str
    source: str

    @property
    def is_verified(self) -> bool:
        return self.source != ""


# By serial number, first match wins. Older control software puts HWI- before it, and a HiSeq 2000
# or 2500 may call itself by its bare number (7001253F). Some NextSeqs have TP before theirs (the
# run of TPNB500142 in github.com/seahurt/bcl2fq-local has four lanes and six cameras), some HiSeqs
# SNL (SNL110 in the tests of github.com/GenomiqueENS/aozan). A MiSeqDx or a NovaSeq 6000Dx cannot
# be told from its research sibling by its number, and goes by the sibling's row.
INSTRUMENTS = (
    InstrumentType(
        "MiniSeq",
        r"MN\d",
        RTA_COMPLETE,
        "github.com/fls-bioinformatics-core/genomics, bcftbx/platforms.py: the MiniSeq MN00218 ends"
        " with RTAComplete.txt",
    ),
    InstrumentType(
        "MiSeq",
        r"(HWI-)?M\d",
        RTA_COMPLETE,
        "knowledge.illumina.com 000001678: RTA copies (control software 3.1 and before), then the"
        " Universal Copy Service (4.0); the folder listed in github.com/GenomiqueENS/aozan#17"
        " has RTAComplete.txt and CopyComplete.txt",
    ),
    InstrumentType("MiSeq i100", r"SH\d", "", ""),
    InstrumentType("NextSeq 550Dx", r"NDX\d", "", ""),
    InstrumentType(
        "NextSeq 500/550",
        r"(TP)?N[BS]\d",
        RTA_COMPLETE,
        "github.com/fls-bioinformatics-core/genomics, bcftbx/platforms.py: NB500968 ends with"
        " RTAComplete.txt and CopyComplete.txt; support-docs.illumina.com/IN/NextSeq_550-500,"
        " Sequencing Output Folder Structure: RTAComplete.xml",
    ),
    InstrumentType(
        "NextSeq 1000/2000",
        r"V[HL]\d",
        COPY_COMPLETE,
        "github.com/phac-nml/irida-uploader, docs/parsers/nextseq2k_nml.md: CopyComplete.txt in the"
        " folder of a NextSeq 2000",
    ),
    InstrumentType(
        "NovaSeq X",
        r"LH\d",
        COPY_COMPLETE,
        "support-docs.illumina.com/IN/NovaSeqX, Output Folder Structure: RTAComplete.txt,"
        " CopyComplete.txt and RunCompletionStatus.xml",
    ),
    InstrumentType(
        "NovaSeq 6000",
        r"A\d",
        COPY_COMPLETE,
        "github.com/miso-lims/miso-lims#2254 (the Universal Copy Service writes CopyComplete.txt)"
        " and github.com/NationalGenomicsInfrastructure/TACA/pull/308",
    ),
    InstrumentType(
        "iSeq",
        r"FS\d",
        COPY_COMPLETE,
        "github.com/arteria-project/arteria-runfolder, runfolder/lib/instrument.py:"
        " CopyComplete.txt",
    ),
    InstrumentType(
        "HiSeq X",
        r"ST-|E\d",
        RTA_COMPLETE,
        "the run 151005_ST-00295_0022_BHH5VTCCXX: RTAComplete.txt and SequencingComplete.txt",
    ),
    InstrumentType(
        "HiSeq 3000/4000",
        r"[JK]\d",
        RTA_COMPLETE,
        "github.com/fls-bioinformatics-core/genomics, bcftbx/platforms.py: K00311 ends with"
        " RTAComplete.txt and SequencingComplete.txt",
    ),
    InstrumentType(
        "HiSeq",
        r"(HWI-)?[CDJK]\d|SNL?\d|HWI-ST\d|700\d{3,4}[A-Z]?$",
        RTA_COMPLETE,
        "github.com/arteria-project/arteria-runfolder, runfolder/lib/instrument.py:"
        " RTAComplete.txt",
    ),
)


def instrument_type(serial_number: str) -> InstrumentType | None:
    """The family that a serial number belongs to, or None."""
    for known in INSTRUMENTS:
        if re.match(known.pattern, serial_number):
            return known
    return None


def is_verified(serial_number: str) -> bool:
    """It is known for sure how this instrument ends a run."""
    known = instrument_type(serial_number)
    return known is not None and known.is_verified


def expected_markers(serial_number: str) -> tuple[str, ...]:
    """The files of which one says that the run is over.

    An instrument of which that is not known for sure is done with any of the usual markers.
    """
    known = instrument_type(serial_number)
    if known is None or not known.marker:
        return (RTA_COMPLETE, RTA_COMPLETE_XML, COPY_COMPLETE)
    return (RTA_COMPLETE, RTA_COMPLETE_XML) if known.marker == RTA_COMPLETE else (known.marker,)
