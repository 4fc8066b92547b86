"""The section `disk` of arteriole.yaml: when a volume counts as short of space."""

from typing import Annotated

from pydantic import Field

from arteriole.app.config import AbsolutePath, Section

Percent = Annotated[float, Field(ge=0, le=100)]


class RootLimits(Section):
    """What is said of one root only; of the rest the section's own values count."""

    #: As `disk.early_percent`, of this folder's volume.
    early_percent: Percent | None = None
    #: As `disk.critical_percent`, of this folder's volume.
    critical_percent: Percent | None = None


class DiskSettings(Section):
    """Percentages of what can be used of a volume, of its space and of its inodes."""

    #: Percent of a volume; with less free it is watched for being filled up within a day.
    early_percent: Percent = 15.0
    #: Percent of a volume that is kept free: at or below it, or where what it will write would
    #: reach it, no conversion begins.
    critical_percent: Percent = 5.0
    #: Seconds between two looks.
    interval: float = Field(default=10.0, ge=0.1, le=3600)
    #: Other percentages for some of the folders that services write to, by path.
    roots: dict[AbsolutePath, RootLimits] = Field(default_factory=dict)
