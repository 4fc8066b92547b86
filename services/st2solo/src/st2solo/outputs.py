"""What actions print, told while they run to those who listen for it.

The processes write into files; while somebody listens these are read, every now and then and once
more at the end. Documents have the fields of StackStorm's ActionExecutionOutputAPI
(st2common/models/api/execution.py), but one may hold several lines.
"""

import asyncio
import codecs
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from st2solo import clock
from st2solo.errors import NotFoundError
from st2solo.processes import Processes
from st2solo.records import Execution, Records

STREAMS = ("stdout", "stderr")
_LOOK_SECONDS = 0.2
#: Bytes of one stream that are told at once.
_AT_ONCE = 256 * 1024


class _Text:
    """One stream of a process, and how far it has been told."""

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        self._most = most
        self._told = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def skip(self) -> None:
        """Count what there is as told."""
        with suppress(FileNotFoundError):
            self._told = min(self._path.stat().st_size, self._most)

    def told(self) -> str:
        """What has been told."""
        return codecs.getincrementaldecoder("utf-8")("replace").decode(self._read(0, self._told))

    def next(self) -> str:
        """Some of what has not been told; nothing if there is no more yet."""
        data = self._read(self._told, min(self._most - self._told, _AT_ONCE))
        self._told += len(data)
        return self._decoder.decode(data)

    def _read(self, start: int, size: int) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                return file.read(size)
        except OSError:  # it has not begun, or it cannot be told
            return b""


class Outputs:
    """What executions print; of each stream at most so many bytes are told."""

    def __init__(self, records: Records, processes: Processes, most: int) -> None:
        self._records = records
        self._most = most
        self._processes = processes
        processes.before_removal = self._ending
        #: Called with each document.
        self.on_printed: list[Callable[[dict[str, Any]], None]] = []
        self._listening = 0
        self._texts: dict[str, dict[str, _Text]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def followed(self) -> Iterator[None]:
        """While this lasts, what is printed from now on is told."""
        if not self._listening:
            for execution_id in self._processes.watched():
                for text in self._of(execution_id).values():
                    text.skip()
            self._again()
        self._listening += 1
        try:
            yield
        finally:
            self._listening -= 1
            if not self._listening:
                self._texts.clear()
                if self._timer is not None:
                    self._timer.cancel()

    def so_far(self, execution_id: str) -> list[dict[str, Any]]:
        """What an execution has printed that will not be told any more, while it is followed.

        Raises:
            NotFoundError: there is no such execution.
        """
        execution = self._records.get(execution_id)
        if execution.completed:
            result = execution.result if isinstance(execution.result, dict) else {}
            texts = {name: str(result.get(name) or "") for name in STREAMS}
        else:
            followed = self._texts.get(execution.id, {})
            texts = {name: text.told() for name, text in followed.items()}
        return [_document(execution, name, text) for name, text in texts.items() if text]

    def _of(self, execution_id: str) -> dict[str, _Text]:
        if execution_id not in self._texts:
            folder = self._processes.folder(execution_id)
            texts = {name: _Text(folder / name, self._most) for name in STREAMS}
            self._texts[execution_id] = texts
        return self._texts[execution_id]

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._again()
        for execution_id in self._processes.watched():
            texts = self._of(execution_id).items()
            self._tell(execution_id, ((name, text.next()) for name, text in texts))

    def _ending(self, execution_id: str) -> None:
        """Tell the rest; called before the files are removed."""
        if self._listening:
            texts = self._of(execution_id).items()
            rest = ((name, more) for name, text in texts for more in iter(text.next, ""))
            with suppress(NotFoundError):
                self._tell(execution_id, rest)
        self._texts.pop(execution_id, None)

    def _tell(self, execution_id: str, printed: Iterable[tuple[str, str]]) -> None:
        execution = None
        for name, text in printed:
            if text:
                execution = execution or self._records.get(execution_id)
                for listener in self.on_printed:
                    listener(_document(execution, name, text))


def _document(execution: Execution, name: str, text: str) -> dict[str, Any]:
    return {
        "execution_id": execution.id,
        "action_ref": execution.action_ref,
        "runner_ref": execution.runner,
        "timestamp": clock.now(),
        "output_type": name,
        "data": text,
    }
