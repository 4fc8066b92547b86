"""RunInfo.xml, the sample sheet and the small files that are there from the start.

Their elements follow run folders of a HiSeq X (HCS 3.3), a MiSeq (MCS 4.0) and those that `kinds`
cites.
"""

from arteriole.simulator.clock import american, at_cycle, day
from arteriole.simulator.instruments import Dates, Generation, Kind
from arteriole.simulator.plan import RunPlan, Sample
from arteriole.simulator.xml import NAMESPACES, Element, add, document, texts


def run_info(plan: RunPlan) -> str:
    """RunInfo.xml; MiSeq and HiSeq 2500 do not list the tiles."""
    instrument = plan.instrument
    names = NAMESPACES if instrument.run_info_dialect == "xsd" else {}
    root = Element("RunInfo", names | {"Version": str(instrument.run_info_version)})
    run = add(root, "Run", Id=plan.run, Number=str(plan.number))
    texts(run, (
        ("Flowcell", plan.flowcell),
        ("Instrument", plan.instrument_name),
        ("Date", _date(plan)),
    ))  # fmt: skip
    reads(run, "Read", plan)
    layout = add(run, "FlowcellLayout", **_layout(plan))
    if instrument.first_surface:
        naming = "FiveDigit" if instrument.cameras else "FourDigit"
        tiles = add(add(layout, "TileSet", TileNamingConvention=naming), "Tiles")
        texts(tiles, (("Tile", f"{lane}_{number}") for lane, number in _listed(plan)))
    if plan.kind is Kind.HISEQ2500:
        lanes = add(run, "AlignToPhiX")
        texts(lanes, (("Lane", str(lane)) for lane in range(1, plan.lanes + 1)))
    if plan.kind in (Kind.HISEQ4000, Kind.NOVASEQ6000):
        add(run, "AlignToPhiX")
    if instrument.image:
        width, height = map(str, instrument.image)
        add(run, "ImageDimensions", Width=width, Height=height)
    if instrument.channels:
        texts(add(run, "ImageChannels"), (("Name", name) for name in instrument.channels))
    return document(root)


def _date(plan: RunPlan) -> str:
    start = at_cycle(plan, 0)
    match plan.instrument.dates:
        case Dates.AMERICAN:
            return american(start)
        case Dates.ISO:
            return f"{start:%Y-%m-%dT%H:%M:%SZ}"
        case Dates.SHORT:
            return day(plan)


def _layout(plan: RunPlan) -> dict[str, str]:
    counts = {
        "LaneCount": plan.lanes,
        "SurfaceCount": plan.surfaces,
        "SwathCount": plan.swaths,
        "TileCount": plan.tiles,
    }
    if plan.instrument.cameras:
        counts["SectionPerLane"] = plan.instrument.cameras
        counts["LanePerSection"] = plan.instrument.lanes_per_section
    if plan.kind is Kind.NOVASEQ6000:
        counts["FlowcellSide"] = 1 + "AB".index(plan.name_parts[3])
    return {name: str(count) for name, count in counts.items()}


def _listed(plan: RunPlan) -> list[tuple[int, int]]:
    """The tiles in the order of RunInfo.xml: some begin each lane with the second surface."""
    first = str(min(plan.instrument.first_surface, plan.surfaces))
    return sorted(plan.all_tiles, key=lambda tile: (tile[0], str(tile[1])[0] != first, tile[1]))


def reads(parent: Element, tag: str, plan: RunPlan) -> None:
    """The reads of the run as children of a `Reads` element."""
    above = add(parent, "Reads")
    for number, read in enumerate(plan.reads, start=1):
        flags = {"IsIndexedRead": read.is_index}
        if plan.instrument.reverse_complement:
            flags["IsReverseComplement"] = read.is_reverse_complement
        words = {name: "Y" if flag else "N" for name, flag in flags.items()}
        add(above, tag, Number=str(number), NumCycles=str(read.cycles), **words)


_SHEET_APPLICATIONS = {
    Kind.HISEQ4000: "HiSeq FASTQ Only",
    Kind.HISEQ2500: "HiSeq FASTQ Only",
    Kind.NEXTSEQ500: "NextSeq FASTQ Only",
    Kind.NOVASEQ6000: "NovaSeq FASTQ Only",
}


def sample_sheet(plan: RunPlan) -> str:
    """A version 1 (IEM) sheet without adapters; a Lane column only where a sample names lanes."""
    application = _SHEET_APPLICATIONS.get(plan.kind, "FASTQ Only")
    with_lane = any(sample.lanes for sample in plan.samples)
    dual = len(plan.index_lengths) == 2
    columns = ["Lane"] * with_lane + ["Sample_ID", "Sample_Name", "I7_Index_ID", "index"]
    columns += ["I5_Index_ID", "index2"] * dual + ["Sample_Project", "Description"]
    lines: list[list[str]] = [
        ["[Header]"],
        ["IEMFileVersion", "4"],
        ["Experiment Name", plan.flowcell],
        ["Date", american(at_cycle(plan, 0)).partition(" ")[0]],
        ["Workflow", "GenerateFASTQ"],
        ["Application", application],
        ["Chemistry", "Amplicon" if dual else "Default"],
        [],
        ["[Reads]"],
        *([str(end - start)] for start, end in plan.spans_of(is_index=False)),
        [],
        ["[Settings]"],
        [],
        ["[Data]"],
        columns,
        *(
            [str(lane)] * with_lane + _sheet_row(place, sample, dual)
            for place, sample in enumerate(plan.samples, start=1)
            for lane in (sample.lanes or range(1, plan.lanes + 1) if with_lane else (0,))
        ),
    ]
    return "".join(",".join(line + [""] * (len(columns) - len(line))) + "\r\n" for line in lines)


def _sheet_row(place: int, sample: Sample, dual: bool) -> list[str]:
    second = [f"S5{place:02d}", sample.i5] if dual else []
    return [sample.id, sample.name, f"N7{place:02d}", sample.i7, *second, sample.project, ""]


def start_files(plan: RunPlan) -> dict[str, str]:
    """Names and texts of what else stands in the folder before the first cycle."""
    if plan.instrument.generation in (Generation.RTA3, Generation.RTA4):
        return {}
    configuration = rta_configuration(plan)
    if plan.kind is Kind.NEXTSEQ500:
        return {"RTAConfiguration.xml": configuration}
    return {
        "Config/RTAStart.log": rta_start_log(plan),
        "Data/Intensities/RTAConfiguration.xml": configuration,
    }


def rta_configuration(plan: RunPlan) -> str:
    """RTAConfiguration.xml: what matters of it."""
    root = Element("Configuration", NAMESPACES)
    texts(add(root, "Processing"), (("FilterAndAlignCycle", str(plan.filter_cycle)),))
    return document(root)


def rta_start_log(plan: RunPlan) -> str:
    """Config/RTAStart.log: how the control software started the base caller."""
    folder = f"O:\\Illumina\\HiSeqTemp\\{plan.run}"
    return (
        f"title RTA {plan.instrument.rta_version} - {folder}\r\n"
        'pushd "C:\\Illumina\\RTA"\r\n'
        f'"C:\\Illumina\\RTA\\RTA.exe"  "{folder}"  outputfolder="Z:\\runs"\r\n'
    )
