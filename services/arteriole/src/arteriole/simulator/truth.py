"""The truth of a simulated run, on disk: `truth.json`, `genome.fa`, and one `.npz` a tile.

It tells where each cluster was drawn from; nothing in it was found by comparing sequences.
"""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arteriole.app.errors import ArterioleError
from arteriole.simulator.clusters import LETTERS, Letters, Library, Tile
from arteriole.simulator.plan import ReadPlan, RunPlan, Sample

_FORMAT = 1


class TruthError(ArterioleError):
    """The truth of a simulated run cannot be read."""

    code = "simulator.truth"
    status = 400


@dataclass(frozen=True)
class Truth:
    """What `truth.json` tells of a run; samples stand in the order of the sheet."""

    directory: Path
    run: str
    instrument: str
    number: int
    flowcell: str
    reads: tuple[ReadPlan, ...]
    samples: tuple[Sample, ...]
    tiles: tuple[tuple[int, int], ...]

    @property
    def lanes(self) -> tuple[int, ...]:
        return tuple(sorted({lane for lane, _ in self.tiles}))

    def lane(self, lane: int) -> list["TileTruth"]:
        """The tiles of a lane in ascending order.

        Raises:
            TruthError: a tile's file is missing or damaged.
        """
        return [_read_tile(self.directory, n, t) for n, t in self.tiles if n == lane]


@dataclass(frozen=True, eq=False)
class TileTruth:
    """One tile; see `clusters.Tile` for the arrays. `belongs` is -1 for Undetermined."""

    lane: int
    number: int
    column: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    passed: npt.NDArray[np.bool_]
    sample: npt.NDArray[np.int16]
    belongs: npt.NDArray[np.int16]
    errors: npt.NDArray[np.uint8]
    true_index: Letters
    bases: Letters
    qualities: npt.NDArray[np.uint8]


_ARRAYS = tuple(list(TileTruth.__dataclass_fields__)[2:])


def write_truth(plan: RunPlan, library: Library, tiles: list[Tile], directory: Path) -> None:
    """Write the truth into `directory`, which is made.

    Raises:
        FileExistsError: it is there already.
    """
    directory.mkdir(parents=True)
    document = {
        "format": _FORMAT,
        "run": plan.run,
        "kind": plan.kind.value,
        "instrument": plan.instrument_name,
        "number": plan.number,
        "flowcell": plan.flowcell,
        "seed": plan.seed,
        "reads": [asdict(read) for read in plan.reads],
        "samples": [asdict(sample) for sample in plan.samples],
        "tiles": plan.all_tiles,
    }
    (directory / "truth.json").write_text(json.dumps(document, indent=1) + "\n")
    letters = LETTERS[library.genome].tobytes()
    lines = (letters[at : at + 80] for at in range(0, len(letters), 80))
    (directory / "genome.fa").write_bytes(b">genome\n" + b"\n".join(lines) + b"\n")
    for tile in tiles:
        _write_tile(directory, tile)


def _write_tile(directory: Path, tile: Tile) -> None:
    np.savez_compressed(
        _tile_path(directory, tile.lane, tile.number),
        allow_pickle=False,
        column=tile.places.column,
        row=tile.places.row,
        passed=tile.passed,
        sample=tile.sample,
        belongs=tile.belongs,
        errors=tile.errors,
        true_index=tile.true_index,
        bases=tile.bases,
        qualities=tile.qualities,
    )


def read_truth(directory: Path) -> Truth:
    """The truth that `write_truth` wrote.

    Raises:
        TruthError: `truth.json` is missing, damaged or of another format.
    """
    path = directory / "truth.json"
    try:
        document = json.loads(path.read_text())
        if document["format"] != _FORMAT:
            raise TruthError(f"{path}: expected format {_FORMAT}; found {document['format']!r}")
        return Truth(
            directory=directory,
            run=document["run"],
            instrument=document["instrument"],
            number=document["number"],
            flowcell=document["flowcell"],
            reads=tuple(ReadPlan(**read) for read in document["reads"]),
            samples=tuple(
                Sample(**(sample | {"lanes": tuple(sample["lanes"])}))
                for sample in document["samples"]
            ),
            tiles=tuple((lane, number) for lane, number in document["tiles"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise TruthError(
            f"{path}: expected the truth of a simulated run; found {type(err).__name__}: {err}",
            hint="give the folder <run>.truth that `arteriole simulate` wrote",
        ) from err


def _read_tile(directory: Path, lane: int, number: int) -> TileTruth:
    path = _tile_path(directory, lane, number)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return TileTruth(lane, number, **{name: arrays[name] for name in _ARRAYS})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as err:
        raise TruthError(f"{path}: expected a tile's truth; found {err}") from err


def _tile_path(directory: Path, lane: int, number: int) -> Path:
    return directory / f"L{lane:03d}_{number}.npz"
