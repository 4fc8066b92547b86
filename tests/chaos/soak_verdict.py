"""What must hold after a soak, and the figures of one."""

from collections import Counter, defaultdict
from collections.abc import Callable
from statistics import linear_regression, mean, median, quantiles
from typing import Any

from tests.chaos import soak_pack
from tests.chaos.plan import Soak
from tests.chaos.sampled import Sample
from tests.chaos.soak import Seen

#: Memory is looked at from this part of the soak on: until then caches fill.
_WARM = 1 / 6
_MOST_GROWTH = 0.05
_MOST_SLOWER = 1.5
#: What is full may still vary by this; and so many descriptors are open for a moment.
_MOST_VARIATION = 0.1
_AT_ONCE = 8
_MIB = 2**20
_MINUTE = 60.0

#: The p50 and the p99 of each minute, in seconds.
Latencies = dict[int, tuple[float, float]]


def problems(soak: Soak, seen: Seen) -> list[str]:
    """What is wrong, a sentence each; empty if all is well."""
    return [*_of_events(soak, seen), *_of_executions(seen), *_of_samples(soak, seen)]


def figures(soak: Soak, seen: Seen) -> dict[str, Any]:
    """The soak in numbers."""
    minutes, samples = _latencies(seen), seen.samples
    told: dict[str, Any] = {
        "minutes": soak.minutes,
        "sensors": soak.sensors,
        "rules": soak.rules,
        "events_a_second": soak.rate,
        "kept_seconds": round(seen.kept_seconds),
        "events": len(seen.told),
        "trigger_instances": len(seen.instances),
        "enforcements": len(seen.enforcements),
        "executions": len(seen.executions),
        "executions_by_action": dict(
            sorted(Counter(one.action for one in seen.executions.values()).items())
        ),
    }
    for name, of in _MEMORIES.items():
        told[f"{name}_mib"] = [round(value / _MIB, 1) for value in _by_quarter(samples, of, mean)]
        told[f"{name}_growth_percent"] = round(100 * _growth(samples, of), 2)
    for name, number in (("p50", 0), ("p99", 1)):
        told[f"latency_{name}_ms"] = [
            round(1000 * value) for value in _quarters_of_latency(soak, minutes, number)
        ]
        worst = max(both[number] for both in minutes.values())
        told[f"latency_{name}_ms_worst_minute"] = round(1000 * worst)
    told["store_mib"] = [round(value / _MIB, 1) for value in _by_quarter(samples, _store, max)]
    told["rows"] = _by_quarter(samples, _rows, max)
    told["descriptors"] = _by_quarter(samples, lambda one: one.descriptors, max)
    told["threads"] = _by_quarter(samples, lambda one: one.threads, max)
    return told


# nothing is lost, nothing doubled


def _of_events(soak: Soak, seen: Seen) -> list[str]:
    """Each is one trigger instance, with one enforcement and execution of each rule it matches."""
    found: list[str] = []
    events = Counter(event for event, _ in seen.instances.values())
    for event in sorted(seen.told.keys() | events.keys()):
        if (seen.told[event], events[event]) != (1, 1):
            found.append(
                f"event {event[1]} of sensor {event[0]} was taken {seen.told[event]} times,"
                f" and has {events[event]} trigger instances"
            )
    enforced = defaultdict(list)
    for one in seen.enforcements.values():
        enforced[one.instance].append(one)
    for instance, (event, _) in seen.instances.items():
        wanted, rules = soak_pack.expected(soak, *event), Counter[str]()
        for one in enforced.pop(instance, []):
            rules[one.rule] += 1
            execution = seen.executions.get(one.execution or "")
            if execution is None:
                found.append(f"{one.rule} on {instance} has no execution: {one.failure}")
            elif (execution.rule, execution.instance) != (one.rule, instance) or (
                execution.action != wanted.get(one.rule)
            ):
                found.append(f"{one.rule} on {instance} has another's execution: {execution}")
        if rules != Counter(wanted.keys()):
            found.append(f"expected one answer each of {sorted(wanted)}, found {dict(rules)}")
    found += [f"an enforcement of no event: {more}" for more in enforced.values()]
    return found


