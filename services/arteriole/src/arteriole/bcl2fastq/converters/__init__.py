"""The converters, a module each, found by the module's name.

A module has a `converter`, or `using`, which makes one of the settings of its tool.
"""

import importlib
import pkgutil

from arteriole.bcl2fastq.converters.conversion import (
    IGNORABLE,
    MERGED,
    UNDETERMINED,
    WAIVABLE_RULES,
    Announcement,
    ConversionError,
    ConversionRequest,
    ConversionResult,
    Converter,
    FastqFile,
    Options,
    Progress,
    SampleReads,
    waived_for,
)
from arteriole.bcl2fastq.tool_settings import ToolSettings

__all__ = [
    "IGNORABLE",
    "MERGED",
    "UNDETERMINED",
    "WAIVABLE_RULES",
    "Announcement",
    "ConversionError",
    "ConversionRequest",
    "ConversionResult",
    "Converter",
    "FastqFile",
    "Options",
    "Progress",
    "SampleReads",
    "find",
    "names",
    "waived_for",
]

_NOT_CONVERTERS = {"conversion"}


def names() -> tuple[str, ...]:
    """The names of all converters."""
    modules = {module.name for module in pkgutil.iter_modules(__path__)}
    return tuple(sorted(modules - _NOT_CONVERTERS))


def find(name: str, tool: ToolSettings | None = None) -> Converter:
    """The converter called `name`.

    Raises:
        ConversionError: there is none, or it needs a `tool`.
    """
    if name not in names():
        raise ConversionError(
            f"there is no converter {name[:40]!r}",
            hint="known are: " + ", ".join(names()),
            field="converter",
            code="convert.unknown_converter",
        )
    module = importlib.import_module(f"{__name__}.{name}")
    converter: Converter = module.using(tool) if hasattr(module, "using") else module.converter
    return converter
