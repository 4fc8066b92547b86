"""What is sequenced: a small genome, and fragments of it read from both ends.

Bases are codes here: 0, 1, 2, 3 for A, C, G, T, so that the complement is 3 - code.
"""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arteriole.simulator.plan import SHORTEST_GENOME, PlanError, RunPlan

Codes = npt.NDArray[np.uint8]

NAME = "genome"
"""What the genome is called in its FASTA, and so in every VCF."""

PHIX_LENGTH = 5_386
_LONGEST_FRAGMENT = 450
_SHORTEST_FRAGMENT = 150
_CODE_OF = np.full(256, 255, dtype=np.uint8)
for _code, _letter in enumerate(b"ACGT"):
    _CODE_OF[_letter] = _CODE_OF[_letter + 32] = _code


def drawn(length: int, rng: np.random.Generator) -> Codes:
    """A genome of `length` bases, 41 % of them G or C."""
    return rng.choice(4, size=length, p=(0.295, 0.205, 0.205, 0.295)).astype(np.uint8)


def of_plan(plan: RunPlan) -> Codes:
    """The reference: the genome that the plan's samples come from, but for their variants.

    Raises:
        PlanError: the FASTA cannot be read, is too short, or holds other letters than ACGT.
    """
    if plan.genome is None:
        return drawn(plan.genome_length, np.random.default_rng([plan.seed, 1]))
    return _longest_sequence(plan.genome)


def coded(letters: bytes) -> Codes:
    """Letters as codes; 255 for what is none of ACGT."""
    return _CODE_OF[np.frombuffer(letters, dtype=np.uint8)]


def phix_of_plan(plan: RunPlan) -> Codes:
    """A stand-in for the PhiX control, which is drawn too."""
    return drawn(PHIX_LENGTH, np.random.default_rng([plan.seed, 2]))


def _longest_sequence(path: Path) -> Codes:
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as err:
        raise PlanError(f"the genome {path.name} cannot be read: {err}", field="genome") from err
    bodies = [part.partition(b"\n")[2] for part in content.split(b">")[1:]]
    longest = max((b"".join(body.split()) for body in bodies), key=len, default=b"")
    if len(longest) < SHORTEST_GENOME:
        raise PlanError(
            f"{path.name}: expected a FASTA sequence of at least {SHORTEST_GENOME} bases;"
            f" the longest has {len(longest)}",
            field="genome",
        )
    codes = coded(longest)
    if (strange := np.flatnonzero(codes == 255)).size:
        letter = chr(longest[int(strange[0])])
        raise PlanError(
            f"{path.name}: expected only A, C, G and T; found {letter!r} at base"
            f" {int(strange[0]) + 1} of the longest sequence",
            field="genome",
        )
    return codes


class Fragments:
    """Fragments of some genomes, read from both ends.

    Each is held with its reverse complement behind it, so that each read is one stretch.

    Attributes:
        has_ends: fragments at a genome's ends begin or stop there, as those of a molecule that is
            broken at random; its ends are then read as often as the rest. Otherwise a fragment
            lies anywhere within, and hardly any reaches the ends.
    """

    def __init__(self, genomes: Sequence[Codes], *, has_ends: bool) -> None:
        self.has_ends = has_ends
        strands = [strand for codes in genomes for strand in (codes, 3 - codes[::-1])]
        self.source = np.concatenate(strands)
        self.lengths = np.array([codes.size for codes in genomes])
        self.offsets = 2 * (np.cumsum(self.lengths) - self.lengths)

    def reads(
        self, origin: npt.NDArray[np.int64], lengths: tuple[int, ...], rng: np.random.Generator
    ) -> list[Codes]:
        """One array (fragments, length) a read; `origin` is the place of each one's genome.

        The first read is the fragment's start, the second the reverse complement of its end;
        half of the fragments lie on the reverse strand.
        """
        shortest = max(_SHORTEST_FRAGMENT, *lengths)
        sizes = rng.integers(shortest, max(_LONGEST_FRAGMENT, shortest + 1), origin.size)
        whole, offset = self.lengths[origin], self.offsets[origin]
        beyond = sizes if self.has_ends else 0
        drawn = rng.random(origin.size) * (whole - sizes + 2 * beyond) - beyond
        starts = np.clip(drawn, 0, whole - sizes).astype(np.int64)
        left = offset + starts
        right = offset + whole + whole - (starts + sizes)
        reverse = rng.random(origin.size) < 0.5
        firsts = (np.where(reverse, right, left), np.where(reverse, left, right))
        return [
            np.lib.stride_tricks.sliding_window_view(self.source, length)[first]
            for length, first in zip(lengths, firsts, strict=False)
        ]
