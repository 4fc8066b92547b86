"""The converters, a module each; the module's `converter` is found by the module's name."""

import importlib
import pkgutil

from arteriole.bcl2fastq.converters.conversion import (
    IGNORABLE,
    UNDETERMINED,
    Announcement,
    ConversionError,
    ConversionRequest,
    ConversionResult,
    Converter,
    FastqFile,
    Progress,
    SampleReads,
)

__all__ = [
    "IGNORABLE",
    "UNDETERMINED",
    "Announcement",
    "ConversionError",
    "ConversionRequest",
    "ConversionResult",
    "Converter",
    "FastqFile",
    "Progress",
    "SampleReads",
    "find",
    "names",
]

_NOT_CONVERTERS = {"conversion"}


def names() -> tuple[str, ...]:
    """The names of all converters."""
    modules = {module.name for module in pkgutil.iter_modules(__path__)}
    return tuple(sorted(modules - _NOT_CONVERTERS))


def find(name: str) -> Converter:
    """The converter called `name`.

    Raises:
        ConversionError: there is none.
    """
    if name not in names():
        raise ConversionError(
            f"there is no converter {name[:40]!r}",
            hint="known are: " + ", ".join(names()),
            field="converter",
            code="convert.unknown_converter",
        )
    module = importlib.import_module(f"{__name__}.{name}")
    converter: Converter = module.converter
    return converter
