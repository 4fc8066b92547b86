"""The column `run.state`, by which runs are found without reading all of them.

The state of a run is told by `Run.state` and nowhere else; the column repeats it. SQLite itself
notes each run of which a row changed, in whatever table; before the transaction ends their states
are computed again and written. So the column cannot be older than what it follows from.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from arteriole.app.store import Store
from arteriole.runfolder.parts import Parts

#: So many runs are computed at once when a store is opened.
_AT_ONCE = 500

#: All that the state of a run needs of its row; what is long is left out.
_LEAN = (
    "id, name, path, first_seen, adopted, verdict, verdict_since, '' AS code, '' AS message,"
    " '' AS hint, '{}' AS evidence, '{}' AS metadata, arteria_state, attempt, '{}' AS plan,"
    " claimed_by, instrument, NULL AS metrics, waiver, state"
)

_CHANGED = "CREATE TEMP TABLE IF NOT EXISTS changed (run INTEGER PRIMARY KEY)"

#: A hold changes what could begin; no other state depends on it (see Run.state).
_HELD = (
    "SELECT id FROM run WHERE state IN ('ready', 'pending', 'started')"
    " AND ({row}.scope != 'run' OR name = {row}.name)"
)

#: Table, deed, and the runs whose state may be another then.
_NOTED = [
    ("run", "INSERT", "SELECT new.id"),
    ("run", "UPDATE", "SELECT new.id"),
    *(
        (table, deed, f"SELECT {row}.run")
        for table in ("stage", "attempt", "abort", "lease")
        for deed, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old"))
    ),
    *(
        ("hold", deed, _HELD.format(row=row))
        for deed, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old"))
    ),
]


class StateIndex:
    """Keeps `run.state` of `store` as `Run.state` tells it.

    All are computed anew when a store is opened by other code than the one that computed them.

    NB: a row is changed inside a transaction of the store, else it is noted but not written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        store.execute(_CHANGED)
        for table, deed, runs in _NOTED:
            store.execute(
                f"CREATE TEMP TRIGGER IF NOT EXISTS changed_{table}_{deed} AFTER {deed} ON {table}"
                f" BEGIN INSERT OR IGNORE INTO changed (run) {runs}; END"
            )
        store.before_commit = self.settle
        if (row := store.row("SELECT states_by FROM store")) is None or row[0] != _code():
            self._compute_all()

    def settle(self) -> None:
        """Write the states of the runs that were changed; NB: inside a transaction."""
        changed = [row["run"] for row in self._store.rows("SELECT run FROM changed")]
        if changed:
            self._compute(changed)
            self._store.execute("DELETE FROM changed")

    def _compute_all(self) -> None:
        """What a state follows from may be told otherwise by this version than by the last."""
        ids = [row["id"] for row in self._store.rows("SELECT id FROM run ORDER BY id")]
        with self._store.transaction():
            for start in range(0, len(ids), _AT_ONCE):
                self._compute(ids[start : start + _AT_ONCE])
            self._store.execute("UPDATE store SET states_by = ?", (_code(),))
            self._store.execute("DELETE FROM changed")

    def _compute(self, ids: list[int]) -> None:
        parts = Parts(self._store, ids)
        rows = self._store.rows(
            f"SELECT {_LEAN} FROM run WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608  columns of this module
            (json.dumps(ids),),
        )
        for row in rows:
            state = parts.run(row).state.value
            if state != row["state"]:
                self._store.execute("UPDATE run SET state = ? WHERE id = ?", (state, row["id"]))


@cache
def _code() -> str:
    """A digest of this package: a state may follow from anything in it."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
