"""Clients that drain the ready runs of a runfolder service by `POST pickup`, and some that die."""

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.folders import Client
from tests.landing import Landing

_PATIENCE_SECONDS = 600.0


def write(directory: Path, count: int) -> set[str]:
    """Complete run folders, by Arteria's rule; their paths."""
    for number in range(count):
        folder = directory / f"run-{number:05}"
        folder.mkdir()
        (folder / "RTAComplete.txt").touch()
    return {str(path) for path in directory.iterdir()}


@dataclass
class Drain:
    """What `clients` threads got of the service, of which `deaths` die with a run in their hands.

    A client that finds nothing looks again until every run of `paths` was done by somebody.
    """

    url: str
    paths: set[str]
    clients: int
    deaths: int
    lease: float
    done: Counter[str] = field(default_factory=Counter)
    abandoned: list[str] = field(default_factory=list)
    lost: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> float:
        """Seconds until all was done; AssertionError if it is not in time."""
        begun = time.monotonic()
        self._deadline = begun + _PATIENCE_SECONDS
        threads = [threading.Thread(target=self._work, args=(n,)) for n in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(self.done) == self.paths, f"{len(self.paths) - len(self.done)} were never done"
        return time.monotonic() - begun

    def _work(self, number: int) -> None:
        client = Client(self.url)
        try:
            while len(self.done) < len(self.paths) and time.monotonic() < self._deadline:
                if self._one(client, number):
                    return
        finally:
            client.close()

    def _one(self, client: Client, number: int) -> bool:
        """One run, if there is one; True if the client dies with it."""
        body = json.dumps({"client": f"client-{number}", "seconds": self.lease})
        status, run = self._call(client, "runfolders/pickup", body)
        if status != 200:
            time.sleep(0.05)
            return False
        with self._lock:
            if dies := len(self.abandoned) < self.deaths and number < self.deaths:
                self.abandoned.append(run["path"])
        if dies:
            return True
        body = json.dumps({"state": "done", "lease": run["lease"]["id"]})
        is_done = self._say(client, f"runfolders/path{run['path']}", body)
        with self._lock:
            self.done[run["path"]] += is_done
            self.lost += not is_done
        return False

    def _say(self, client: Client, path: str, body: str) -> bool:
        """Whether this client's word was taken; it is said again if no answer comes."""
        status, _ = self._call(client, path, body)
        again = status == 0
        while status == 0 and time.monotonic() < self._deadline:
            time.sleep(0.05)
            status, _ = self._call(client, path, body)
        if status == 200 or not again:
            return status == 200
        return bool(json.loads(client.call(path)[1])["state"] == "done")

    def _call(self, client: Client, path: str, body: str) -> tuple[int, Any]:
        """The answer; 0 where there is none, since the service was ended."""
        try:
            status, text = client.call(path, "POST", body)
        except (OSError, http.client.HTTPException):
            client.close()
            return 0, None
        return status, json.loads(text) if text else None


def handed_out(landing: Landing) -> tuple[Counter[str], Counter[str]]:
    """How often each run was picked up, and how often its lease ran out, by the history."""
    told: dict[str, Counter[str]] = {"picked_up": Counter(), "lease_expired": Counter()}
    after = ""
    while True:
        page = landing.get(f"events?limit=1000{after}")
        for event in page["events"]:
            if event["what"] in told:
                told[event["what"]][event["run"]] += 1
        if not page["events"]:
            return told["picked_up"], told["lease_expired"]
        after = f"&after={page['next']}"
