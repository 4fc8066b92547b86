"""The text files of a run folder, as the instrument's software writes them.

Their elements follow run folders of a HiSeq X (HCS 3.3) and a MiSeq (MCS 4.0).
"""

from collections.abc import Iterable
from xml.etree import ElementTree

from arteriole.simulator.clock import american, at_cycle
from arteriole.simulator.instruments import Generation, Kind
from arteriole.simulator.plan import RunPlan, Sample

Element = ElementTree.Element
_NAMESPACES = {
    "xmlns:xsd": "http://www.w3.org/2001/XMLSchema",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}


def run_info(plan: RunPlan) -> str:
    """RunInfo.xml; only RTA 2 lists the tiles."""
    version = str(plan.instrument.run_info_version)
    root = Element("RunInfo", _NAMESPACES | {"Version": version})
    run = ElementTree.SubElement(root, "Run", Id=plan.run, Number=str(plan.number))
    _texts(run, (
        ("Flowcell", plan.flowcell),
        ("Instrument", plan.instrument_name),
        ("Date", plan.name_parts[0]),
    ))  # fmt: skip
    _reads(run, "Read", plan)
    layout = ElementTree.SubElement(
        run,
        "FlowcellLayout",
        LaneCount=str(plan.lanes),
        SurfaceCount=str(plan.surfaces),
        SwathCount=str(plan.swaths),
        TileCount=str(plan.tiles),
    )
    if plan.instrument.tile_set:
        tile_set = ElementTree.SubElement(layout, "TileSet", TileNamingConvention="FourDigit")
        tiles = ElementTree.SubElement(tile_set, "Tiles")
        _texts(tiles, (("Tile", f"{lane}_{number}") for lane, number in plan.all_tiles))
    if plan.kind is Kind.HISEQ2500:
        lanes = ElementTree.SubElement(run, "AlignToPhiX")
        _texts(lanes, (("Lane", str(lane)) for lane in range(1, plan.lanes + 1)))
    if plan.kind is Kind.HISEQ4000:
        ElementTree.SubElement(run, "AlignToPhiX")
        ElementTree.SubElement(run, "ImageDimensions", Width="3188", Height="7241")
        _texts(ElementTree.SubElement(run, "ImageChannels"), (("Name", base) for base in "AGTC"))
    return _document(root)


def run_parameters(plan: RunPlan) -> str:
    """RunParameters.xml of a MiSeq, runParameters.xml of a HiSeq."""
    if plan.kind is Kind.MISEQ:
        return _miseq_parameters(plan)
    return _hiseq_parameters(plan)


def _hiseq_parameters(plan: RunPlan) -> str:
    root = Element("RunParameters", _NAMESPACES)
    setup = ElementTree.SubElement(root, "Setup")
    templates = [read.cycles for read in plan.reads if not read.is_index] + [0]
    indexes = [*plan.index_lengths, 0]
    _texts(setup, (
        ("ExperimentName", plan.flowcell),
        ("ScanID", "-999"),
        ("FCPosition", plan.name_parts[3]),
        ("WorkFlowType", "DUALINDEX" if indexes[1] else "SINGLEINDEX"),
        ("Read1", str(templates[0])),
        ("IndexRead1", str(indexes[0])),
        ("IndexRead2", str(indexes[1])),
        ("Read2", str(templates[1])),
        ("OutputFolder", "Z:\\runs"),
        *_chemistry(plan),
        ("ApplicationName", "HiSeq Control Software"),
        ("ApplicationVersion", plan.instrument.application_version),
        ("RunID", plan.run),
        ("RunStartDate", plan.name_parts[0]),
        ("ScannerID", plan.instrument_name),
        ("ScanNumber", str(plan.number)),
        ("ComputerName", f"HISEQ-{plan.instrument_name}"),
        ("RTAVersion", plan.instrument.rta_version),
        ("Barcode", plan.flowcell),
        ("SelectedSurface", "BothLaneSurfaces" if plan.surfaces == 2 else "TopLaneSurface"),
        ("NumTilesPerSwath", str(plan.tiles)),
        ("NumSwaths", str(plan.swaths)),
    ))  # fmt: skip
    _reads(setup, "Read", plan)
    _texts(root, (("Version", "1"),))
    return _document(root)


def _chemistry(plan: RunPlan) -> tuple[tuple[str, str], ...]:
    if plan.kind is Kind.HISEQ4000:
        paired = "PE" if len(plan.spans_of(is_index=False)) == 2 else "SR"
        return (
            ("Flowcell", f"HiSeq 3000/4000 {paired}"),
            ("Sbs", "HiSeq 3000/4000 SBS"),
            ("ChemistryVersion", "Illumina,Bruno Fluidics Controller,0,v2.0420"),
        )
    return (
        ("CompressBcls", "true"),
        ("RemapQScores", "v8RRv2bins"),
        ("Flowcell", "HiSeq Rapid Flow Cell v2"),
        ("Sbs", "HiSeq Rapid SBS Kit v2"),
        ("RunMode", "RapidRun"),
    )


