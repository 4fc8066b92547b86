"""The key `sheet_rules` of the section bcl2fastq: what a site asks of its sheets."""

from typing import Annotated

from pydantic import Field

from arteriole.app.config import AbsolutePath, Section
from arteriole.app.name_pattern import LENGTH, Pattern, compiled
from arteriole.bcl2fastq import sheet_metadata
from arteriole.illumina.sheet_check import SiteRules

Project = Annotated[str, Field(min_length=1, max_length=LENGTH)]


class SheetRules(Section):
    #: What a whole Sample_ID has to look like.
    sample_id_pattern: Pattern | None = None
    #: What a whole Sample_Project has to look like.
    project_pattern: Pattern | None = None
    #: The projects that may stand in a sheet; any may, if it is left out.
    projects: list[Project] | None = Field(default=None, min_length=1, max_length=10_000)
    #: What the Sample_ID of a no-template control looks like; each sheet is to have one then.
    control_pattern: Pattern | None = None

    #: A folder of tables that say of each sample its project, flow cell, lane and indexes; sheets
    #: are compared with it ([metadata.md](metadata.md)).
    metadata_folder: AbsolutePath | None = None

    def site_rules(self) -> SiteRules:
        """The same, as the check takes them; NB: it reads the tables."""
        sample_id, project, controls = (
            None if text is None else compiled(text)
            for text in (self.sample_id_pattern, self.project_pattern, self.control_pattern)
        )
        projects = None if self.projects is None else frozenset(self.projects)
        folder = self.metadata_folder
        known = None if folder is None else sheet_metadata.read(folder)
        return SiteRules(sample_id, project, projects, controls, known)
