"""The key `clean` of the section archive."""

from pydantic import Field

from arteriole.app.config import AbsolutePath, Section
from arteriole.app.name_pattern import Pattern


class CleanSettings(Section):
    #: `arteriole clean RUN --delete` takes away; else it is only told what might go.
    delete: bool = False
    #: Folders to which what goes is moved: one on each file system that has runs or FASTQs.
    bins: list[AbsolutePath] = Field(min_length=1, max_length=100)
    #: Days after which a bin may be emptied, by a command of its own.
    bin_days: int = Field(default=14, ge=1, le=3650)
    #: Projects (whole names, as patterns) of which two people have to say so; `true`: of all,
    #: `false`: of none.
    second_person: list[Pattern] | bool = True
