"""The metadata service: the record of each sample, and the one by which an attempt goes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Metric

from arteriole.app.auth import Role
from arteriole.app.errors import InvalidError, NotFoundError
from arteriole.app.names import require_identifier
from arteriole.app.routes import Call, Reply, Route
from arteriole.app.store import Store
from arteriole.metadata import sources
from arteriole.metadata.bodies import FreezeRequest, SamplesQuery, ThawRequest
from arteriole.metadata.errors import SourceError
from arteriole.metadata.freezer import Freezer
from arteriole.metadata.freezes import Attempt, Freezes
from arteriole.metadata.lookup import UNKNOWN, Found, Lookup
from arteriole.metadata.samples import Samples
from arteriole.metadata.settings import MetadataSettings
from arteriole.metadata.sources.csv_folder import CsvFolder

#: So many records are written in one transaction, so that others get their turn.
WRITTEN_AT_ONCE = 200

log = structlog.get_logger()


class MetadataService:
    """It reads the sources and writes its own store only, so that observing is no different."""

    name = "metadata"

    def __init__(self, settings: MetadataSettings, state_dir: Path) -> None:
        self._settings = settings
        self._store = Store(state_dir / self.name / "metadata.sqlite", "arteriole.metadata.sql")
        self._lookup = Lookup([sources.make(one) for one in settings.sources])
        self._samples = Samples(self._store)
        self._freezes = Freezes(self._store, self._samples)
        self._freezer = Freezer(self._freezes, self._lookup)
        self._changed: set[str] = set()  # samples of which a folder says something new
        self._troubles: dict[str, str] = {}  # what we could not do, by task
        self._tasks: list[asyncio.Task[None]] = []
        self.events = self._freezes.events

    async def start(self) -> None:
        retry = self._settings.retry_seconds
        self._tasks = [
            asyncio.create_task(self._repeat("retry", self._freezer.look_again, lambda: retry)),
            *(asyncio.create_task(self._follow(folder)) for folder in self._lookup.folders),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._freezer.stop()
        self._store.close()

    async def _follow(self, folder: CsvFolder) -> None:
        async def scan() -> None:
            self._changed |= await folder.scan()
            await self._write_changed()
            await self._freezer.look_again(in_folders=True)

        await self._repeat(folder.name, scan, lambda: folder.pause)

    async def _repeat(
        self, what: str, work: Callable[[], Awaitable[None]], pause: Callable[[], float]
    ) -> None:
        while True:
            try:
                await work()
                self._troubles.pop(what, None)
            except Exception as err:  # a full disk, say: the next time it may succeed
                # NB: the kind alone, since the text of an error may hold the name of a sample
                log.error("could not look for metadata", source=what, error=type(err).__name__)
                self._troubles[what] = type(err).__name__
            await asyncio.sleep(pause())

    async def _write_changed(self) -> None:
        """Write the versions that folders told of, as far as no other source comes before."""
        names = sorted(self._changed)
        for start in range(0, len(names), WRITTEN_AT_ONCE):
            some = names[start : start + WRITTEN_AT_ONCE]
            with self._store.transaction():
                for sample in some:
                    if (found := self._lookup.at_hand(sample)) is not None:
                        self._samples.put(found)
            self._changed.difference_update(some)
            await asyncio.sleep(0)

    def health(self) -> dict[str, Any]:
        """Degraded while a source fails, as it last did, or rows of tables are refused."""
        failing = [source.name for source in self._lookup.sources if source.is_failing]
        document: dict[str, Any] = {
            "failing_sources": failing,
            "rejected_rows": sum(folder.rejected for folder in self._lookup.folders),
            "waiting": len(self._freezes.waiting()),
        }
        if self._troubles:
            document["trouble"] = ", ".join(f"{k}: {v}" for k, v in self._troubles.items())
        if failing or self._troubles:
            document["status"] = "degraded"
        return document

    def figures(self) -> Iterable[Metric]:
        """None beside the requests."""
        return ()

    def routes(self) -> list[Route]:
        v1 = "/api/1.0"
        read, act = Role.READER, Role.OPERATOR
        sample = f"{v1}/samples/{{sample}}"
        attempt = "{run}/{attempt}"
        return [
            Route("GET", f"{v1}/samples", self._list, read, "the samples known so far, by name",
                  query=SamplesQuery),
            Route("GET", sample, self._get, read, "what is known of a sample now"),
            Route("GET", f"{sample}/versions", self._versions, read, "all that was known of it"),
            Route("GET", f"{v1}/sources", self._sources, read,
                  "the sources, their last errors and what is refused"),
            Route("POST", f"{v1}/freeze/{attempt}", self._freeze, act,
                  "settle the records by which an attempt goes", body=FreezeRequest),
            Route("GET", f"{v1}/frozen/{attempt}", self._frozen, read,
                  "the records by which an attempt goes"),
            Route("POST", f"{v1}/thaw/{attempt}", self._thaw, act,
                  "give up records by which an attempt goes", body=ThawRequest),
            Route("GET", f"{v1}/waiting", self._waiting, read, "attempts that lack metadata"),
        ]  # fmt: skip

    def _list(self, call: Call) -> Reply:
        query: SamplesQuery = call.query
        found = self._samples.page(query.project, query.after, query.limit)
        more = found[-1].sample if len(found) == query.limit else None
        return Reply({"samples": [one.document() for one in found], "next": more})

    async def _get(self, call: Call) -> Reply:
        sample = require_identifier(call.path["sample"], "sample")
        outcome = (await self._lookup.look([sample]))[sample]
        if isinstance(outcome, Found):
            with self._store.transaction():
                self._samples.put(outcome)
        newest = self._samples.newest(sample)
        if isinstance(outcome, Found):
            assert newest is not None
            return Reply({**newest.document(), "known": True, "trouble": None})
        if newest is None and outcome.code == UNKNOWN:
            raise NotFoundError(
                outcome.reason, code=UNKNOWN, hint="arteriole metadata sources tells how they are"
            )
        if newest is None:
            raise SourceError(
                outcome.reason, code=outcome.code, hint="arteriole metadata sources tells more"
            )
        trouble = {"code": outcome.code, "message": outcome.reason}
        return Reply({**newest.document(), "known": False, "trouble": trouble})

    def _versions(self, call: Call) -> Reply:
        sample = require_identifier(call.path["sample"], "sample")
        versions = self._samples.versions(sample)
        if not versions:
            raise NotFoundError(f"nothing was known of {sample} so far", code=UNKNOWN)
        return Reply({"sample": sample, "versions": [one.document() for one in versions]})

    def _sources(self, _: Call) -> Reply:
        return Reply({"sources": [source.document() for source in self._lookup.sources]})

    async def _freeze(self, call: Call) -> Reply:
        body: FreezeRequest = call.body
        return Reply(await self._freezer.freeze(_attempt(call), body.samples))

    def _frozen(self, call: Call) -> Reply:
        return Reply(self._freezes.document(_attempt(call)))

    def _thaw(self, call: Call) -> Reply:
        body: ThawRequest = call.body
        attempt = _attempt(call)
        self._freezes.thaw(attempt, body.samples, body.reason, call.identity.name)
        return Reply(self._freezes.document(attempt))

    def _waiting(self, _: Call) -> Reply:
        return Reply({"waiting": self._freezes.waiting()})


def _attempt(call: Call) -> Attempt:
    run, number = require_identifier(call.path["run"], "run"), call.path["attempt"]
    if not (number.isascii() and number.isdigit() and len(number) < 5 and int(number) > 0):
        raise InvalidError(
            f"attempt: expected a number from 1 to 9999, found {number[:40]!r}", field="attempt"
        )
    return run, int(number)
