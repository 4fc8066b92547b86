"""What a person may let a conversion ignore."""

import enum


class Ignorable(enum.StrEnum):
    """What a conversion may ignore: bcl2fastq's options of these names, and empty samples."""

    MISSING_BCLS = "missing-bcls"
    MISSING_FILTER = "missing-filter"
    MISSING_POSITIONS = "missing-positions"
    EMPTY_SAMPLES = "empty-samples"
