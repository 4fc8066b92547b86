"""The sheet that BCL Convert gets: of version 2, made of the run's sheet, whatever that is.

BCL Convert ends where a sheet of version 2 has a setting that it does not know, and goes on without
it where one of version 1 has; so it never gets one of version 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin.plan import Plan
from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.bcl2fastq.tools import own_ids
from arteriole.bcl2fastq.tools.bclconvert_sheet import check_settings
from arteriole.illumina import index_orientation, index_sets, sheet_rendering, sheet_text
from arteriole.illumina.sheet_rendering import Rendering

#: Settings of samples, as columns (Illumina Knowledge 8935).
COLUMNS_SINCE = (4, 1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What there will be, and the text of the sheet by which BCL Convert writes it.

    Attributes:
        written: what it writes itself, with the names of its sheet.
        owners: for each Sample_ID of that the sample of the run's sheet; empty if they are the
            same.
    """

    plan: Plan
    written: Plan
    owners: Mapping[str, str]
    sheet: str

    @property
    def has_projects(self) -> bool:
        """Whether files lie in folders of projects."""
        return any(output.project for lane in self.plan.lanes for output in lane.samples)


def prepare(request: ConversionRequest, version: str) -> Prepared:
    """Check everything and write the sheet, into no file yet.

    Raises:
        ConversionError: something is refused, or would be lost.
        SampleSheetError, RunDataError: a file cannot be read.
    """
    source = index_sets.read(
        request.sheet, request.index_sets, request.run_dir, "bclconvert", request.index2
    )
    text = sheet_text.read(request.sheet.read_bytes())
    sheet = index_orientation.for_converter("bclconvert", source, request.run_dir, request.index2)
    plan = plans.make(request, check_settings, sheet, masked=False, several=True, lengths=True)
    own = own_ids.given(sheet)
    rendering = sheet_rendering.render(
        own.sheet,
        plan.run_info,
        2,
        mismatches=request.barcode_mismatches,
        trim=not request.ignore_adapters,
        source=text,
    )
    _refuse_losses(rendering, version)
    warnings = list(plan.warnings)
    turned = [one for one, other in zip(source.samples, sheet.samples, strict=True) if one != other]
    if turned:
        warnings.append(
            f"index2 of {len(turned)} rows is turned round for BCL Convert, from line"
            f" {turned[0].line} on"
        )
    if rendering.left_out:
        named = ", ".join(map(str, rendering.left_out))
        warnings.append(f"not in the sheet that BCL Convert gets: {named}")
    if not own.are_made:
        plan = replace(plan, warnings=tuple(warnings))
        return Prepared(plan, plan, {}, rendering.text)
    made = sum(name != owner for name, owner in own.owners.items())
    warnings.append(
        f"BCL Convert gets {made} rows under a Sample_ID such as"
        f" {next(name for name, owner in own.owners.items() if name != owner)}, as their samples"
        " have several indexes on a lane; what it writes of them is joined"
    )
    written = plans.make(request, check_settings, own.sheet, masked=False, lengths=True)
    return Prepared(
        replace(plan, warnings=tuple(warnings)),
        replace(written, warnings=()),
        own.owners,
        rendering.text,
    )


def _refuse_losses(rendering: Rendering, version: str) -> None:
    if rendering.losses:
        first = rendering.losses[0]
        raise ConversionError(
            f"{first} has no counterpart in BCL Convert, and reads would be others without it",
            hint="remove it, or convert with bcl2fastq",
            field=first.what.removeprefix("setting "),
            code="convert.setting",
        )
    if rendering.columns and _numbers(version) < COLUMNS_SINCE:
        raise ConversionError(
            f"samples differ in {', '.join(rendering.columns)}, which BCL Convert {version} takes"
            " for all samples alone",
            hint="use BCL Convert 4.1 or later",
            code="convert.setting",
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
