"""What the services tell of a run: its document, its evidence, the results of its jobs."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from arteriole.app import times
from arteriole.client import Client, ClientError, run_path


class Source:
    """Asks each service; `connect` gives the client of a service by its name."""

    def __init__(self, connect: Callable[[str], Client]) -> None:
        self._connect = connect
        self._clients: dict[str, Client] = {}

    def _client(self, service: str) -> Client:
        if service not in self._clients:
            self._clients[service] = self._connect(service)
        return self._clients[service]

    def runs(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = self._client("runfolder").get("runs")["runs"]
        return runs

    def run(self, name: str) -> dict[str, Any]:
        run: dict[str, Any] = self._client("runfolder").get(run_path(name))
        return run

    def completed(self, run: dict[str, Any]) -> dict[str, str] | None:
        """`{marker, written}`: the instrument's last file, and when it was written.

        NB: not when we saw it: a run may have been complete long before we first looked.
        """
        evidence = self._client("runfolder").get(run_path(run["name"], "evidence"))["evidence"]
        present = evidence.get("markers") or []
        expected = [name for name in evidence.get("expected_markers") or [] if name in present]
        for marker in expected or present:
            try:
                modified = (Path(run["path"]) / marker).stat().st_mtime
            except (OSError, ValueError):
                continue
            return {"marker": marker, "written": times.text(datetime.fromtimestamp(modified, UTC))}
        return None

    def job(self, service: str, job_id: int) -> tuple[dict[str, Any], str]:
        """A job's document, or an empty one and why it is not known."""
        try:
            found = self._client(service).get(f"status/{quote(str(job_id), safe='')}")
        except ClientError as err:
            return {}, str(err)
        return found, ""
