"""What must hold after a storm, and the figures of one."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.pack import LEAVES, SHAPES, ref
from tests.chaos.plan import Kind, Plan
from tests.chaos.storm import Seen

_COMPLETED = frozenset({"succeeded", "failed", "timeout", "canceled", "abandoned"})
_WORDS = 4


@dataclass
class _Ledger:
    """The executions and lines of a storm, each under what it belongs to."""

    by_id: dict[str, dict[str, Any]]
    roots: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    below: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    lines: Counter[str] = field(default_factory=Counter)
    written: dict[str, Counter[tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    told: Counter[str] = field(default_factory=Counter)


def problems(plan: Plan, seen: Seen) -> list[str]:
    """What is wrong, a sentence each; empty if all is well."""
    found: list[str] = []
    ledger = _ledger(seen, found)
    for execution in seen.executions:
        found += _of_execution(execution, ledger, execution["id"] in seen.killed)
    for name, shape in plan.workflows:
        found += _of_workflow(name, shape, ledger, seen)
    missed = len(plan.kills) - seen.kills.total()
    if missed:
        found.append(f"{missed} of {len(plan.kills)} kills did not strike")
    found += [f"left behind: {one}" for one in seen.left]
    return found


def figures(plan: Plan, seen: Seen) -> dict[str, Any]:
    """The storm in numbers."""
    statuses = _statuses(seen)
    roots = Counter(one["status"] for one in seen.executions if _is_root(one))
    again = sum(_steps(one).count("running") > 1 for one in seen.executions if _leaves(one))
    return {
        "workflows": len(plan.workflows),
        "workflows_by_end": dict(sorted(roots.items())),
        "kills": {kind.value: seen.kills[kind] for kind in Kind},
        "actions_running_at_kills": {kind.value: seen.in_flight[kind] for kind in Kind},
        "answers_cut_off": len(seen.cut_off),
        "executions": len(seen.executions),
        "executions_by_end": dict(sorted(statuses.items())),
        "actions_run_again": again,
        "lines": len(seen.lines),
        "seconds": round(seen.seconds, 1),
    }


def _ledger(seen: Seen, found: list[str]) -> _Ledger:
    ledger = _Ledger({one["id"]: one for one in seen.executions})
    if len(ledger.by_id) != len(seen.executions):
        found.append("the API shows an execution twice")
    for one in seen.executions:
        ended = one["parameters"].get("ended")
        if ended:
            ledger.told[ended] += 1
        elif "parent" in one:
            ledger.below[one["parent"]].append(one)
        else:
            ledger.roots[one["parameters"]["workflow"]].append(one)
    for line in seen.lines:
        words = line.split(" ")
        if len(words) != _WORDS or words[-1] not in ledger.by_id:
            found.append(f"a line of no execution: {line!r}")
            continue
        workflow, task, item, execution = words
        ledger.lines[execution] += 1
        ledger.written[workflow][task, item] += 1
    return ledger


def _of_execution(execution: dict[str, Any], ledger: _Ledger, killed: bool) -> list[str]:
    """It is over, ended once, and left as many lines as its end says.

    Only an action that was `killed` may be abandoned, or run again.
    """
    found, status, steps = [], execution["status"], _steps(execution)
    ends = [step for step in steps if step in _COMPLETED]
    if ends != [status] or steps[-1] != status:
        found.append(f"{_told(execution)} should have ended once, went {' '.join(steps)}")
    if not _leaves(execution):
        return found
    lines, begun = ledger.lines[execution["id"]], steps.count("running")
    if execution["action"]["ref"] == "storm.line_again":
        allowed, statuses = range(1, (begun if killed else 1) + 1), {"succeeded"}
    elif killed and status == "abandoned":
        allowed, statuses = range(2), {"abandoned"}
    else:
        failing = {"failed"} if execution["action"]["ref"] == "storm.stumble" else set()
        allowed, statuses = range(1, 2), {"succeeded"} | failing
    if lines not in allowed:
        found.append(f"{_told(execution)} left {lines} lines after {begun} starts")
    if status not in statuses:
        found.append(f"{_told(execution)}: {execution['result']}")
    return found


def _of_workflow(name: str, shape: str, ledger: _Ledger, seen: Seen) -> list[str]:
    """There is one; it succeeded with all its lines, unless a last try did not."""
    roots = ledger.roots[name]
    if len(roots) != 1:
        return [f"{name}: {len(roots)} executions"]
    (root,) = roots
    found = []
    if seen.accepted.get(name, root["id"]) != root["id"] or root["action"]["ref"] != ref(shape):
        found.append(f"{name}: {_told(root)} is not the execution that was accepted")
    if ledger.told[root["id"]] != 1:
        found.append(f"{_told(root)}: its end was told {ledger.told[root['id']]} times")
    family = _family(root, ledger)
    last = {_place(one): one["status"] for one in family}  # orquesta retries what was abandoned
    spoiled = any(status != "succeeded" for status in last.values())
    if root["status"] != ("failed" if spoiled else "succeeded"):
        found.append(f"{_told(root)}, its tasks: {last}; {root['result']}")
    wanted, written = SHAPES[shape].lines, ledger.written[name]
    again = {("r", "-")}
    if any(one["status"] == "abandoned" for one in family):
        again.add(("s", "-"))
    for place in wanted.keys() | written.keys():
        more = place in again and written[place] > wanted[place]
        less = spoiled and written[place] < wanted[place]
        if written[place] != wanted[place] and not more and not less:
            found.append(f"{_told(root)}: {written[place]} lines of {' '.join(place)}")
    return found


def _family(root: dict[str, Any], ledger: _Ledger) -> list[dict[str, Any]]:
    below = ledger.below[root["id"]]
    return below + [one for child in below for one in _family(child, ledger)]


def _place(execution: dict[str, Any]) -> tuple[Any, ...]:
    """Which item of which task of which workflow it is a try of."""
    orquesta = execution["context"]["orquesta"]
    return execution["parent"], orquesta["task_id"], orquesta.get("item_id")


def _statuses(seen: Seen) -> Counter[str]:
    return Counter(one["status"] for one in seen.executions)


def _is_root(execution: dict[str, Any]) -> bool:
    return "parent" not in execution and "ended" not in execution["parameters"]


def _leaves(execution: dict[str, Any]) -> bool:
    return execution["action"]["ref"] in LEAVES


def _steps(execution: dict[str, Any]) -> list[str]:
    return [entry["status"] for entry in execution["log"]]


def _told(execution: dict[str, Any]) -> str:
    name = execution["parameters"].get("workflow", "")
    return f"{execution['action']['ref']} {name} {execution['id']} ({execution['status']})"
