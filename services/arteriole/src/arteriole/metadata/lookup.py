"""The sources in their order: the first that knows a sample tells of it."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from arteriole.app.errors import ArterioleError
from arteriole.app.names import require_identifier
from arteriole.metadata.errors import SourceError
from arteriole.metadata.record import Entry
from arteriole.metadata.sources.csv_folder import CsvFolder
from arteriole.metadata.sources.source import AT_ONCE, Source

UNKNOWN = "metadata.unknown"


@dataclass(frozen=True)
class Found:
    entry: Entry
    source: str
    #: When the source said so, on the monotonic clock.
    said: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Missing:
    """Why nothing is known of a sample."""

    code: str
    reason: str


Outcome = Found | Missing


class Lookup:
    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self.folders = [source for source in sources if isinstance(source, CsvFolder)]
        self._asking: set[asyncio.Task[dict[str, Outcome]]] = set()
        self._is_stopped = False

    async def look(self, samples: Iterable[str]) -> dict[str, Outcome]:
        """What the sources say of each sample now.

        A source that is down is not asked for the others too.

        Raises:
            SourceError: the service was stopped meanwhile.
        """
        task = asyncio.create_task(self._look_at_all(list(dict.fromkeys(samples))))
        self._asking.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._is_stopped:  # NB: an error is told; what is cancelled is logged with its path
                raise SourceError("the service is being stopped", hint="ask again") from None
            raise
        finally:
            self._asking.discard(task)

    async def stop(self) -> None:
        self._is_stopped = True
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _look_at_all(self, names: list[str]) -> dict[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        down: dict[str, SourceError] = {}
        rest = iter(names)

        async def work() -> None:
            for name in rest:
                outcomes[name] = await self._look(name, down)

        await asyncio.gather(*(work() for _ in range(min(AT_ONCE, len(names)))))
        return {name: outcomes[name] for name in names}

    async def _look(self, sample: str, down: dict[str, SourceError]) -> Outcome:
        try:
            require_identifier(sample, "sample")
        except ArterioleError as err:
            return Missing(err.code, str(err))
        for source in self.sources:
            try:
                if source.name in down:
                    raise down[source.name]
                entry = await source.find(sample)
            except SourceError as err:
                if err.is_down:
                    down[source.name] = err
                return Missing(err.code, f"{source.name}: {err}")
            if entry is not None:
                return Found(entry, source.name)
        asked = ", ".join(source.name for source in self.sources)
        return Missing(UNKNOWN, f"no source knows it ({asked})")

    def at_hand(self, sample: str) -> Found | None:
        """What the folders say that come before every source that has to be asked."""
        for source in self.sources:
            if not isinstance(source, CsvFolder):
                return None
            try:
                entry = source.answer(sample)
            except SourceError:
                return None
            if entry is not None:
                return Found(entry, source.name)
        return None

    def is_in_a_folder(self, sample: str) -> bool:
        """Whether a folder knows it, so that it is worth asking."""
        return any(folder.has(sample) for folder in self.folders)
