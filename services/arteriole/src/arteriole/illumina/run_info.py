"""RunInfo.xml: which reads, lanes and tiles a run has.

Older control software gives a read by its FirstCycle and LastCycle, and marks an index read with a
child `<Index/>`; both forms may stand in one file, as in the tests of bcl2fastq 2.20.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from arteriole.illumina import xml_file
from arteriole.illumina.errors import RunInfoError

FILE_NAME = "RunInfo.xml"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_RUN_ID_LIMIT = 255
_DATE_LIMIT = 40
_RUN = re.compile(r"\d{6,8}_([A-Za-z0-9-]+)_(\d{1,9})_", re.ASCII)
_TILE = re.compile(r"(\d{1,2})_(\d{4,5})")
#: The largest lane is one of a NovaSeq 6000 (S4), of 936 tiles, the largest flow cell one of a
#: NovaSeq X (25B), of 8 lanes of 784 tiles (Illumina Knowledge 7970): 2 million tiles and cycles
#: where it has 318 of these.
_LIMITS = {"lanes": 16, "cycles": 5000, "tiles of a lane": 10_000, "tiles and cycles": 10_000_000}


@dataclass(frozen=True, slots=True)
class Read:
    """One read of the run; `number` counts index reads too, as RunInfo.xml does."""

    number: int
    cycles: int
    is_index: bool
    is_reverse_complement: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The geometry of the flow cell; `sections` are the cameras of a NextSeq 500 lane."""

    lanes: int
    surfaces: int
    swaths: int
    tiles: int
    sections: int = 1
    lanes_per_section: int = 1
    naming: str = ""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What RunInfo.xml says; `tiles` maps each lane to its tile numbers in order."""

    run_id: str
    run_number: int
    flowcell: str
    instrument: str
    date: str
    reads: tuple[Read, ...]
    layout: Layout
    tiles: Mapping[int, tuple[int, ...]]

    @staticmethod
    def read(path: Path) -> "RunInfo":
        """Read the file, or the RunInfo.xml of the run folder, at `path`.

        Raises:
            RunInfoError: naming the file and the element at fault.
        """
        return parse(path / FILE_NAME if path.is_dir() else path)

    @property
    def cycles(self) -> int:
        """All cycles of the run."""
        return sum(read.cycles for read in self.reads)

    @property
    def lanes(self) -> tuple[int, ...]:
        """The lane numbers in order."""
        return tuple(sorted(self.tiles))

    @property
    def template_reads(self) -> tuple[Read, ...]:
        """The reads that become FASTQ files, in order."""
        return tuple(read for read in self.reads if not read.is_index)

    @property
    def index_reads(self) -> tuple[Read, ...]:
        """The index reads in order: i7, then i5."""
        return tuple(read for read in self.reads if read.is_index)

    def cycles_of(self, read: Read) -> range:
        """The cycle numbers of `read`, counted from 1 over the whole run."""
        before = sum(other.cycles for other in self.reads if other.number < read.number)
        return range(before + 1, before + read.cycles + 1)


def are_of_one_run(one: str, other: str) -> bool:
    """Whether two names may be of one run; False only if both tell the instrument and the number.

    NB: the date may be written in two ways, and something may stand behind the flow cell.

    >>> are_of_one_run("260114_M04034_0043_000000000-L6NVV", "20260114_M04034_43_x_again")
    True
    >>> are_of_one_run("260114_M04034_0043_000000000-L6NVV", "260114_M04034_0044_000000000-L6NVV")
    False
    """
    found = _RUN.match(one), _RUN.match(other)
    told = {(match[1], int(match[2])) for match in found if match}
    return len(told) < 2


def parse(path: Path) -> RunInfo:
    """Read the RunInfo.xml at `path`. Raises RunInfoError."""
    root = xml_file.read(path, "RunInfo", RunInfoError)
    run = _child(root, "Run", path)
    layout_element = _child(run, "FlowcellLayout", path)
    layout = _layout(layout_element, path)
    info = RunInfo(
        run_id=_run_id(run.get("Id", ""), path),
        run_number=_number(run, "Number", path, default=0),
        flowcell=_name(_text(run, "Flowcell"), "Run/Flowcell", path),
        instrument=_name(_text(run, "Instrument"), "Run/Instrument", path),
        date=_text(run, "Date")[:_DATE_LIMIT],
        reads=_reads(_child(run, "Reads", path), path),
        layout=layout,
        tiles=_tiles(layout_element, layout, path),
    )
    _check_size(info, path)
    return info


def _check_size(info: RunInfo, path: Path) -> None:
    """See that what has to be looked at, perhaps a file a tile and cycle, is not too much."""
    tiles = sum(map(len, info.tiles.values()))
    if tiles * info.cycles > _LIMITS["tiles and cycles"]:
        raise RunInfoError(
            f"{path.name} FlowcellLayout: {tiles:,} tiles in {info.cycles:,} cycles are not "
            f"possible (one times the other is {_LIMITS['tiles and cycles']:,} at most)",
            hint="copy the file from the instrument again",
        )


def _reads(element: Element, path: Path) -> tuple[Read, ...]:
    children = [child for child in element if xml_file.local_name(child) == "Read"]
    if len(children) > _LIMITS["cycles"]:
        raise RunInfoError(f"{path.name} Run/Reads: {len(children)} reads are not possible")
    reads = [
        Read(
            number=_number(child, "Number", path, default=place),
            cycles=_cycles(child, path),
            is_index=_flag(child, "IsIndexedRead", path) or bool(_descend(child, "Index")),
            is_reverse_complement=_flag(child, "IsReverseComplement", path),
        )
        for place, child in enumerate(children, start=1)
    ]
    _check_places(reads, children, path)
    if len({read.number for read in reads}) != len(reads):
        raise RunInfoError(f"{path.name} Run/Reads: two reads have the same Number")
    # Some instruments list a read that they skipped as one of 0 cycles.
    used = tuple(sorted((r for r in reads if r.cycles), key=lambda read: read.number))
    if all(read.is_index for read in used):
        raise RunInfoError(f"{path.name} Run/Reads: expected a read that is not an index read")
    if sum(read.cycles for read in used) > _LIMITS["cycles"]:
        raise RunInfoError(f"{path.name} Run/Reads: more than {_LIMITS['cycles']} cycles")
    return used


def _cycles(element: Element, path: Path) -> int:
    """Of one read: NumCycles, or from FirstCycle to LastCycle."""
    if element.get("FirstCycle") is None or element.get("LastCycle") is None:
        return _number(element, "NumCycles", path)
    first, last = (_number(element, name, path) for name in ("FirstCycle", "LastCycle"))
    cycles = last - first + 1
    if cycles < 0 or _number(element, "NumCycles", path, default=cycles) != cycles:
        raise RunInfoError(
            f"{path.name} Read/@LastCycle: cycles {first} to {last} are not those of a read of "
            f"{element.get('NumCycles', 'some')} cycles"
        )
    return cycles


def _check_places(reads: list[Read], elements: list[Element], path: Path) -> None:
    """See that each FirstCycle follows the reads before it."""
    expected = 1
    for read, element in sorted(zip(reads, elements, strict=True), key=lambda pair: pair[0].number):
        first = _number(element, "FirstCycle", path, default=expected)
        if read.cycles and first != expected:
            raise RunInfoError(
                f"{path.name} Read/@FirstCycle: expected {expected}, as the reads before it end "
                f"there, found {first}"
            )
        expected += read.cycles


def _layout(element: Element, path: Path) -> Layout:
    layout = Layout(
        lanes=_number(element, "LaneCount", path),
        surfaces=_number(element, "SurfaceCount", path),
        swaths=_number(element, "SwathCount", path),
        tiles=_number(element, "TileCount", path),
        sections=_number(element, "SectionPerLane", path, default=1),
        lanes_per_section=_number(element, "LanePerSection", path, default=1),
        naming=next(
            (e.get("TileNamingConvention", "") for e in _descend(element, "TileSet")),
            "",
        ),
    )
    a_lane = layout.surfaces * layout.swaths * layout.tiles * layout.sections
    if not 1 <= layout.lanes <= _LIMITS["lanes"]:
        raise RunInfoError(
            f"{path.name} FlowcellLayout/@LaneCount: expected 1 to {_LIMITS['lanes']} lanes, "
            f"found {layout.lanes}"
        )
    if not 1 <= a_lane <= _LIMITS["tiles of a lane"] or layout.lanes_per_section < 1:
        raise RunInfoError(f"{path.name} FlowcellLayout: {a_lane} tiles a lane are not possible")
    return layout


def _tiles(element: Element, layout: Layout, path: Path) -> Mapping[int, tuple[int, ...]]:
    listed = [(tile.text or "").strip() for tile in _descend(element, "Tile")]
    if not listed:
        return {lane: _named_tiles(layout, lane, path) for lane in range(1, layout.lanes + 1)}
    tiles: dict[int, list[int]] = {}
    for text in listed:
        match = _TILE.fullmatch(text)
        if match is None or not 1 <= int(match[1]) <= layout.lanes:
            raise RunInfoError(
                f"{path.name} TileSet/Tiles/Tile: expected lane_tile with a lane up to "
                f"{layout.lanes}, found {text[:40]!r}"
            )
        tiles.setdefault(int(match[1]), []).append(int(match[2]))
    most = max(map(len, tiles.values()))
    if most > _LIMITS["tiles of a lane"]:
        raise RunInfoError(f"{path.name} TileSet/Tiles: {most} tiles a lane are not possible")
    if any(len(set(numbers)) != len(numbers) for numbers in tiles.values()):
        raise RunInfoError(f"{path.name} TileSet/Tiles: a tile is listed twice")
    return {lane: tuple(sorted(tiles[lane])) for lane in sorted(tiles)}


def _named_tiles(layout: Layout, lane: int, path: Path) -> tuple[int, ...]:
    """The tile numbers of a lane by convention: surface, swath, camera (FiveDigit only), tile."""
    if layout.naming not in {"", "FourDigit", "FiveDigit"}:
        raise RunInfoError(
            f"{path.name} TileSet/@TileNamingConvention: expected FourDigit or FiveDigit, "
            f"found {layout.naming[:40]!r}"
        )
    five = layout.naming == "FiveDigit" or (not layout.naming and layout.sections > 1)
    first = (lane - 1) // layout.lanes_per_section * layout.sections + 1
    cameras = range(first, first + layout.sections) if five else range(1)
    return tuple(
        int(f"{surface}{swath}{camera if five else ''}{tile:02d}")
        for surface in range(1, layout.surfaces + 1)
        for swath in range(1, layout.swaths + 1)
        for camera in cameras
        for tile in range(1, layout.tiles + 1)
    )


def _child(parent: Element, name: str, path: Path) -> Element:
    for child in parent:
        if xml_file.local_name(child) == name:
            return child
    raise RunInfoError(
        f"{path.name}: expected <{name}> in <{xml_file.local_name(parent)}>, found none"
    )


def _descend(element: Element, name: str) -> list[Element]:
    return [child for child in element.iter() if xml_file.local_name(child) == name]


def _text(parent: Element, name: str) -> str:
    for child in parent:
        if xml_file.local_name(child) == name:
            return (child.text or "").strip()
    return ""


def _run_id(text: str, path: Path) -> str:
    """Any words: control software of a HiSeq puts the experiment's name behind the flow cell."""
    if not text.strip() or not text.isprintable() or len(text) > _RUN_ID_LIMIT:
        raise RunInfoError(
            f"{path.name} Run/@Id: expected 1 to {_RUN_ID_LIMIT} printable characters, "
            f"found {text[:60]!r}"
        )
    return text


def _name(text: str, where: str, path: Path) -> str:
    if not _NAME.fullmatch(text):
        raise RunInfoError(
            f"{path.name} {where}: expected letters, digits, '.', '_' and '-', found {text[:60]!r}"
        )
    return text


def _number(element: Element, name: str, path: Path, default: int | None = None) -> int:
    text = element.get(name)
    if text is None and default is not None:
        return default
    if text is None or not re.fullmatch(r"[0-9]{1,9}", text.strip()):
        raise RunInfoError(
            f"{path.name} {xml_file.local_name(element)}/@{name}: expected a number, "
            f"found {(text or 'nothing')[:40]!r}"
        )
    return int(text)


def _flag(element: Element, name: str, path: Path) -> bool:
    text = element.get(name, "N").strip().upper()
    if text not in {"Y", "N"}:
        raise RunInfoError(
            f"{path.name} {xml_file.local_name(element)}/@{name}: expected Y or N, "
            f"found {text[:40]!r}"
        )
    return text == "Y"
