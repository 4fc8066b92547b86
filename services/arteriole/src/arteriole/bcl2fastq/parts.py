"""What a job of the bcl2fastq service is about."""

import enum


class Part(enum.StrEnum):
    """`indexes` is the stage of such a job too, which is no stage of a run."""

    CONVERT = "convert"
    QC = "qc"  # it judges an attempt that is complete
    INDEXES = "indexes"  # it compares the observed indexes with the sheet
