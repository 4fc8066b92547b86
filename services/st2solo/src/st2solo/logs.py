"""The log: lines for people or machines, with the execution and the trace that they tell of."""

import logging
from typing import Any

import structlog

from st2solo.statuses import COMPLETED

_LOG = logging.getLogger(__name__)


def configure(level: str, form: str) -> None:
    """Write the log to the standard error, as `text` or as `json`, one object a line."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if form == "json":
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last += [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


def execution_changed(execution: dict[str, Any]) -> None:
    """Log where an execution stands; `execution` is its document."""
    status = execution["status"]
    level = logging.INFO if status in COMPLETED or status == "requested" else logging.DEBUG
    if not _LOG.isEnabledFor(level):
        return
    told = {"execution_id": execution["id"], "action": execution["action"]["ref"]}
    told |= {"user": (execution.get("context") or {}).get("user")}
    trace = (execution.get("context") or {}).get("trace_context") or {}
    told |= {"trace_tag": trace.get("trace_tag"), "parent": execution.get("parent")}
    told |= {"rule": (execution.get("rule") or {}).get("ref")}
    told |= {"seconds": execution.get("elapsed_seconds")}
    _LOG.log(level, "execution %s", status, extra={k: v for k, v in told.items() if v is not None})
