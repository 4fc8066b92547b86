"""The truth of a simulated run, on disk.

`truth.json`, `genome.fa`, and of each tile `L<lane>_<tile>.npz` and `.calls`: a byte a cluster
(see `tiles.packed`), cycle after cycle, so that the sequencer reads what it writes from here. It
tells where each cluster was drawn from; nothing in it was found by comparing sequences.

Where the samples have variants, `genome.fa` is the reference, which has none of them; `truth.json`
lists those of each sample, and `<sample id>.vcf` has them too.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arteriole.app.errors import ArterioleError
from arteriole.simulator.clusters import Library
from arteriole.simulator.genome import NAME
from arteriole.simulator.places import Places
from arteriole.simulator.plan import ReadPlan, RunPlan, Sample
from arteriole.simulator.tiles import LETTERS, PHIX, UNKNOWN, Calls, Flags, Tile
from arteriole.simulator.vcf import Variant, vcf_of

_FORMAT = 2
_PLACES = ("column", "row", "x", "y")
_ARRAYS = ("passed", "sample", "errors", "true_index")


class TruthError(ArterioleError):
    """The truth of a simulated run cannot be read."""

    code = "simulator.truth"
    status = 400


@dataclass(frozen=True)
class Truth:
    """What `truth.json` tells of a run; samples stand in the order of the sheet.

    Attributes:
        variants: by sample id, ascending; empty where none were planted.
    """

    directory: Path
    run: str
    instrument: str
    number: int
    flowcell: str
    reads: tuple[ReadPlan, ...]
    samples: tuple[Sample, ...]
    tiles: tuple[tuple[int, int], ...]
    variants: Mapping[str, tuple[Variant, ...]] = field(default_factory=dict)

    @property
    def reference(self) -> Path:
        """FASTA of the genome without variants."""
        return self.directory / "genome.fa"

    def variants_of(self, sample_id: str) -> tuple[Variant, ...]:
        """Those of a sample.

        Raises:
            TruthError: the run has no such sample.
        """
        if all(sample.id != sample_id for sample in self.samples):
            raise TruthError(f"{self.run} has no sample {sample_id[:60]!r}")
        return self.variants.get(sample_id, ())

    @property
    def lanes(self) -> tuple[int, ...]:
        return tuple(sorted({lane for lane, _ in self.tiles}))

    def lane(self, lane: int) -> Iterator[Tile]:
        """The tiles of a lane in ascending order, one at a time.

        Raises:
            TruthError: a tile's file is missing or damaged.
        """
        cycles = sum(read.cycles for read in self.reads)
        return (_read_tile(self.directory, n, t, cycles) for n, t in self.tiles if n == lane)


@dataclass(frozen=True, eq=False)
class StoredTile:
    """What the sequencer keeps in mind of a tile whose truth is on disk.

    Attributes:
        members: clusters of each sample that pass the filter, by its place in the plan.
        phix: fraction that is PhiX, of all clusters.
    """

    directory: Path
    lane: int
    number: int
    passed: Flags
    members: tuple[int, ...]
    phix: float

    @property
    def size(self) -> int:
        return int(self.passed.size)

    def calls(self, cycle: int) -> Calls:
        """The calls of `cycle` (from 1)."""
        path = _calls_path(self.directory, self.lane, self.number)
        return np.fromfile(path, np.uint8, self.size, offset=(cycle - 1) * self.size)

    def places(self) -> Places:
        with np.load(_tile_path(self.directory, self.lane, self.number)) as arrays:
            return Places(**{name: arrays[name] for name in _PLACES})


def write_truth(plan: RunPlan, directory: Path) -> list[StoredTile]:
    """Draw the run and write its truth into `directory`, which is made; a tile at a time.

    Raises:
        FileExistsError: it is there already.
    """
    library = Library(plan)
    directory.mkdir(parents=True)
    document: dict[str, Any] = {
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
    if plan.variants:
        document["variants"] = _write_variants(plan, library, directory)
    (directory / "truth.json").write_text(json.dumps(document, indent=1) + "\n")
    letters = LETTERS[library.genome].tobytes()
    lines = (letters[at : at + 80] for at in range(0, len(letters), 80))
    (directory / "genome.fa").write_bytes(f">{NAME}\n".encode() + b"\n".join(lines) + b"\n")
    drawn = (library.tile(lane, number) for lane, number in plan.all_tiles)
    return [_store(tile, directory, len(plan.samples)) for tile in drawn]


def _write_variants(
    plan: RunPlan, library: Library, directory: Path
) -> dict[str, list[dict[str, Any]]]:
    """Write a VCF a sample; return what `truth.json` tells."""
    contigs = {NAME: int(library.genome.size)}
    pairs = list(zip(plan.samples, library.variants, strict=True))
    for sample, variants in pairs:
        text = vcf_of(sample.id, variants, contigs)
        (directory / f"{sample.id}.vcf").write_text(text)
    return {sample.id: [asdict(variant) for variant in variants] for sample, variants in pairs}


def _store(tile: Tile, directory: Path, samples: int) -> StoredTile:
    np.savez(
        _tile_path(directory, tile.lane, tile.number),
        allow_pickle=False,
        **{name: getattr(tile.places, name) for name in _PLACES},
        **{name: getattr(tile, name) for name in _ARRAYS},
    )
    tile.calls.tofile(_calls_path(directory, tile.lane, tile.number))
    belongs = tile.belongs[tile.passed]
    members = np.bincount(belongs[belongs != UNKNOWN], minlength=samples)
    return StoredTile(
        directory,
        tile.lane,
        tile.number,
        tile.passed,
        tuple(members.tolist()),
        float((tile.sample == PHIX).mean()) if tile.size else 0.0,
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
            variants={
                sample_id: tuple(Variant(**variant) for variant in variants)
                for sample_id, variants in document.get("variants", {}).items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise TruthError(
            f"{path}: expected the truth of a simulated run; found {type(err).__name__}: {err}",
            hint="give the folder <run>.truth that `arteriole simulate` wrote",
        ) from err


def _read_tile(directory: Path, lane: int, number: int, cycles: int) -> Tile:
    path, calls_path = (where(directory, lane, number) for where in (_tile_path, _calls_path))
    try:
        with np.load(path, allow_pickle=False) as arrays:
            places = Places(**{name: arrays[name] for name in _PLACES})
            found = {name: arrays[name] for name in _ARRAYS}
        calls: npt.NDArray[np.uint8] = np.fromfile(calls_path, np.uint8)
        if calls.size != cycles * places.size:
            raise TruthError(
                f"{calls_path}: expected {cycles * places.size} bytes; found {calls.size}"
            )
        shape = (cycles, places.size)
        return Tile(lane, number, places, **found, calls=calls.reshape(shape))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as err:
        raise TruthError(f"{path}: expected a tile's truth; found {err}") from err


def _tile_path(directory: Path, lane: int, number: int) -> Path:
    return directory / f"L{lane:03d}_{number}.npz"


def _calls_path(directory: Path, lane: int, number: int) -> Path:
    return directory / f"L{lane:03d}_{number}.calls"
