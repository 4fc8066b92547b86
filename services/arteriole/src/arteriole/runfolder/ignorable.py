"""What a person may let a conversion ignore, and which rules of sample sheets may be waived."""

import enum


class Ignorable(enum.StrEnum):
    """What a conversion may ignore: bcl2fastq's options of these names, and empty samples."""

    MISSING_BCLS = "missing-bcls"
    MISSING_FILTER = "missing-filter"
    MISSING_POSITIONS = "missing-positions"
    EMPTY_SAMPLES = "empty-samples"


WAIVABLE_RULES = frozenset(
    {
        "sheet.index_collision",
        "sheet.flowcell_differs",
        "sheet.metadata_index",
        "sheet.metadata_lane",
        "sheet.metadata_missing",
        "sheet.metadata_project",
        "sheet.metadata_unknown",
        "sheet.metadata_unreadable",
        "sheet.project_unknown",
        "sheet.site_project",
        "sheet.site_sample_id",
    }
)
"""The rules of sheets, by the codes of their findings, without which a conversion can go on.

NB: bcl2fastq.converters has the same, as no service knows another.
"""
