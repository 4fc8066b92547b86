from typing import Any, Dict, List

from arteria_action import ServiceAction
from arteria_client import path
from arteria_errors import ArteriaError, RefusedError
from arteria_names import identifier, is_identifier


class Adopt(ServiceAction):
    """Let a run that was there at the first scan, observed or dismissed be worked on."""

    def act(self, run: str = "", all: bool = False) -> Dict[str, Any]:
        if bool(run) == all:
            raise ArteriaError(
                "expected one of run and all", hint="run=NAME, or all=true", code="adopt.scope"
            )
        if not all:
            self._adopt(identifier(run, "run"))
            return {"adopted": 1}
        names = self._waiting()
        refused = 0
        for name in names:
            try:
                self._adopt(name)
            except RefusedError as error:
                if error.status != 409:
                    raise
                self.logger.error("%s: %s", error.code, error)
                refused += 1
        return {"adopted": len(names) - refused, "refused": refused}

    def _adopt(self, name: str) -> None:
        self.client.post("runfolder", path("runs", name, "adopt"))

    def _waiting(self) -> List[str]:
        """Those that wait for it, without the runs that a person dismissed."""
        rows = self.client.get("runfolder", path("runs")).get("runs") or []
        return [
            row["name"]
            for row in rows
            if is_identifier(row.get("name"))
            and row.get("adopted") is False
            and row.get("verdict") != "refused"
            and row.get("state") != "cancelled"
        ]
