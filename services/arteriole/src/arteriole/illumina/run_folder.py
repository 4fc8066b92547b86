"""Where things lie in a run folder."""

import os
import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path

from arteriole.illumina import reading
from arteriole.illumina.run_info import FILE_NAME, RunInfo
from arteriole.illumina.run_parameters import RunParameters

MARKERS = (
    "RTAComplete.txt",
    "RTAComplete.xml",
    "CopyComplete.txt",
    "SequenceComplete.txt",
    "SequencingComplete.txt",
    "RunCompletionStatus.xml",
)


class BclKind(Enum):
    """How a lane's base calls are stored."""

    BCL = "bcl"
    BCL_GZ = "bcl.gz"
    BCL_BGZF = "bcl.bgzf"
    CBCL = "cbcl"


@dataclass(frozen=True)
class RunFolder:
    """A run folder on disk; nothing is read before it is asked for."""

    path: Path

    @cached_property
    def run_info(self) -> RunInfo:
        """Raises RunInfoError."""
        return RunInfo.read(self.path / FILE_NAME)

    @cached_property
    def run_parameters(self) -> RunParameters | None:
        """None if there is no such file. Raises RunParametersError."""
        return RunParameters.read(self.path)

    @cached_property
    def intensities(self) -> Path:
        """Holds the cluster positions."""
        return self.path / "Data" / "Intensities"

    @cached_property
    def base_calls(self) -> Path:
        """Holds a folder a lane."""
        return self.intensities / "BaseCalls"

    @cached_property
    def _cycle_folders(self) -> dict[tuple[int, int], Path]:
        """Those that were asked for: one is asked for once a tile, and a path is dear to make."""
        return {}

    @property
    def markers(self) -> tuple[str, ...]:
        """Those of MARKERS that are present."""
        return tuple(name for name in MARKERS if (self.path / name).is_file())

    def lane(self, lane: int) -> Path:
        """The base calls of a lane."""
        return self.base_calls / f"L{lane:03d}"

    def cycle(self, lane: int, cycle: int) -> Path:
        """The base calls of a lane in one cycle (not on a NextSeq 500, see BclKind.BCL_BGZF)."""
        known = self._cycle_folders.get((lane, cycle))
        if known is None:
            known = self._cycle_folders[lane, cycle] = self.lane(lane) / f"C{cycle}.1"
        return known

    def lanes_with_calls(self) -> list[int]:
        """The lanes that have base calls, whatever RunInfo.xml says."""
        found = (re.fullmatch(r"L(\d{3})", name, re.ASCII) for name in _names(self.base_calls))
        lanes = sorted(int(match[1]) for match in found if match)
        return [lane for lane in lanes if self.bcl_kind(lane) is not None]

    def cycles_after(self, lane: int, cycle: int) -> list[Path]:
        """The folders or files of base calls of later cycles; a folder without any does not count.

        NB: looks into no folder of an earlier cycle.
        """
        paths = [path for number, path in self._cycles(lane) if number > cycle]
        return [path for path in paths if not path.is_dir() or _kind(_names(path)) is not None]

    def cycles_behind(self, lane: int, count: int) -> list[Path]:
        """The folders or files of base calls that are `count` cycles behind the newest, or more."""
        cycles = self._cycles(lane)
        return [path for number, path in cycles if number <= cycles[-1][0] - count]

    def _cycles(self, lane: int) -> list[tuple[int, Path]]:
        form = re.compile(r"C(\d{1,5})\.1|(\d{4})\.bcl\.bgzf", re.ASCII)
        found = (form.fullmatch(name) for name in _names(self.lane(lane)))
        cycles = sorted((int(match[1] or match[2]), match[0]) for match in found if match)
        return [(number, self.lane(lane) / name) for number, name in cycles]

    def bcl(self, lane: int, cycle: int, tile: int, kind: BclKind) -> Path:
        """The base calls of one tile in one cycle; `kind` is BCL or BCL_GZ."""
        return self.cycle(lane, cycle) / f"s_{lane}_{tile:04d}.{kind.value}"

    def filter(self, lane: int, tile: int) -> Path:
        """Which clusters of the tile passed the filter."""
        return self.lane(lane) / f"s_{lane}_{tile:04d}.filter"

    def tiles_with_filter(self, lane: int) -> set[int]:
        """The tiles of a lane that have a filter file of their own."""
        form = re.compile(rf"s_{lane}_(\d{{4,5}})\.filter", re.ASCII)
        found = (form.fullmatch(name) for name in _names(self.lane(lane)))
        return {int(match[1]) for match in found if match}

    def cbcl(self, lane: int, cycle: int, surface: int) -> Path:
        """The base calls of one surface in one cycle."""
        return self.cycle(lane, cycle) / f"L{lane:03d}_{surface}.cbcl"

    def cbcls(self, lane: int, cycle: int) -> list[Path]:
        """Those that are there, by name: a file's tiles are those that its header names.

        NB: Picard's test run has tiles of the first surface in L001_2.cbcl too.
        """
        folder = self.cycle(lane, cycle)
        form = re.compile(rf"L{lane:03d}_\d\.cbcl")
        return [folder / name for name in sorted(_names(folder)) if form.fullmatch(name)]

    def bgzf(self, lane: int, cycle: int) -> Path:
        """The base calls of a whole lane in one cycle; its index has `.bci` behind the name."""
        return self.lane(lane) / f"{cycle:04d}.bcl.bgzf"

    def tile_index(self, lane: int) -> Path:
        """Which tiles stand in the .bcl.bgzf files of the lane."""
        return self.lane(lane) / f"s_{lane}.bci"

    def lane_filter(self, lane: int) -> Path:
        """The filter of a whole lane, beside .bcl.bgzf files."""
        return self.lane(lane) / f"s_{lane}.filter"

    def lane_positions(self, lane: int) -> Path:
        """The cluster positions of a whole lane, beside .bcl.bgzf files."""
        return self.intensities / f"L{lane:03d}" / f"s_{lane}.locs"

    def shared_positions(self, lane: int) -> Path | None:
        """The positions that all tiles of the lane of a patterned flow cell share, if there are.

        One s.locs for all lanes, or s_<lane>.locs as in support-docs.illumina.com, Sequencing
        Output Files of the NextSeq 1000/2000 and of the NovaSeq X.
        """
        paths = (self.intensities / name for name in ("s.locs", f"s_{lane}.locs"))
        return next((path for path in paths if path.is_file()), None)

    def positions(self, lane: int, tile: int) -> Path | None:
        """The cluster positions of a tile: those of its lane, or its own .locs or .clocs."""
        shared = self.shared_positions(lane)
        if shared is not None:
            return shared
        stem = self.intensities / f"L{lane:03d}" / f"s_{lane}_{tile:04d}"
        for suffix in (".locs", ".clocs"):
            path = stem.with_suffix(suffix)
            if path.is_file():
                return path
        return None

    def bcl_kind(self, lane: int) -> BclKind | None:
        """How this lane's base calls are stored, judged by its first cycle folder."""
        names = sorted(_names(self.lane(lane)))
        kind = _kind(names)
        if kind is not None:
            return kind
        for name in names:
            if re.fullmatch(r"C\d+\.1", name):
                kind = _kind(_names(self.lane(lane) / name))
                if kind is not None:
                    return kind
        return None


def surface(tile: int) -> int:
    """The surface that a tile lies on, which is the first digit of its number."""
    return int(str(tile)[0])


def leads_out(folder: Path, path: Path) -> bool:
    """Whether `path` is a link that ends outside of `folder`: what is there is not the run's.

    NB: `Path.resolve` raises where links lead in a circle.
    """
    if not path.is_symlink():
        return False
    root = os.path.realpath(folder)
    return os.path.commonpath((root, os.path.realpath(path))) != root


def _names(folder: Path) -> list[str]:
    reading.looked(1)
    try:
        return [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _kind(names: list[str]) -> BclKind | None:
    """NB: not judged by hidden names, which are those of copies (rsync) and of file systems."""
    for kind in (BclKind.CBCL, BclKind.BCL_BGZF, BclKind.BCL_GZ, BclKind.BCL):
        if any(name.endswith("." + kind.value) and name[0] != "." for name in names):
            return kind
    return None
