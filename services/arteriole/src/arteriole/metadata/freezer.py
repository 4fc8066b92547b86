"""Freezing an attempt's samples, and looking again for those that were missing."""

import asyncio
from collections.abc import Iterable
from typing import Any

from arteriole.metadata.freezes import Attempt, Freezes
from arteriole.metadata.lookup import Lookup


class Freezer:
    """One freeze of an attempt at a time; callers that ask for the same get the same."""

    def __init__(self, freezes: Freezes, lookup: Lookup) -> None:
        self._freezes = freezes
        self._lookup = lookup
        self._running: dict[Attempt, tuple[list[str], asyncio.Task[dict[str, Any]]]] = {}

    async def freeze(self, attempt: Attempt, samples: list[str]) -> dict[str, Any]:
        """Look for what is not frozen yet, freeze what is found, and tell how it stands.

        What was missing before is looked for too, so that nobody has to ask in one piece.
        """
        wanted = list(dict.fromkeys(samples))
        while (running := self._running.get(attempt)) is not None:
            same, task = running
            if same == wanted:
                return await asyncio.shield(task)
            await asyncio.wait([task])
        task = asyncio.create_task(self._freeze(attempt, wanted))
        self._running[attempt] = (wanted, task)
        task.add_done_callback(lambda _: self._running.pop(attempt))
        return await asyncio.shield(task)

    async def _freeze(self, attempt: Attempt, wanted: list[str]) -> dict[str, Any]:
        frozen = self._freezes.frozen(attempt)
        open_ = dict.fromkeys([*wanted, *self._freezes.lacking(attempt)])
        looked = await self._lookup.look(name for name in open_ if name not in frozen)
        self._freezes.freeze(attempt, looked)
        return self._freezes.document(attempt)

    async def look_again(self, *, in_folders: bool = False) -> None:
        """Look for samples that some attempt lacks; `in_folders`: for those a folder has."""
        names: Iterable[str] = self._freezes.unknown()
        if in_folders:
            names = [name for name in names if self._lookup.is_in_a_folder(name)]
        if looked := await self._lookup.look(names):
            self._freezes.looked(looked)

    async def stop(self) -> None:
        """What is not frozen yet is not: the caller asks again."""
        await self._lookup.stop()
        await asyncio.gather(*(task for _, task in self._running.values()), return_exceptions=True)
        await asyncio.sleep(0)  # those who asked are told before the loop ends
