"""The instrument's clock: a run starts at ten on its day, so one seed gives one run folder."""

from datetime import UTC, datetime, timedelta

from arteriole.simulator.plan import RunPlan

_CYCLE = timedelta(minutes=5, seconds=40)


def at_cycle(plan: RunPlan, cycle: int) -> datetime:
    """When `cycle` (from 1) was done."""
    day = datetime.strptime(plan.name_parts[0], "%y%m%d").replace(tzinfo=UTC)
    return day + timedelta(hours=10) + cycle * _CYCLE


def american(moment: datetime) -> str:
    """As the instruments write it: `10/6/2015 10:22:34 PM`."""
    hour = moment.hour % 12 or 12
    half = "PM" if moment.hour >= 12 else "AM"
    date = f"{moment.month}/{moment.day}/{moment.year}"
    return f"{date} {hour}:{moment:%M:%S} {half}"
