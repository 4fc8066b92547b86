"""What a hold is for: one run, the runs of an instrument, or all."""

from typing import Dict

from arteria_errors import ArteriaError
from arteria_names import identifier


class ScopeError(ArteriaError):
    """Not exactly one of run, instrument and all was given."""

    code = "hold.scope"


def scope(run: str, instrument: str, everything: bool) -> Dict[str, str]:
    """`{scope, name}`, as the runfolder service takes it."""
    given = [name for name, value in (("run", run), ("instrument", instrument)) if value]
    if len(given) + (everything is True) != 1:
        raise ScopeError(
            "expected one of run, instrument and all; found %s"
            % (", ".join(given + ["all"] * (everything is True)) or "none",),
            hint="for one run: run=NAME; for all: all=true",
        )
    if everything:
        return {"scope": "all", "name": ""}
    return {"scope": given[0], "name": identifier(run or instrument, given[0])}
