from typing import Any, Dict, List, Optional

from arteria_action import ServiceAction, stage_path
from arteria_attempt import attempt_row, waived_rules
from arteria_client import path
from arteria_errors import RefusedError
from arteria_names import code_of
from arteria_sheet import sheet_of


class CheckSamplesheet(ServiceAction):
    """Check a run's sample sheet, and end the stage with what was found."""

    def act(self, run: str, stage: str, attempt: int, by: Optional[str] = None) -> Dict[str, Any]:
        where = stage_path(run, stage, attempt)
        verdict = self._check(run, waived_rules(attempt_row(self.client, run, where[-1])))
        ok = verdict.get("ok") is True
        first = self._first_error(verdict)
        code = code_of(verdict) or code_of(first) or ("" if ok else "samplesheet.refused")
        body = {
            "by": self.by(by),
            "state": "done" if ok else "failed",
            "code": code,
            "message": verdict.get("message") or first.get("message") or "",
            "hint": verdict.get("hint") or first.get("hint") or "",
        }
        ended = self.client.post("runfolder", path(*where, "end"), body)
        return {
            "ok": ok,
            "code": code,
            "findings": len(verdict.get("findings") or []),
            "ended": ended.get("ended") is True,
        }

    def _check(self, run: str, waived: Dict[str, List[str]]) -> Dict[str, Any]:
        try:
            body = {"run": run, **waived, **sheet_of(self.client, run)}
            return self.client.post("bcl2fastq", path("samplesheets", "check"), body)
        except RefusedError as error:
            if not error.final:
                raise
            return {"ok": False, "code": error.code, "message": str(error), "hint": error.hint}

    @staticmethod
    def _first_error(verdict: Dict[str, Any]) -> Dict[str, Any]:
        findings = [row for row in verdict.get("findings") or [] if isinstance(row, dict)]
        errors = [row for row in findings if row.get("severity") == "error"]
        return next((row for row in errors if not row.get("waived")), {})
