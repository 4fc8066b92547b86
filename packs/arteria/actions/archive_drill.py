from typing import Any, Dict, List

from arteria_action import ServiceAction
from arteria_backends import tell
from arteria_client import path
from arteria_errors import ArteriaError, NotBegunError
from arteria_names import code_of, identifier, number
from arteria_notice import no_drill, no_drill_text


class ArchiveDrill(ServiceAction):
    """Start a drill of each archive: some of an attempt is brought back, verified and removed.

    A repeat while one goes on starts no other. Where nothing is archived there is none. Of one that
    cannot begin people are told, but where they asked in a chat and hear it there.
    """

    def act(self, destination: str = "") -> Dict[str, Any]:
        body = {"destination": identifier(destination, "destination")} if destination else {}
        if not self.client.has("archive"):
            return {"drills": []}
        try:
            return {"drills": self._begin(body)}
        except ArteriaError as error:
            if not self.in_chat:
                self._tell(error)
            raise

    def _begin(self, body: Dict[str, Any]) -> List[Dict[str, Any]]:
        answer = self.client.post("archive", path("drills"), body)
        begun = [
            {
                "job_id": identifier(str(drill["job_id"]), "job_id"),
                "run": identifier(drill["run"], "run"),
                "attempt": number(drill["attempt"], "attempt"),
            }
            for drill in answer["drills"]
        ]
        refused = {
            identifier(one["destination"], "destination"): code_of(one)
            for one in answer.get("refused") or []
        }
        if refused:
            raise NotBegunError(refused, len(begun))
        return begun

    def _tell(self, error: ArteriaError) -> None:
        """To how many places it was told stands in the result, which is the drill's error."""
        told = no_drill(error.code, getattr(error, "refused", {}))
        facts = {"what": "drill_not_begun", **told}
        try:
            error.counts["sent"] = tell(self.config, no_drill_text(told), facts)["sent"]
        except ArteriaError as untold:
            self.logger.error("%s: %s", untold.code, untold)
            error.counts["sent"] = untold.counts.get("sent", 0)
