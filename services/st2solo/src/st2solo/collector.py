"""Removes what has been over for long: executions, and trigger instances with their enforcements.

Expired keys and files of packs that were replaced or removed go with them.

The services hold the truth about runs; what the orchestrator keeps is how it came about. It works
in small transactions, so that nothing else has to wait.

Source: st2reactor/garbage_collector of StackStorm 3.9.
"""

import asyncio
import logging
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from st2solo import moments
from st2solo.installed_packs import InstalledPacks
from st2solo.store import Store

_LOG = logging.getLogger(__name__)

_EVERY_SECONDS = 3600.0
_DAY_SECONDS = 24 * 3600.0
#: Nothing is kept longer than it should be by more than this part of the time.
_LATE = 0.1
_PAUSE_SECONDS = 0.05
#: Executions or instances that one transaction removes.
_SLICE = 50

_FAMILY = """
WITH RECURSIVE family (id) AS (
    SELECT id FROM (SELECT id FROM executions WHERE parent IS NULL AND end_timestamp < ?
                    ORDER BY end_timestamp LIMIT ?)
    UNION SELECT executions.id FROM executions JOIN family ON executions.parent = family.id
)
SELECT id FROM family
"""
_OLD_INSTANCES = (
    "SELECT id FROM trigger_instances WHERE occurrence_time < ? AND status != 'pending'"
    " ORDER BY occurrence_time LIMIT ?"
)


@dataclass(frozen=True)
class Keep:
    """For how many days, or parts of a day, what is over is kept; None: for ever."""

    executions_days: float | None = 90
    trigger_instances_days: float | None = 30

    @property
    def pause_seconds(self) -> float:
        """How long the collector rests between two looks."""
        days = [self.executions_days, self.trigger_instances_days]
        times = [day * _DAY_SECONDS * _LATE for day in days if day is not None]
        return min([_EVERY_SECONDS, *times])


class Collector:
    def __init__(self, store: Store, keep: Keep, installed: InstalledPacks) -> None:
        self._store = store
        self._keep = keep
        self._installed = installed

    async def run(self) -> None:
        """Collect now and then, until canceled."""
        while True:
            try:
                while self.collect_some():
                    await asyncio.sleep(_PAUSE_SECONDS)
                await self._installed.sweep()
            except (OSError, sqlite3.Error):
                _LOG.exception("old executions were not collected; it is tried again later")
            await asyncio.sleep(self._keep.pause_seconds)

    def collect_some(self) -> int:
        """Remove one slice of what is too old, and say how many rows of it there were."""
        with self._store.transaction():
            return self._executions() + self._instances() + self._expired_keys()

    def _executions(self) -> int:
        if self._keep.executions_days is None:
            return 0
        ids = self._ids(_FAMILY, self._keep.executions_days)
        for execution_id in ids:
            self._store.execute(
                "DELETE FROM workflow_tasks WHERE workflow_id IN"
                " (SELECT id FROM workflows WHERE execution_id = ?)",
                (execution_id,),
            )
            self._store.execute("DELETE FROM workflows WHERE execution_id = ?", (execution_id,))
            self._store.execute("DELETE FROM executions WHERE id = ?", (execution_id,))
        return len(ids)

    def _instances(self) -> int:
        if self._keep.trigger_instances_days is None:
            return 0
        ids = self._ids(_OLD_INSTANCES, self._keep.trigger_instances_days)
        for instance_id in ids:
            self._store.execute(
                "DELETE FROM rule_enforcements WHERE trigger_instance_id = ?", (instance_id,)
            )
            self._store.execute("DELETE FROM trigger_instances WHERE id = ?", (instance_id,))
        return len(ids)

    def _expired_keys(self) -> int:
        deleted = self._store.execute(
            "DELETE FROM keys WHERE id IN (SELECT id FROM keys WHERE expires <= ? LIMIT ?)",
            (moments.now_text(), _SLICE),
        )
        return deleted.rowcount

    def _ids(self, sql: str, days: float) -> list[str]:
        oldest = datetime.now(UTC) - timedelta(days=days)
        moment = oldest.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return [row["id"] for row in self._store.execute(sql, (moment, _SLICE))]