def _miseq_parameters(plan: RunPlan) -> str:
    version = plan.instrument.application_version
    root = Element("RunParameters", _NAMESPACES)
    _texts(root, (("RunParametersVersion", "MiSeq_1_1"),))
    tag = ElementTree.SubElement(root, "FlowcellRFIDTag")
    _texts(tag, (("SerialNumber", plan.flowcell), ("PartNumber", "15028382")))
    tag = ElementTree.SubElement(root, "ReagentKitRFIDTag")
    _texts(tag, (("SerialNumber", f"MS{plan.number:07d}-300V2"), ("PartNumber", "15033572")))
    setup = ElementTree.SubElement(root, "Setup")
    _texts(setup, (
        ("SupportMultipleSurfacesInUI", "true"),
        ("ApplicationVersion", version),
        ("NumTilesPerSwath", str(plan.tiles)),
        ("NumSwaths", str(plan.swaths)),
        ("NumLanes", str(plan.lanes)),
        ("ApplicationName", "MiSeq Control Software"),
    ))  # fmt: skip
    _texts(root, (
        ("RunID", plan.run),
        ("ScannerID", plan.instrument_name),
        ("RunNumber", str(plan.number)),
        ("MCSVersion", version),
        ("RTAVersion", plan.instrument.rta_version),
        ("Barcode", plan.flowcell),
        ("ReagentKitVersion", "Version2"),
        ("ExperimentName", plan.flowcell),
        ("Chemistry", "Amplicon"),
    ))  # fmt: skip
    _reads(root, "RunInfoRead", plan)
    _texts(root, (
        ("RunStartDate", plan.name_parts[0]),
        ("SurfaceToScan", "Both" if plan.surfaces == 2 else "Top"),
        ("ModuleName", "GenerateFASTQ"),
    ))  # fmt: skip
    return _document(root)


def sample_sheet(plan: RunPlan) -> str:
    """A version 1 (IEM) sheet without adapters; a Lane column only where a sample names lanes."""
    application = "FASTQ Only" if plan.kind is Kind.MISEQ else "HiSeq FASTQ Only"
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


def rta_configuration(plan: RunPlan) -> str:
    """RTAConfiguration.xml: what matters of it."""
    root = Element("Configuration", _NAMESPACES)
    processing = ElementTree.SubElement(root, "Processing")
    _texts(processing, (("FilterAndAlignCycle", str(plan.filter_cycle)),))
    return _document(root)


def rta_start_log(plan: RunPlan) -> str:
    """Config/RTAStart.log: how the control software started the base caller."""
    folder = f"O:\\Illumina\\HiSeqTemp\\{plan.run}"
    return (
        f"title RTA {plan.instrument.rta_version} - {folder}\r\n"
        'pushd "C:\\Illumina\\RTA"\r\n'
        f'"C:\\Illumina\\RTA\\RTA.exe"  "{folder}"  outputfolder="Z:\\runs"\r\n'
    )


def read_markers(plan: RunPlan, number: int, cycle: int) -> dict[str, str]:
    """Names and texts of the files that say that read `number` is done."""
    time = american(at_cycle(plan, cycle))
    if plan.instrument.generation is Generation.RTA2:
        return {f"RTARead{number}Complete.txt": f"Read {number} complete {time}"}
    text = f"{time.replace(' ', ',', 1)},Illumina RTA {plan.instrument.rta_version}\r\n"
    steps = "ImageAnalysis", "Basecalling"
    return {f"{step}_Netcopy_complete_Read{number}.txt": text for step in steps}


def run_markers(plan: RunPlan) -> dict[str, str]:
    """Names and texts of the files that say that the run is done, the decisive one last.

    None of these instruments writes CopyComplete.txt.
    """
    time = american(at_cycle(plan, plan.cycles + 2))
    version = plan.instrument.rta_version
    if plan.instrument.generation is Generation.RTA2:
        position = plan.name_parts[3]
        return {
            "RTAComplete.txt": f"RTA {version} completed on {time}\r\n",
            "SequencingComplete.txt": (
                f"Sequencing for flowcell {position} completed on {time}\r\n"
            ),
        }
    text = f"{time.replace(' ', ',', 1)},Illumina RTA {version}\r\n"
    names = "ImageAnalysis_Netcopy_complete", "Basecalling_Netcopy_complete", "RTAComplete"
    return {f"{name}.txt": text for name in names}


def _reads(parent: Element, tag: str, plan: RunPlan) -> None:
    reads = ElementTree.SubElement(parent, "Reads")
    for number, read in enumerate(plan.reads, start=1):
        ElementTree.SubElement(
            reads,
            tag,
            Number=str(number),
            NumCycles=str(read.cycles),
            IsIndexedRead="Y" if read.is_index else "N",
        )


def _texts(parent: Element, pairs: Iterable[tuple[str, str]]) -> None:
    for tag, text in pairs:
        ElementTree.SubElement(parent, tag).text = text


def _document(root: Element) -> str:
    ElementTree.indent(root)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
