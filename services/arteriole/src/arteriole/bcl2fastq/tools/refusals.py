"""What a converter does not do is refused by the name under which it was asked for."""

from collections.abc import Mapping
from dataclasses import fields

from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest, Options


def refuse_settings(asked: Mapping[str, bool], converter: str) -> None:
    """Raises ConversionError for the first that is asked for."""
    for name in (name for name, wanted in asked.items() if wanted):
        raise ConversionError(
            f"{name} is not for the converter {converter}",
            hint=f"leave out bcl2fastq.{name}, or convert with builtin",
            field=name,
            code="convert.option",
        )


def refuse_options(request: ConversionRequest, converter: str, others: str) -> None:
    """Raises ConversionError for any option of bcl2fastq; `others` are converters that have it."""
    for field in fields(Options):
        if getattr(request.options, field.name) != field.default:
            raise ConversionError(
                f"{field.name} is not for the converter {converter}",
                hint=f"leave it out, or convert with {others}",
                field=field.name,
                code="convert.option",
            )


def refuse_ignored(request: ConversionRequest, who: str, others: str, why: str = "") -> None:
    """Raises ConversionError for anything waived but samples without reads."""
    for sort in sorted(request.ignore - {"empty-samples"}):
        raise ConversionError(
            f"{who} cannot ignore {sort[:40]}{why}",
            hint=f"convert with {others}",
            field="ignore",
            code="convert.ignore",
        )
