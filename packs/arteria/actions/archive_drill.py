from typing import Any, Dict, List

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, number


class ArchiveDrill(ServiceAction):
    """Start a drill of each archive: some of an attempt is brought back, verified and removed.

    A repeat while one goes on starts no other. Where nothing is archived there is none.
    """

    def act(self, destination: str = "") -> Dict[str, Any]:
        body = {"destination": identifier(destination, "destination")} if destination else {}
        if not self.client.has("archive"):
            return {"drills": []}
        found: List[Dict[str, Any]] = self.client.post("archive", path("drills"), body)["drills"]
        return {
            "drills": [
                {
                    "job_id": identifier(str(drill["job_id"]), "job_id"),
                    "run": identifier(drill["run"], "run"),
                    "attempt": number(drill["attempt"], "attempt"),
                }
                for drill in found
            ]
        }
