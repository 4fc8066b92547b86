"""Whose reads are in results: an analysis merges lanes and top-ups of other runs."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arteriole.app.names import is_identifier
from arteriole.policy.errors import PolicyError
from arteriole.policy.policy import Policy, Subject
from arteriole.policy.subjects import RECORD, subjects_of

#: As an analysis leaves it in its unit of results.
ANALYSIS = "analysis.json"


@dataclass(frozen=True, order=True)
class Attempt:
    """`name` is that of its folder."""

    run: str
    name: str


def attempts_in(results: Path) -> list[Attempt]:
    """Those that analysis.json of a unit names; a unit without it is of its own run alone.

    Raises:
        PolicyError: one cannot be read.
    """
    found: set[Attempt] = set()
    for path in results.glob(f"*/{ANALYSIS}"):
        if path.parent.name.startswith("."):  # it is being made
            continue
        try:
            samples = json.loads(path.read_bytes())["samples"]
            reads = [one for sample in samples for read in sample["reads"].values() for one in read]
            found |= {_attempt(str(one["path"])) for one in reads}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
            raise PolicyError(
                f"whose reads are in it cannot be known: {path}: {type(err).__name__}",
                code="policy.projects",
                hint="see whether it is as it was archived: arteriole restore RUN --part results",
            ) from err
    return sorted(found)


def _attempt(path: str) -> Attempt:
    run, name, _ = path.split("/", 2)
    if not is_identifier(run) or not re.fullmatch("attempt-[1-9][0-9]{0,3}", name):
        raise ValueError(path)
    return Attempt(run, name)


@dataclass(frozen=True)
class Records:
    """Where attempts are, and attempt.json once their FASTQs have gone."""

    run_roots: Sequence[Path]
    fastq_root: Path
    manifest_root: Path

    def subjects(self, policy: Policy, attempt: Attempt) -> list[Subject]:
        """As `subjects_of`."""
        roots = (self.fastq_root, self.manifest_root)
        folders = [root / attempt.run / attempt.name for root in roots]
        folder = next((one for one in folders if (one / RECORD).exists()), folders[0])
        run_dirs = (root / attempt.run for root in self.run_roots)
        return subjects_of(policy, folder, next(filter(Path.is_dir, run_dirs), None))

    def subjects_in(self, policy: Policy, results: Path) -> list[Subject]:
        """Of every attempt whose reads are there; PolicyError if they cannot be known."""
        return [one for of in attempts_in(results) for one in self.subjects(policy, of)]