def _of_executions(seen: Seen) -> list[str]:
    """Each has succeeded, is a rule's or a workflow's, and workflows have all their tasks."""
    found = [f"{name} is still open" for name in sorted(seen.still_open)]
    answers = Counter(one.execution for one in seen.enforcements.values())
    tasks = Counter(one.parent for one in seen.executions.values() if one.parent)
    for name, one in seen.executions.items():
        if one.status != "succeeded":
            found.append(f"{one.action} {name} is {one.status}")
        if answers[name] != (0 if one.parent else 1):
            found.append(f"{one.action} {name} is the execution of {answers[name]} enforcements")
        wanted = soak_pack.TASKS[one.action]
        if tasks.pop(name, 0) != wanted:
            found.append(f"expected {wanted} tasks of {one.action} {name}")
    found += [f"a task of no workflow that is known: {parent}" for parent in tasks]
    found += [f"left behind: {one}" for one in seen.left]
    return found


# nothing grows


def _store(sample: Sample) -> int:
    return sample.store


def _rows(sample: Sample) -> int:
    return sample.rows


_MEMORIES: dict[str, Callable[[Sample], int]] = {
    "memory": lambda one: one.memory,
    "fork_server_memory": lambda one: one.fork_server_memory,
    "sensors_memory": lambda one: one.sensors_memory,
}


def _of_samples(soak: Soak, seen: Seen) -> list[str]:
    """Memory is flat, the store is bounded, and the last events are answered as soon as others."""
    found, samples = [], seen.samples
    for name, of in _MEMORIES.items():
        if (growth := _growth(samples, of)) > _MOST_GROWTH:
            found.append(f"{name} grew by {growth:.1%}")
    bounded = {
        "store": (_store, 0),
        "rows": (_rows, 0),
        "descriptors": (lambda one: one.descriptors, _AT_ONCE),
    }
    for name, (of, at_once) in bounded.items():
        _, second, _, last = _by_quarter(samples, of, max)
        if last > second * (1 + _MOST_VARIATION) + at_once:
            found.append(f"{name} grew from {second} to {last} after it was full")
    _, second, _, last = _quarters_of_latency(soak, _latencies(seen), 1)
    if last > second * _MOST_SLOWER:
        found.append(f"the p99 rose from {second:.3f} s to {last:.3f} s")
    return found


def _growth(samples: list[Sample], of: Callable[[Sample], int]) -> float:
    """By which part it grows from when it is warm to the end, by a straight line."""
    warm = [one for one in samples if one.seconds >= samples[-1].seconds * _WARM]
    values = [of(one) for one in warm]
    slope, _ = linear_regression([one.seconds for one in warm], values)
    return slope * (warm[-1].seconds - warm[0].seconds) / mean(values)


def _by_quarter(samples: list[Sample], of: Callable[[Sample], int], how: Any) -> list[Any]:
    quarters: list[list[int]] = [[], [], [], []]
    for one in samples:
        part = one.seconds / (samples[-1].seconds + 1)
        quarters[int(4 * part)].append(of(one))
    return [how(values) for values in quarters]


def _latencies(seen: Seen) -> Latencies:
    """From when an event was sent to the end of what a rule started for it, by its minute."""
    minutes: dict[int, list[float]] = defaultdict(list)
    for one in seen.executions.values():
        if one.instance in seen.instances:
            _, sent = seen.instances[one.instance]
            minutes[int((sent - seen.began) // _MINUTE)].append(one.ended - sent)
    return {minute: _percentiles(values) for minute, values in sorted(minutes.items())}


def _percentiles(values: list[float]) -> tuple[float, float]:
    cuts = quantiles([*values, *values], n=100, method="inclusive")
    return cuts[49], cuts[98]


def _quarters_of_latency(soak: Soak, minutes: Latencies, number: int) -> list[float]:
    """The median minute of each quarter: a machine that others use has bad minutes."""
    quarters: list[list[float]] = [[], [], [], []]
    for minute, both in minutes.items():
        part = min(max(minute, 0) / max(soak.minutes, 1), 0.99)
        quarters[int(4 * part)].append(both[number])
    return [median(values) if values else 0.0 for values in quarters]
