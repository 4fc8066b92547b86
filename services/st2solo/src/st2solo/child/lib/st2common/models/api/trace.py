"""`TraceContext`, which sensors hand to `dispatch_with_context`.

Source: st2common/models/api/trace.py of StackStorm 3.9.
"""

from __future__ import annotations


class TraceContext:
    """What an event is to be found by: the tag of a trace."""

    def __init__(self, id_: str | None = None, trace_tag: str | None = None) -> None:
        self.id_ = id_
        self.trace_tag = trace_tag

    def __str__(self) -> str:
        return f"{{id_: {self.id_}, trace_tag: {self.trace_tag}}}"
