"""RunParameters.xml of each kind of instrument: the elements that tell of the run.

Sources: those that `kinds` cites.
"""

from collections.abc import Callable

from arteriole.simulator.clock import day
from arteriole.simulator.documents import reads
from arteriole.simulator.instruments import Kind
from arteriole.simulator.plan import RunPlan
from arteriole.simulator.xml import NAMESPACES, Element, add, document, texts


def run_parameters(plan: RunPlan) -> str:
    """RunParameters.xml, which older HiSeqs call runParameters.xml: what identifies the run."""
    return _WRITERS[plan.kind](plan)


def _hiseq_parameters(plan: RunPlan) -> str:
    root = Element("RunParameters", NAMESPACES)
    setup = add(root, "Setup")
    templates, indexes = _cycles(plan)
    texts(setup, (
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
        ("ApplicationName", plan.instrument.application),
        ("ApplicationVersion", plan.instrument.application_version),
        ("RunID", plan.run),
        ("RunStartDate", day(plan)),
        ("ScannerID", plan.instrument_name),
        ("ScanNumber", str(plan.number)),
        ("ComputerName", f"HISEQ-{plan.instrument_name}"),
        ("RTAVersion", plan.instrument.rta_version),
        ("Barcode", plan.flowcell),
        ("SelectedSurface", "BothLaneSurfaces" if plan.surfaces == 2 else "TopLaneSurface"),
        ("NumTilesPerSwath", str(plan.tiles)),
        ("NumSwaths", str(plan.swaths)),
    ))  # fmt: skip
    reads(setup, "Read", plan)
    texts(root, (("Version", "1"),))
    return document(root)


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
    root = Element("RunParameters", NAMESPACES)
    texts(root, (("RunParametersVersion", "MiSeq_1_1"),))
    tag = add(root, "FlowcellRFIDTag")
    texts(tag, (("SerialNumber", plan.flowcell), ("PartNumber", "15028382")))
    tag = add(root, "ReagentKitRFIDTag")
    texts(tag, (("SerialNumber", f"MS{plan.number:07d}-300V2"), ("PartNumber", "15033572")))
    setup = add(root, "Setup")
    texts(setup, (
        ("SupportMultipleSurfacesInUI", "true"),
        ("ApplicationVersion", version),
        ("NumTilesPerSwath", str(plan.tiles)),
        ("NumSwaths", str(plan.swaths)),
        ("NumLanes", str(plan.lanes)),
        ("ApplicationName", plan.instrument.application),
    ))  # fmt: skip
    texts(root, (
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
    reads(root, "RunInfoRead", plan)
    texts(root, (
        ("RunStartDate", day(plan)),
        ("SurfaceToScan", "Both" if plan.surfaces == 2 else "Top"),
        ("ModuleName", "GenerateFASTQ"),
    ))  # fmt: skip
    return document(root)


def _nextseq500_parameters(plan: RunPlan) -> str:
    instrument = plan.instrument
    templates, indexes = _cycles(plan)
    root = Element("RunParameters", NAMESPACES)
    texts(root, (("RunParametersVersion", "NextSeq_1_1_4"),))
    setup = add(root, "Setup")
    texts(setup, (
        ("SupportMultipleSurfacesInUI", "true"),
        ("ApplicationVersion", instrument.application_version),
        ("ApplicationName", instrument.application),
        ("NumTilesPerSwath", str(plan.tiles)),
        ("NumSwaths", str(plan.swaths)),
        ("NumLanes", str(plan.lanes)),
        ("Read1", str(templates[0])),
        ("Read2", str(templates[1])),
        ("Index1Read", str(indexes[0])),
        ("Index2Read", str(indexes[1])),
        ("SectionPerLane", str(instrument.cameras)),
        ("LanePerSection", str(instrument.lanes_per_section)),
    ))  # fmt: skip
    texts(root, (
        ("RunID", plan.run),
        ("InstrumentID", plan.instrument_name),
        ("RunNumber", str(plan.number)),
        ("RTAVersion", instrument.rta_version),
        ("SystemSuiteVersion", instrument.application_version),
    ))  # fmt: skip
    texts(add(root, "FlowCellRfidTag"), (("SerialNumber", plan.flowcell),))
    texts(root, (
        ("FlowCellSerial", plan.flowcell),
        ("ReagentKitSerial", f"NS{plan.number:07d}-REAGT"),
        ("ExperimentName", plan.flowcell),
        ("Chemistry", "NextSeq High" if plan.swaths == 3 else "NextSeq Mid"),
        ("RunStartDate", day(plan)),
    ))  # fmt: skip
    return document(root)


def _novaseq6000_parameters(plan: RunPlan) -> str:
    instrument = plan.instrument
    templates, indexes = _cycles(plan)
    mode = "SP" if plan.lanes <= 2 else "S4"
    root = Element("RunParameters", NAMESPACES)
    texts(root, (
        ("Surface", "Both" if plan.surfaces == 2 else "Top"),
        ("ReadType", "PairedEnd" if templates[1] else "SingleRead"),
        ("Side", plan.name_parts[3]),
        ("Read1NumberOfCycles", str(templates[0])),
        ("Read2NumberOfCycles", str(templates[1])),
        ("IndexRead1NumberOfCycles", str(indexes[0])),
        ("IndexRead2NumberOfCycles", str(indexes[1])),
        ("RunNumber", str(plan.number)),
        ("RtaVersion", instrument.rta_version),
        ("ExperimentName", plan.flowcell),
    ))  # fmt: skip
    texts(add(root, "RfidsInfo"), (
        ("FlowCellSerialBarcode", plan.flowcell),
        ("FlowCellMode", mode),
        ("LibraryTubeSerialBarcode", f"NV{plan.number:07d}-LIB"),
        ("SbsSerialBarcode", f"NV{plan.number:07d}-RGSBS"),
        ("SbsConsumableVersion", "3"),
    ))  # fmt: skip
    texts(root, (
        ("RunStartDate", day(plan)),
        ("RunId", plan.run),
        ("InstrumentName", plan.instrument_name),
        ("PlatformType", "HighThroughput"),
        ("Application", instrument.application),
        ("ApplicationVersion", instrument.application_version),
    ))  # fmt: skip
    return document(root)


def _nextseq2000_parameters(plan: RunPlan) -> str:
    instrument = plan.instrument
    root = Element("RunParameters", NAMESPACES)
    planned = [(name, str(cycles)) for name, cycles in _named_reads(plan)]
    for name in ("PlannedCycles", "CompletedCycles"):
        texts(add(root, name), planned)
    texts(root, (
        ("InstrumentSerialNumber", plan.instrument_name),
        ("ApplicationName", instrument.application),
        ("ApplicationVersion", instrument.application_version),
        ("FlowCellSerialNumber", plan.flowcell),
        ("CartridgeSerialNumber", f"EC{plan.number:07d}-EC05"),
        ("ExperimentName", plan.flowcell),
        ("RtaVersion", instrument.rta_version),
        ("FlowCellMode", f"NextSeq 1000/2000 P{3 if plan.lanes == 2 else 2} Flow Cell Cartridge"),
        ("RunCounter", str(plan.number)),
        ("OutputFolder", f"/mnt/runs/{plan.run}"),
    ))  # fmt: skip
    return document(root)


def _novaseqx_parameters(plan: RunPlan) -> str:
    instrument = plan.instrument
    root = Element("RunParameters", NAMESPACES)
    texts(root, (
        ("Side", plan.name_parts[3]),
        ("Application", instrument.application),
        ("SystemSuiteVersion", instrument.application_version),
        ("OutputFolder", f"//runs/{plan.run}"),
        ("InstrumentType", "NovaSeqXPlus"),
        ("InstrumentSerialNumber", plan.instrument_name),
        ("RunId", plan.run),
        ("RunCounter", str(plan.number)),
        ("ExperimentName", plan.flowcell),
        ("FlowCellType", "NovaSeqXSeriesB4"),
    ))  # fmt: skip
    consumables = add(root, "ConsumableInfo")
    for kind, serial in (
        ("FlowCell", plan.flowcell),
        ("SampleTube", f"LC{plan.number:07d}-LS1"),
        ("Reagent", f"LC{plan.number:07d}-25B3"),
    ):
        texts(add(consumables, "ConsumableInfo"), (("SerialNumber", serial), ("Type", kind)))
    reads_planned = add(root, "PlannedReads")
    for name, cycles in _named_reads(plan):
        add(reads_planned, "Read", ReadName=name, Cycles=str(cycles))
    return document(root)


def _named_reads(plan: RunPlan) -> list[tuple[str, int]]:
    counts = {False: 0, True: 0}
    found = []
    for read in plan.reads:
        counts[read.is_index] += 1
        found.append(
            (f"{'Index' if read.is_index else 'Read'}{counts[read.is_index]}", read.cycles)
        )
    return found


def _cycles(plan: RunPlan) -> tuple[list[int], list[int]]:
    """Of the template reads and of the index reads; 0 where there is no second one."""
    templates = [read.cycles for read in plan.reads if not read.is_index]
    return [*templates, 0], [*plan.index_lengths, 0]


_WRITERS: dict[Kind, Callable[[RunPlan], str]] = {
    Kind.HISEQ4000: _hiseq_parameters,
    Kind.HISEQ2500: _hiseq_parameters,
    Kind.MISEQ: _miseq_parameters,
    Kind.NEXTSEQ500: _nextseq500_parameters,
    Kind.NOVASEQ6000: _novaseq6000_parameters,
    Kind.NEXTSEQ2000: _nextseq2000_parameters,
    Kind.NOVASEQX: _novaseqx_parameters,
}
