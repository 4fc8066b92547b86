from typing import Any, Dict, Optional

from arteria_action import ServiceAction, stage_path
from arteria_client import path
from arteria_jobs import NotAnalysedError, job_status
from arteria_names import code_of, number

#: So many of the samples that are held are named in the message, which stays in the service.
NAMED = 5
MISSING = "metadata.missing"


class AccountSamples(ServiceAction):
    """End a stage once every sample of the attempt was analysed; hold it while some are held."""

    def act(
        self,
        run: str,
        stage: str,
        attempt: int,
        analysis: str = "analyse",
        by: Optional[str] = None,
    ) -> Dict[str, Any]:
        where = stage_path(run, stage, attempt)
        held = self._held(run, analysis, where[-1])
        code = code_of({"code": held[0]["reason"]}) if held else ""
        body = {
            "by": self.by(by),
            "state": "held" if held else "done",
            "code": code,
            "message": self._message(held),
            "hint": self._hint(run, code, held[0]["stage"] if held else analysis),
        }
        ended = self.client.post("runfolder", path(*where, "end"), body)
        return {"held": len(held), "code": code, "ended": ended.get("ended") is True}

    def _held(self, run: str, analysis: str, attempt: int) -> Any:
        """`[{sample, reason, stage}]`: a sample once, of the first analysis that held it.

        Analyses of the attempt besides `analysis`, such as those of its results, may hold more.
        """
        stages = self.client.get("runfolder", path("runs", run)).get("stages") or []
        rows = [row for row in stages if row["attempt"] == attempt]
        first = next((row for row in rows if row["stage"] == analysis), None)
        if first is None or not (first.get("job_id") or first.get("state") == "skipped"):
            raise NotAnalysedError(
                "expected a job of the stage %s in attempt %d"
                % (analysis, number(attempt, "attempt"))
            )
        others = [row for row in rows if row.get("service") == "wes" and row["state"] == "done"]
        held: Dict[str, Any] = {}
        for row in [first] + [row for row in others if row is not first]:
            if row.get("job_id"):
                job = job_status(self.client, row["service"], row["job_id"])
                for one in (job.get("result") or {}).get("held") or []:
                    held.setdefault(one["sample"], {**one, "stage": row["stage"]})
        return list(held.values())

    @staticmethod
    def _message(held: Any) -> str:
        if not held:
            return ""
        named = ", ".join("%s (%s)" % (row["sample"], row["reason"]) for row in held[:NAMED])
        more = " and %d more" % (len(held) - NAMED) if len(held) > NAMED else ""
        return "%d of its samples are held, the others are done: %s%s" % (len(held), named, more)

    @staticmethod
    def _hint(run: str, code: str, analysis: str) -> str:
        if code == MISSING:
            return (
                "give their metadata (a CSV in the drop folder, or the LIMS): it goes on by itself"
            )
        if not code:
            return ""
        return (
            "correct arteriole.yaml; or the metadata, and: arteriole metadata thaw %s SAMPLE"
            " --reason WHY; then: arteriole redo %s --from %s" % (run, run, analysis)
        )
