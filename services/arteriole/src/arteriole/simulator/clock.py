"""The instrument's clock: a run starts at ten on its day, so one seed gives one run folder."""

from datetime import datetime, timedelta

from arteriole.simulator.plan import RunPlan, day_of

_CYCLE = timedelta(minutes=5, seconds=40)


def at_cycle(plan: RunPlan, cycle: int) -> datetime:
    """When `cycle` (from 1) was done."""
    start = day_of(plan.name_parts[0]) + timedelta(hours=10, seconds=plan.clock_shift)
    return start + cycle * _CYCLE


def day(plan: RunPlan) -> str:
    """The day the run began, YYMMDD, by the instrument's clock."""
    return f"{at_cycle(plan, 0):%y%m%d}"


def american(moment: datetime) -> str:
    """As the instruments write it: `10/6/2015 10:22:34 PM`."""
    hour = moment.hour % 12 or 12
    half = "PM" if moment.hour >= 12 else "AM"
    date = f"{moment.month}/{moment.day}/{moment.year}"
    return f"{date} {hour}:{moment:%M:%S} {half}"
