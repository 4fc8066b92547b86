"""What every source of metadata can do."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from arteriole.app import times
from arteriole.metadata.errors import SourceError
from arteriole.metadata.record import Entry, FlawedError, read_record

#: Largest answer about one sample, in bytes.
ANSWER_LIMIT = 1024 * 1024
#: So many samples are asked for at once.
AT_ONCE = 4


class Source(Protocol):
    name: str
    kind: str

    async def find(self, sample: str) -> Entry | None:
        """What it says of `sample`; None only if it does not know it.

        Raises:
            SourceError: it cannot say.
        """
        ...

    @property
    def is_failing(self) -> bool:
        """Whether /health is to tell of it."""
        ...

    def document(self) -> dict[str, Any]:
        """For a person: `{name, kind, state, last_error, rejected, rejected_rows, ...}`."""
        ...


class Trouble:
    """The last error of a source, and whether it still stands."""

    def __init__(self) -> None:
        self.stands = False
        self._last: dict[str, str] | None = None

    def note(self, err: SourceError) -> None:
        self.stands = True
        self._last = {"time": times.now(), "code": err.code, "message": str(err)}

    def document(self) -> dict[str, Any]:
        return {"state": "failing" if self.stands else "ok", "last_error": self._last}


def read_answer(data: bytes, where: str) -> dict[str, Any]:
    """The JSON object that a source answered with.

    Raises:
        SourceError: it is none.
    """
    try:
        found = json.loads(data)
        json.dumps(found, ensure_ascii=False).encode()  # NB: JSON may hold half a character
    except (ValueError, RecursionError) as err:
        raise SourceError(f"{where}: expected a JSON object, found: {err}") from err
    if not isinstance(found, dict):
        raise SourceError(f"{where}: expected a JSON object, found {type(found).__name__}")
    return found


def entry_of(values: Mapping[str, Any], sample: str, where: str) -> Entry:
    """The record in an answer about `sample`; what is null there is as if it were not there.

    Raises:
        SourceError: it breaks the rules for records, or is another sample's.
    """
    given = {name: value for name, value in values.items() if value is not None}
    try:
        record = read_record({"sample": sample, **given}, where)
    except FlawedError as err:
        raise SourceError(str(err), code=err.code) from err
    if record.sample != sample:
        raise SourceError(
            f"{where}: sample: expected {sample}, found {record.sample}", code="metadata.record"
        )
    return record.entry()
