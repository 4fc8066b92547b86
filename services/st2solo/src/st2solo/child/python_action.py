"""Runs one Python action: the wrapper around `Action.run` in a process of its own.

What to run comes as JSON on the standard input: {pack, file_path, config, parameters, user,
log_level, result_path}. The result goes, by rename, to the file `result_path` as
{result, status}; the action's own output and log go where they always go. Standard library only,
Python 3.8 syntax.

Source: st2common/runners, python_action_wrapper.py of StackStorm 3.9.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    del sys.path[0]  # the folder of this file is no place to import from

import json
import os
import traceback

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any

_BAD_STATUS = 220


def _plain(value: Any) -> Any:
    """The value as JSON takes it; TypeError for what JSON has no form for."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value == value and value not in (float("inf"), float("-inf")) else None
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError("Dict key must be str")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if type(value).__module__ == "uuid":
        return str(value)
    raise TypeError("Type is not JSON serializable: " + type(value).__name__)


def _serialized(output: Any) -> dict[str, Any]:
    """(status, data) or data alone, as what StackStorm records."""
    if isinstance(output, tuple) and len(output) == 2:
        status, data = output
        if status is not None and not isinstance(status, bool):
            sys.stderr.write(
                "Status returned from the action run() method must either be True or False,"
                f" got: {status}\n"
            )
            sys.exit(_BAD_STATUS)
    else:
        status, data = None, output
    try:
        return {"result": _plain(data), "status": status}
    except TypeError:
        return {"result": str(data), "status": status}


def _write(path: str, document: dict[str, Any]) -> None:
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(document, file)
    os.replace(temporary, path)  # noqa: PTH105 - importing pathlib takes time


def _instance(job: dict[str, Any]) -> Any:
    from st2common.runners.loading import action_class
    from st2common.runners.service import ActionService
    from st2common.runners.utils import get_action_class_instance

    cls = action_class(job["file_path"])
    service = ActionService(job["pack"], cls.__name__, job["log_level"])
    return get_action_class_instance(cls, job["config"], service)


def main() -> None:
    job = json.loads(sys.stdin.read())
    try:
        output = _instance(job).run(**job["parameters"])
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    _write(job["result_path"], _serialized(output))


if __name__ == "__main__":
    main()
