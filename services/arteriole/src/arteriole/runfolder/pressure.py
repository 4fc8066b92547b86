"""Tells people that a volume fills up, while there is time, and when there is too little space."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from arteriole.disk.disk import Disk, Level, Volume
from arteriole.illumina.instruments import instrument_type
from arteriole.runfolder.alerts import DISK_PRESSURE, Alert
from arteriole.runfolder.records import Run
from arteriole.runfolder.runs import WHO, Runs
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.why import Filling

CODES = {Level.EARLY: "disk.early", Level.CRITICAL: "disk.critical"}
#: The event that it is so no more.
DISK_EASED = "disk_eased"
#: Runs that are still written; of one that stands still all that is left counts.
WRITING = (VerdictKind.SEQUENCING, VerdictKind.STUCK, VerdictKind.COPYING)
#: Seconds between two comparisons of what was seen with what stands.
PAUSE = 1.0

log = structlog.get_logger()


class Pressure:
    """One alert a volume: raised, made worse, taken back.

    Args:
        run_gb: what a run of a family of instruments takes, until its own base calls tell.
    """

    def __init__(self, runs: Runs, disk: Disk, run_gb: dict[str, float]) -> None:
        self._runs = runs
        self._disk = disk
        self._run_gb = run_gb
        for alert in self._standing().values():
            disk.remember(alert.volume, Level[alert.about.upper()])

    def document(self) -> dict[str, Any]:
        """`{volumes: {name: ...}, volumes_unknown: {name: why}}`."""
        volumes = {one.name: {**one.document(), "words": one.words} for one in self._disk.volumes()}
        return {"volumes": volumes, "volumes_unknown": self._disk.troubles()}

    def figures(self) -> list[Metric]:
        """For Prometheus, by the volume's name."""
        volumes = self._disk.volumes()
        told: tuple[tuple[str, str, Callable[[Volume], float]], ...] = (
            ("size_bytes", "What can be used.", lambda one: one.space.size),
            ("free_bytes", "What is free.", lambda one: one.space.free),
            ("reserve_bytes", "What is kept free.", lambda one: one.reserve),
            ("to_come_bytes", "What is known to be written to it.", lambda one: one.to_come),
            ("free_inodes", "Free inodes.", lambda one: one.space.free_inodes),
            ("pressure", "0: enough space, 1: it fills up, 2: too little.", lambda one: one.level),
        )
        found: list[Metric] = []
        for name, words, figure in told:
            metric = GaugeMetricFamily(f"arteriole_volume_{name}", words, labels=["volume"])
            for one in volumes:
                metric.add_metric([one.name], figure(one))
            found.append(metric)
        return found

    @property
    def is_critical(self) -> bool:
        return any(one.level is Level.CRITICAL for one in self._disk.volumes())

    def filling(self, run: Run) -> Filling | None:
        """That the volume is short of space which an instrument writes this run to."""
        if run.verdict not in WRITING or run.holds_no_run:
            return None
        for one in self._disk.volumes():
            here = any(root.path == run.path.parent for root in one.roots)
            if here and one.level is not Level.ENOUGH:
                return Filling(CODES[one.level], one.words, one.reserve_reached)
        return None

    def check(self) -> None:
        """Compare what is so with what people were told."""
        self._disk.expect(WHO, self._to_come())
        volumes = {one.name: one for one in self._disk.look()}
        if self._disk.is_new:
            return
        unknown, standing = self._disk.troubles(), self._standing()
        gone = [name for name in standing if name not in volumes and name not in unknown]
        changed = [one for one in volumes.values() if self._is_news(one, standing.get(one.name))]
        if not gone and not changed:
            return
        with self._runs.store.transaction():
            for name in gone:
                self._ease(name)
            for one in changed:
                self._tell(one, standing.get(one.name))

    def _standing(self) -> dict[str, Alert]:
        alerts = self._runs.alerts.standing()
        return {alert.volume: alert for alert in alerts if alert.what == DISK_PRESSURE}

    def _is_news(self, volume: Volume, alert: Alert | None) -> bool:
        if alert is None:
            return volume.level is not Level.ENOUGH
        return alert.about != _about(volume)

    def _tell(self, volume: Volume, before: Alert | None) -> None:
        if volume.level is Level.ENOUGH:
            self._ease(volume.name)
            return
        if before is not None:
            self._runs.alerts.clear(volume=volume.name)
        self._runs.alerts.raise_(
            DISK_PRESSURE,
            who=WHO,
            volume=volume.name,
            about=_about(volume),
            code=CODES[volume.level],
            told=before is not None and volume.level is Level.EARLY,  # it was worse
        )

    def _ease(self, name: str) -> None:
        self._runs.alerts.clear(volume=name)
        self._runs.events.append(DISK_EASED, who=WHO, run=None, volume=name)

    def _to_come(self) -> dict[Path, int]:
        """What the instruments will still write, by monitored directory."""
        rows = self._runs.store.rows(
            "SELECT path, verdict, evidence FROM run WHERE verdict IN (?, ?, ?)", WRITING
        )
        found: dict[Path, int] = {}
        for row in rows:
            directory = Path(row["path"]).parent
            left = self._left_of(VerdictKind(row["verdict"]), json.loads(row["evidence"]))
            found[directory] = found.get(directory, 0) + left
        return found

    def _left_of(self, verdict: VerdictKind, evidence: dict[str, Any]) -> int:
        cycles, seen = evidence.get("cycles"), evidence.get("cycles_seen")
        each = evidence.get("cycle_bytes")
        if each and cycles and seen:
            return int(each * max(0, cycles - seen))
        if verdict is VerdictKind.COPYING:
            return 0
        family = instrument_type(str(evidence.get("instrument", "")))
        return int(self._run_gb.get(family.name, 0.0) * 10**9) if family else 0

    async def run(self) -> None:
        """Check for as long as the service runs."""
        is_told = False
        while True:
            try:
                self.check()
                is_told = False
            except sqlite3.Error:  # a full disk, say: it may be mended
                if not is_told:
                    log.exception("that a volume fills up cannot be told of")
                is_told = True
            await asyncio.sleep(PAUSE)


def _about(volume: Volume) -> str:
    return volume.level.name.lower()
