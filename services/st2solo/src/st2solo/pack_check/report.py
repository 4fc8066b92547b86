"""What a check found, for people and for programs."""

import json

from st2solo.findings import BAD
from st2solo.pack_check.codes import CODES
from st2solo.pack_check.examination import Fault


def lines(faults: list[Fault]) -> list[str]:
    """For a terminal: where, what, and below it what to do; then the counts."""
    told: list[str] = []
    for fault in faults:
        problem = fault.problem
        place = ":".join(str(p) for p in (problem.file, problem.line, problem.column) if p)
        told.append(f"{place}: {fault.grade} {problem.code}: {problem.message}")
        told.append(f"    {CODES[problem.code].hint}")
    errors = sum(fault.grade == BAD for fault in faults)
    told.append(f"{errors} errors, {len(faults) - errors} warnings")
    return told


def as_json(faults: list[Fault]) -> str:
    errors = sum(fault.grade == BAD for fault in faults)
    document = {
        "errors": errors,
        "warnings": len(faults) - errors,
        "findings": [fault.document() for fault in faults],
    }
    return json.dumps(document, indent=2)
