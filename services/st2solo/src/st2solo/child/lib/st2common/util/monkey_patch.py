"""StackStorm's change of Python's modules for green threads, which st2solo does not need."""

from __future__ import annotations


def monkey_patch(patch_thread: bool | None = None) -> None:
    """Change nothing: threads are threads."""
