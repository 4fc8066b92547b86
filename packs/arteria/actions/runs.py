from typing import List

from arteria_action import ServiceAction
from arteria_client import path
from arteria_text import run_line


class Runs(ServiceAction):
    """List the runs, one a line."""

    def act(self, state: str = "") -> str:
        query = {"state": state} if state else {}
        rows = self.client.get("runfolder", path("runs"), **query).get("runs") or []
        lines: List[str] = [run_line(row) for row in rows]
        return "\n".join(lines) or "no runs"
