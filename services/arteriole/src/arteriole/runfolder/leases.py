"""Leases: a ready run is handed to one client of `pickup`, until a time.

The client ends its lease by what it says of the run: its state, or a claim with the lease's id. It
may renew it before, or give the run back. A lease that ran out makes the run ready again.
"""

import asyncio
import contextlib
import secrets

import structlog

from arteriole.app import times
from arteriole.app.errors import ConflictError
from arteriole.app.mode import Mode
from arteriole.app.store import StoreBusyError
from arteriole.runfolder.records import Lease, Run
from arteriole.runfolder.runs import WHO, LeaseLostError, Runs

#: Seconds until the next try when the disk is full.
_AGAIN = 1.0

log = structlog.get_logger()


class Leases:
    """The leases of `runs`, of `seconds` each unless another time is asked for."""

    def __init__(self, runs: Runs, seconds: float) -> None:
        self._runs = runs
        self._store = runs.store
        self._seconds = seconds
        self._sooner = asyncio.Event()

    def pick_up(self, client: str, seconds: float | None, who: str) -> Run | None:
        """Hand out the ready run that is known longest: to nobody else, as long as the lease is.

        Returns:
            The run with its lease; None if none is ready.

        Raises:
            ConflictError: this service only observes, and the client would work on the run.
        """
        if self._runs.mode is Mode.OBSERVE:
            raise ConflictError(
                "no run is handed out while the mode is observe",
                code="pickup.observe",
                hint="set mode: act in arteriole.yaml and start the services again",
            )
        self.expire()
        with self._store.transaction():
            run = self._runs.next_ready()
            if run is None:
                return None
            length = self._seconds if seconds is None else seconds
            lease = Lease(secrets.token_hex(16), client, times.now(), times.now(length), length)
            self._store.execute(
                "INSERT INTO lease (run, id, client, since, until, seconds)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (run.id, lease.id, client, lease.since, lease.until, length),
            )
            self._runs.events.append(
                "picked_up", who=who, run=run.name, client=client, until=lease.until
            )
            found = self._runs.get(run.name)
        self._sooner.set()
        return found

    def renew(self, lease_id: str, seconds: float | None) -> Run:
        """Prolong it from now on, by as much as it was given for unless told otherwise.

        Raises:
            LeaseLostError: there is no such lease any more.
        """
        self.expire()
        with self._store.transaction():
            run, lease = self._find(lease_id)
            length = lease.seconds if seconds is None else seconds
            self._store.execute(
                "UPDATE lease SET until = ?, seconds = ? WHERE run = ?",
                (times.now(length), length, run.id),
            )
            found = self._runs.get(run.name)
        self._sooner.set()
        return found

    def give_back(self, lease_id: str, who: str) -> Run:
        """The client does not work on the run: it is ready again.

        Raises:
            LeaseLostError: there is no such lease any more.
        """
        self.expire()
        with self._store.transaction():
            run, _ = self._find(lease_id)
            self._runs.end_lease(run, who, "lease_given_back")
            self._runs.tell_if_ready(run.name)
        return self._runs.get(run.name)

    def _find(self, lease_id: str) -> tuple[Run, Lease]:
        row = self._store.row(
            "SELECT run.name FROM lease JOIN run ON run.id = lease.run WHERE lease.id = ?",
            (lease_id,),
        )
        run = None if row is None else self._runs.get(row["name"])
        if run is None or run.lease is None:
            raise LeaseLostError(lease_id)
        return run, run.lease

    def expire(self) -> None:
        """End every lease that ran out, and tell of the runs that are ready again."""
        rows = self._store.rows(
            "SELECT run.name FROM lease JOIN run ON run.id = lease.run WHERE lease.until <= ?"
            " ORDER BY lease.until",
            (times.now(),),
        )
        if not rows:
            return
        with self._store.transaction():
            for row in rows:
                run = self._runs.get(row["name"])
                self._runs.end_lease(run, WHO, "lease_expired")
                self._runs.tell_if_ready(run.name)

    async def run(self) -> None:
        """End the leases as they run out, for as long as the service runs."""
        while True:
            self._sooner.clear()
            try:
                self.expire()
                left = self._left()
            except StoreBusyError:
                log.exception("leases that ran out could not be ended")
                left = _AGAIN
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._sooner.wait()

    def _left(self) -> float | None:
        """Seconds until the next lease runs out; None if there is none."""
        row = self._store.row("SELECT min(until) AS until FROM lease")
        assert row is not None
        return None if row["until"] is None else max(0.0, -times.seconds_since(row["until"])) + 1e-3
