"""A program of the site that prints the record of one sample."""

import asyncio
from typing import Any

from arteriole.app import program
from arteriole.app.program import ProgramError
from arteriole.metadata.errors import SourceError
from arteriole.metadata.record import Entry
from arteriole.metadata.settings import PLACE, CommandSettings
from arteriole.metadata.sources.source import (
    ANSWER_LIMIT,
    AT_ONCE,
    Trouble,
    entry_of,
    read_answer,
)

#: Exit code of a program that does not know the sample; an empty object says the same.
UNKNOWN = 3


class CommandSource:
    """Runs a list of arguments, one of them the sample's name, without a shell."""

    kind = "command"

    def __init__(self, name: str, settings: CommandSettings) -> None:
        self.name = name
        self._settings = settings
        self._trouble = Trouble()
        self._turn = asyncio.Semaphore(AT_ONCE)

    @property
    def is_failing(self) -> bool:
        return self._trouble.stands

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "argv": self._settings.argv,
            **self._trouble.document(),
        }

    async def find(self, sample: str) -> Entry | None:
        try:
            async with self._turn:
                found = await self._ask(sample)
        except SourceError as err:
            self._trouble.note(err)
            raise
        self._trouble.stands = False
        return found

    async def _ask(self, sample: str) -> Entry | None:
        argv = [sample if part == PLACE else part for part in self._settings.argv]
        try:
            code, output, errors = await program.answer(argv, self._settings.timeout, ANSWER_LIMIT)
        except ProgramError as err:
            raise SourceError(f"{self._program}: {err}", is_down=err.is_down) from err
        if code == UNKNOWN:
            return None
        if code != 0:
            told = f": {errors}" if errors else ", and nothing on standard error"
            raise SourceError(
                f"{self._program}: expected exit code 0 or {UNKNOWN}, found {code}{told}"
            )
        values = read_answer(output, self._program)
        return entry_of(values, sample, self._program) if values else None

    @property
    def _program(self) -> str:
        return self._settings.argv[0]
