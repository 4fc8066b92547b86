from typing import Any, Dict, List, Optional, Set

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier
from arteria_start import Start

#: What the converter calls the reads of no sample.
UNDETERMINED = "Undetermined"
#: What of a record the wes service is told: the rest (who gets the result, what was consented to)
#: is none of its business, and thousands of samples must fit into one request.
FIELDS = (
    "sample",
    "project",
    "subject",
    "phenotype",
    "batch",
    "genome_build",
    "pipeline",
    "control",
    "top_up_of",
)


class StartAnalysis(ServiceAction):
    """Freeze the metadata of an attempt's samples, and start the analysis that it asks for.

    Samples without metadata are held; the others are analysed.
    """

    def act(
        self,
        run: str,
        stage: str,
        attempt: int,
        try_number: int,
        pipeline: str = "",
        released: bool = False,
        by: Optional[str] = None,
    ) -> Dict[str, Any]:
        start = Start(self.client, self.by(by), run, stage, attempt, "wes")
        fields: Dict[str, Any] = {}
        if pipeline:
            fields["pipeline"] = identifier(pipeline, "pipeline")
        if released:
            fields["released"] = True
        if not (start.row.get("observed") or start.row.get("aborted")):
            # NB: metadata may have come since, and another request would be refused
            job = start.earlier(try_number)
            if job is not None:
                return start.attach(job)
            fields.update(self._samples(start, run, stage, attempt))
        return start.job(try_number, fields)

    def _samples(self, start: Start, run: str, stage: str, attempt: int) -> Dict[str, Any]:
        """Metadata goes from service to service: names and the like are in no result.

        An analysis of another's results goes by what was frozen for that one: a sample whose
        metadata has come since has no results yet.
        """
        record = start.refused_for_good("GET", "bcl2fastq", path("attempts", run, attempt))
        names = sorted({row["sample_id"] for row in record["samples"]} - {UNDETERMINED})
        if self._is_later(run, stage, attempt):
            frozen = start.refused_for_good("GET", "metadata", path("frozen", run, attempt))
        else:
            frozen = start.refused_for_good(
                "POST", "metadata", path("freeze", run, attempt), {"samples": names}
            )
        there = {row["sample"] for row in frozen["records"]}
        return {
            "samples": [
                {
                    **{name: row["record"][name] for name in FIELDS if row["record"].get(name)},
                    "version": row["version"],
                }
                for row in frozen["records"]
            ],
            "held": [name for name in names if name not in there],
        }

    def _is_later(self, run: str, stage: str, attempt: int) -> bool:
        """Whether an analysis was done among all that the stage comes after."""
        stages = self.client.get("runfolder", path("runs", run)).get("stages") or []
        rows = {row["stage"]: row for row in stages if row["attempt"] == attempt}
        before: List[str] = [stage]
        seen: Set[str] = set()
        while before:
            name = before.pop()
            row = rows.get(name)
            if row is None or name in seen:
                continue
            seen.add(name)
            if name != stage and row.get("service") == "wes" and row.get("state") == "done":
                return True
            before.extend(row.get("after") or [])
        return False
