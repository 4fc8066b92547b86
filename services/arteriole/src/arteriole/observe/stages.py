"""The stages of an observed attempt: what each would have done, or what would have failed."""

from dataclasses import asdict, dataclass
from typing import Any

from arteriole.observe.source import Source

PASSED = ("done", "skipped")


@dataclass(frozen=True)
class StageReport:
    """`would` as its job has it, None without a result; `trouble`: why that is not known."""

    stage: str
    state: str
    code: str
    message: str
    hint: str
    would: dict[str, Any] | None
    trouble: str

    @property
    def passed(self) -> bool:
        return self.state in PASSED

    def document(self) -> dict[str, Any]:
        return asdict(self)


def of_attempt(run: dict[str, Any], attempt: int) -> list[dict[str, Any]]:
    return [stage for stage in run["stages"] if stage["attempt"] == attempt]


def read_stages(source: Source, run: dict[str, Any], attempt: int) -> tuple[StageReport, ...]:
    """The stages of the observed `attempt`, in the plan's order."""
    return tuple(_stage(source, row) for row in of_attempt(run, attempt))


def _stage(source: Source, row: dict[str, Any]) -> StageReport:
    would, trouble = None, ""
    if row["service"] and row["job_id"] and row["state"] in PASSED:
        job, trouble = source.job(row["service"], row["job_id"])
        found = (job.get("result") or {}).get("would")
        if not trouble and not is_announcement(found):
            trouble = f"job {row['job_id']} of {row['service']} does not say what it would do"
        would = None if trouble else found
    return StageReport(
        stage=row["stage"],
        state=row["state"],
        code=row["code"],
        message=row["message"],
        hint=row["hint"],
        would=would,
        trouble=trouble,
    )


def is_announcement(would: Any) -> bool:
    """Is this what one of our services says that it would do?"""
    if not isinstance(would, dict) or not isinstance(would.get("to"), str):
        return False
    if "samples" in would:
        return _strings(would.get("files")) and _samples(would["samples"])
    return isinstance(would.get("destination", ""), str)


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _samples(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(row, dict)
        and isinstance(row.get("sample_id"), str)
        and isinstance(row.get("lane"), int)
        for row in value
    )
