"""Every way in which a run folder is damaged: by name, a function that does it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from random import Random
from xml.etree.ElementTree import Element, fromstring, tostring

from arteriole.simulator.script import Part
from tests.chaos import file_harm
from tests.chaos.base_runs import BaseRun, Files
from tests.chaos.file_harm import Harm


@dataclass(frozen=True)
class Damaged:
    """What is in the folder, and in words what was done."""

    files: Files
    told: str


Damage = Callable[[Random, BaseRun], Damaged | None]
"""None if the run has nothing that can be damaged so."""

_PLACES = re.compile(r"L00(?P<lane>\d)/(?:C(?P<cycle>\d+)\.1/|(?P<bgzf>\d{4})\.bcl)?")
_SURFACE = re.compile(r"s_\d_(\d)\d{3,4}\.|L\d{3}_(\d)\.cbcl$")
_MARKERS = ("RTAComplete.txt", "CopyComplete.txt", "SequenceComplete.txt", "SequencingComplete.txt")


def _without(run: BaseRun, gone: Iterable[str], told: str) -> Damaged | None:
    gone = set(gone)
    kept = {path: content for path, content in run.files.items() if path not in gone}
    return Damaged(kept, f"{told} missing ({len(gone)} files)") if gone else None


def _missing(part: Part, chance: Random, run: BaseRun) -> Damaged | None:
    path = chance.choice(run.paths(part))
    return _without(run, [path], path)


def _harmed(part: Part, harm: Harm, chance: Random, run: BaseRun) -> Damaged | None:
    found = file_harm.apply(chance, run, run.paths(part), harm)
    if found is None:
        return None
    path, files = found
    told = f"{path}: {harm.__name__}, {len(run.files[path])} -> {len(files[path])} bytes"
    return Damaged(files, told)


def _where(path: str) -> tuple[int, int]:
    """The lane and cycle of a file; 0 where it is of none."""
    found = _PLACES.search(path)
    if not found:
        return 0, 0
    return int(found["lane"]), int(found["cycle"] or found["bgzf"] or 0)


def _cycle(chance: Random, run: BaseRun) -> Damaged | None:
    """A cycle of one lane or of all."""
    cycle = chance.randint(1, run.plan.cycles)
    lanes = range(1, run.plan.lanes + 1)
    lanes_gone = chance.choice(([*lanes], [chance.choice(lanes)]))
    gone = [path for path in run.files if _where(path) in {(lane, cycle) for lane in lanes_gone}]
    return _without(run, gone, f"cycle {cycle} of lanes {lanes_gone}")


def _lane(chance: Random, run: BaseRun) -> Damaged | None:
    """All of a lane, or of its calls or filters or positions."""
    lane = chance.randint(1, run.plan.lanes)
    parts = chance.choice([
        (Part.BASE_CALLS, Part.FILTER, Part.POSITIONS),
        (Part.BASE_CALLS,),
        (Part.FILTER,),
        (Part.POSITIONS,),
        (Part.BASE_CALLS, Part.FILTER),
    ])  # fmt: skip
    gone = [path for path in run.paths(*parts) if _where(path)[0] == lane]
    return _without(run, gone, f"lane {lane}, {' and '.join(part.value for part in parts)}")


def _surface(chance: Random, run: BaseRun) -> Damaged | None:
    surface = str(chance.randint(1, run.plan.surfaces))
    found = {path: _SURFACE.search(path) for path in run.files}
    gone = [path for path, match in found.items() if match and surface in match.groups()]
    return _without(run, gone, f"surface {surface}")


def _tile(chance: Random, run: BaseRun) -> Damaged | None:
    """All files of one tile."""
    lane, tile = chance.choice(run.plan.all_tiles)
    name = re.compile(rf"/s_{lane}_{tile}\.")
    return _without(run, filter(name.search, run.files), f"tile {lane}_{tile}")


def _leftover(chance: Random, run: BaseRun) -> Damaged | None:
    """A file under the name that rsync gives it until it is there, whole or in part."""
    path = chance.choice(run.paths(Part.BASE_CALLS, Part.FILTER, Part.POSITIONS))
    folder, _, name = path.rpartition("/")
    suffix = "".join(chance.choices("ABCxyz0123456789", k=6))
    files = {known: content for known, content in run.files.items() if known != path}
    content = run.files[path]
    kept = chance.choice((len(content), chance.randrange(len(content) + 1)))
    files[f"{folder}/.{name}.{suffix}"] = content[:kept]
    return Damaged(files, f"{path} has still its temporary name")


def _info(change: Callable[[Random, BaseRun], bytes | None]) -> Damage:
    def damage(chance: Random, run: BaseRun) -> Damaged | None:
        found = change(chance, run)
        if found is None or found == run.files["RunInfo.xml"]:
            return None
        told = f"RunInfo.xml: {change.__name__.strip('_').replace('_', ' ')}"
        return Damaged({**run.files, "RunInfo.xml": found}, told)

    return damage


def _half(content: bytes, chance: Random) -> bytes:
    """Less than its last tag."""
    return content[: chance.randrange(content.rstrip().__len__())]


def _half_written(chance: Random, run: BaseRun) -> bytes:
    return _half(run.files["RunInfo.xml"], chance)


def _of_another_run(chance: Random, run: BaseRun) -> bytes:
    """Of the run before or after it on the same instrument, laid out as this one."""
    number = run.plan.number + chance.choice((-1, 1))
    other = run.plan.run.replace(f"_{run.plan.number:04d}_", f"_{number:04d}_")
    text = run.files["RunInfo.xml"].decode()
    text = text.replace(run.plan.run, other)
    return text.replace(f'Number="{run.plan.number}"', f'Number="{number}"').encode()


def _root(run: BaseRun) -> Element:
    return fromstring(run.files["RunInfo.xml"])  # the simulator wrote it


def _fewer_reads(_: Random, run: BaseRun) -> bytes | None:
    root = _root(run)
    reads = root.find("Run/Reads")
    assert reads is not None
    if len(reads) < 2:
        return None
    reads.remove(reads[-1])
    return tostring(root)


def _other_cycles(chance: Random, run: BaseRun, by: int) -> bytes | None:
    root = _root(run)
    read = chance.choice(root.findall("Run/Reads/Read"))
    cycles = int(read.attrib["NumCycles"]) + by
    if cycles < 1:
        return None
    read.set("NumCycles", str(cycles))
    return tostring(root)


def _fewer_cycles(chance: Random, run: BaseRun) -> bytes | None:
    return _other_cycles(chance, run, -chance.randint(1, 2))


def _more_cycles(chance: Random, run: BaseRun) -> bytes | None:
    return _other_cycles(chance, run, chance.randint(1, 2))


def _fewer_tiles(chance: Random, run: BaseRun) -> bytes | None:
    """A tile less is listed, or a lane, surface, swath or tile less is counted."""
    root = _root(run)
    layout = root.find("Run/FlowcellLayout")
    assert layout is not None
    tiles = layout.find("TileSet/Tiles")
    if tiles is not None:
        lane = chance.choice(range(1, run.plan.lanes + 1))
        whole = chance.random() < 0.3 and run.plan.lanes > 1
        gone = [one for one in tiles if (one.text or "").startswith(f"{lane}_")]
        for one in gone if whole else [chance.choice([t for t in gone if t.text not in run.empty])]:
            tiles.remove(one)
        return tostring(root) if len(tiles) else None
    counts = [
        name for name, value in layout.attrib.items() if name.endswith("Count") and value > "1"
    ]
    if not counts:
        return None
    name = chance.choice(counts)
    layout.set(name, str(int(layout.attrib[name]) - 1))
    return tostring(root)


def _info_missing(_: Random, run: BaseRun) -> Damaged | None:
    return _without(run, ["RunInfo.xml"], "RunInfo.xml")


def _parameters_half(chance: Random, run: BaseRun) -> Damaged:
    half = _half(run.files[run.parameters], chance)
    return Damaged(
        {**run.files, run.parameters: half}, f"{run.parameters}: half, {len(half)} bytes"
    )


def _parameters_missing(_: Random, run: BaseRun) -> Damaged | None:
    return _without(run, [run.parameters], run.parameters)


def _parameters_of_another_run(chance: Random, run: BaseRun) -> Damaged | None:
    """NextSeq 1000 and 2000 do not name the run in it."""
    other = run.plan.run.replace(f"_{run.plan.number:04d}_", f"_{run.plan.number + 1:04d}_")
    text = run.files[run.parameters].decode()
    if f">{run.plan.run}<" not in text:
        return None
    found = text.replace(run.plan.run, other).encode()
    return Damaged({**run.files, run.parameters: found}, f"{run.parameters} of {other}")


def _no_marker(chance: Random, run: BaseRun) -> Damaged | None:
    """The marker is not there; others may be, and one of another instrument."""
    found = _without(run, [run.marker], run.marker)
    if found is None or chance.random() < 0.5:
        return found
    other = chance.choice([name for name in _MARKERS if name != run.marker])
    return Damaged({**found.files, other: b""}, f"{other} instead of {run.marker}")


def _status_half(chance: Random, run: BaseRun) -> Damaged | None:
    """RunCompletionStatus.xml, where the instrument writes one."""
    name = "RunCompletionStatus.xml"
    if name not in run.files:
        return None
    return Damaged({**run.files, name: _half(run.files[name], chance)}, f"{name}: half")


def _no_sheet(chance: Random, run: BaseRun) -> Damaged | None:
    if chance.random() < 0.5:
        return _without(run, ["SampleSheet.csv"], "SampleSheet.csv")
    return Damaged({**run.files, "SampleSheet.csv": b""}, "SampleSheet.csv is empty")


def _several(chance: Random, run: BaseRun) -> Damaged | None:
    """Two to six files harmed at once."""
    files, told = dict(run.files), []
    paths = run.paths(Part.BASE_CALLS, Part.FILTER, Part.POSITIONS)
    for _ in range(chance.randint(2, 6)):
        harm = chance.choice((file_harm.cut, file_harm.emptied, file_harm.appended))
        found = file_harm.apply(chance, run, paths, harm)
        if found is not None:
            path, harmed = found
            files[path] = harmed[path]
            told.append(f"{path} {harm.__name__}")
    return Damaged(files, ", ".join(told)) if told else None


_PARTS = {"calls": Part.BASE_CALLS, "filter": Part.FILTER, "positions": Part.POSITIONS}
_HARMS: dict[str, Harm] = {
    "cut": file_harm.cut,
    "empty": file_harm.emptied,
    "longer": file_harm.appended,
    "preallocated": file_harm.preallocated,
    "with another header": file_harm.header,
    "of another place": file_harm.of_elsewhere,
    "of another length": file_harm.of_other_length,
}
DAMAGES: dict[str, Damage] = {
    **{f"{name} missing": partial(_missing, part) for name, part in _PARTS.items()},
    **{
        f"{name} {how}": partial(_harmed, part, harm)
        for name, part in _PARTS.items()
        for how, harm in _HARMS.items()
        if (name, how) not in (("filter", "preallocated"),)
    },
    "a cycle missing": _cycle,
    "a lane missing": _lane,
    "a surface missing": _surface,
    "a tile missing": _tile,
    "a temporary name": _leftover,
    "several files": _several,
    "RunInfo missing": _info_missing,
    "RunInfo half": _info(_half_written),
    "RunInfo of another run": _info(_of_another_run),
    "RunInfo with fewer reads": _info(_fewer_reads),
    "RunInfo with fewer cycles": _info(_fewer_cycles),
    "RunInfo with more cycles": _info(_more_cycles),
    "RunInfo with fewer tiles": _info(_fewer_tiles),
    "RunParameters half": _parameters_half,
    "RunParameters missing": _parameters_missing,
    "RunParameters of another run": _parameters_of_another_run,
    "no marker": _no_marker,
    "RunCompletionStatus half": _status_half,
    "no sheet": _no_sheet,
}
"""By name; each is made as often as every other."""
