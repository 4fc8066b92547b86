"""The command line of a conversion, as words.

The options are those that `bcl2fastq --help` of 2.20 lists.
"""

from arteriole.bcl2fastq.converters.builtin.plan import Plan
from arteriole.bcl2fastq.converters.conversion import ConversionRequest, Options

#: Threads that read and threads that write are 4 by default.
FEW = 4
#: Those of ConversionRequest.ignore that are options of bcl2fastq; the others are ours.
IGNORED = ("missing-bcls", "missing-filter", "missing-positions")


def arguments(plan: Plan, request: ConversionRequest) -> list[str]:
    """What follows the program's name."""
    few = min(FEW, request.threads)
    return [
        # The run folder, which holds Data/Intensities/BaseCalls; `--input-dir` follows from it.
        *("--runfolder-dir", str(request.run_dir)),
        # Where FASTQs go, and by default the folders Stats and Reports.
        *("--output-dir", str(request.out_dir)),
        # NB: by default InterOp of the run folder, into which nothing is to be written.
        *("--interop-dir", str(request.out_dir / "InterOp")),
        *("--sample-sheet", str(request.sheet)),
        # 0, 1 or 2; a value an index with commas between, the last one holds for the rest.
        *("--barcode-mismatches", mismatches(plan, request)),
        *("--loading-threads", str(few)),
        *("--processing-threads", str(request.threads)),
        # Not more than there are samples.
        *("--writing-threads", str(min(few, _samples(plan)))),
        # Missing or damaged: N for a call, passed for a filter, made-up positions.
        *(f"--ignore-{sort}" for sort in IGNORED if sort in request.ignore),
        # NONE, FATAL, ERROR, WARNING, INFO, DEBUG or TRACE.
        *("--min-log-level", "INFO"),
        *_asked(request.options),
    ]


def _asked(options: Options) -> list[str]:
    """The options that were asked for; masks may be said several times, one a lane."""
    words = [
        f"--{field.replace('_', '-')}"
        for field in ("no_lane_splitting", "create_fastq_for_index_reads")
        if getattr(options, field)
    ]
    if options.tiles:
        words += ["--tiles", ",".join(options.tiles)]
    for mask in options.use_bases_mask:
        words += ["--use-bases-mask", mask]
    for field in ("minimum_trimmed_read_length", "mask_short_adapter_reads"):
        value = getattr(options, field)
        if value is not None:
            words += [f"--{field.replace('_', '-')}", str(value)]
    return [*words, *options.words]


def mismatches(plan: Plan, request: ConversionRequest) -> str:
    """One value for all indexes where they do not differ, else one an index."""
    indexes = max(1, len(plan.run_info.index_reads))
    values = [str(allowed) for allowed in request.barcode_mismatches[:indexes]]
    return values[0] if len(set(values)) == 1 else ",".join(values)


def _samples(plan: Plan) -> int:
    ids = {sample.sample_id for lane in plan.lanes for sample in lane.samples}
    return max(1, len(ids))
