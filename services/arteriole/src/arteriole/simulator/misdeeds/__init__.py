"""What an instrument, its network or a person does wrong; found by name."""

from collections.abc import Callable

from arteriole.simulator.misdeeds import copying, instrument, sheet
from arteriole.simulator.misdeeds.misdeed import Misdeed
from arteriole.simulator.plan import PlanError

__all__ = ["MISDEEDS", "Misdeed", "misdeed_of"]

MISDEEDS: dict[str, Callable[[str], Misdeed]] = {
    kind.name: kind.parse
    for kind in (
        copying.MarkerEarly,
        copying.CopyStalls,
        copying.TruncatedFile,
        copying.MissingTile,
        copying.MissingCycle,
        instrument.FailedRun,
        instrument.InstrumentRestart,
        instrument.ClockSkew,
        sheet.SheetLate,
        sheet.SheetNever,
        sheet.I5Reversed,
        sheet.LanesExchanged,
        sheet.WellsShifted,
    )
}
"""By name: makes the misdeed from its argument, "" for none."""


def misdeed_of(text: str) -> Misdeed:
    """The misdeed that `NAME[:ARG]` asks for.

    Raises:
        PlanError: there is none of this name, or its argument cannot be used.
    """
    name, _, argument = text.partition(":")
    if name not in MISDEEDS:
        raise PlanError(
            f"expected a misdeed of {', '.join(sorted(MISDEEDS))}; found {name[:60]!r}",
            field="misdeed",
        )
    return MISDEEDS[name](argument)
