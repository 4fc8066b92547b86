"""What a job of clean is about, from its parameters."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.archive.clean.request import Verb
from arteriole.policy.settings import DataKind

RECORD = "attempt.json"
#: What each kind of data is called among the manifests, and in an archive.
PARTS = {DataKind.RAW: "runfolder", DataKind.FASTQ: "fastq", DataKind.RESULTS: "results"}


@dataclass(frozen=True)
class Case:
    """`known` is what our own store knew, `evidence` what the service of runs said; of `kinds`
    people's word is about those `said`.

    `policy` is None where the site has none, `results` where it names no place for them; `delete`
    is whether its settings let anything go.
    """

    run: str
    attempt: int
    verb: Verb
    kinds: tuple[DataKind, ...]
    said: tuple[DataKind, ...]
    runfolder: Path
    fastq: Path
    results: Path | None
    manifests: Path
    restore_root: Path | None
    policy: Path | None
    bins: tuple[Path, ...]
    bin_days: int
    delete: bool
    destinations: dict[str, dict[str, Any]]
    evidence: dict[str, Any] | None
    known: dict[str, Any]

    @classmethod
    def of(cls, run: str, attempt: int, parameters: dict[str, Any]) -> "Case":
        told = parameters["clean"]
        root, policy, results = told["restore_root"], told["policy"], told["results"]
        return cls(
            run=run,
            attempt=attempt,
            verb=Verb(told["verb"]),
            kinds=tuple(map(DataKind, told["kinds"])),
            said=tuple(map(DataKind, told.get("said", told["kinds"]))),
            runfolder=Path(told["runfolder"]),
            fastq=Path(told["fastq"]),
            results=None if results is None else Path(results),
            manifests=Path(told["manifests"]),
            restore_root=None if root is None else Path(root),
            policy=None if policy is None else Path(policy),
            bins=tuple(map(Path, told["bins"])),
            bin_days=told["bin_days"],
            delete=told["delete"],
            destinations=told["destinations"],
            evidence=told["evidence"],
            known=told["known"],
        )

    def source(self, kind: DataKind) -> Path:
        if kind is DataKind.RESULTS:
            assert self.results is not None, "it was asked before"
            return self.results
        return self.runfolder if kind is DataKind.RAW else self.fastq

    @property
    def is_in_place(self) -> bool:
        """Whether it is about what lies in its place, not in a bin."""
        return self.verb is not Verb.EMPTY

    @property
    def record_folder(self) -> Path:
        """Where attempt.json is: once the FASTQs are gone, beside the manifests."""
        return self.fastq if (self.fastq / RECORD).exists() else self.manifests

    def finished(self) -> str:
        """When the attempt was; OSError, ValueError or KeyError if that cannot be known."""
        return str(json.loads((self.record_folder / RECORD).read_bytes())["finished"])
