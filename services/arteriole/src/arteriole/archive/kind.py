"""Archive jobs: what belongs to an attempt, and its manifests, to a destination; and back."""

import enum
import secrets
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import Field

from arteriole.app.errors import InvalidError
from arteriole.app.names import find_run, require_identifier, within
from arteriole.app.routes import Route
from arteriole.archive.clean.case import Case
from arteriole.archive.clean.request import CleanRequest
from arteriole.archive.clean.settings import CleanSettings
from arteriole.archive.clean.work import done_by
from arteriole.archive.destinations import destination_parameters
from arteriole.archive.selection import Selection
from arteriole.archive.settings import TUNING, ArchiveDestination, ArchiveSettings, StorageClass
from arteriole.checksum.digests import digest_text
from arteriole.checksum.part_request import PartRequest
from arteriole.checksum.parts import Part
from arteriole.checksum.places import (
    attempt_folder,
    find_attempt,
    manifest_folder,
    require_manifests,
    results_folder,
)
from arteriole.checksum.units import RESULTS
from arteriole.jobs.jobs import Job, JobState, Outcome
from arteriole.jobs.service import StartRequest
from arteriole.policy.gate import QUESTION, Gate, ask, question, require_same
from arteriole.policy.routes import policy_route
from arteriole.policy.settings import DataKind

#: Of a job that may wait for days until cold objects can be read: nothing waits for it.
WAITING = {"light": True}


class ArchiveRequest(PartRequest):
    destination: str
    #: Of a destination in S3; its own if this is left out.
    storage_class: StorageClass | None = None

    def asked(self) -> dict[str, Any]:
        document = super().asked()
        if self.storage_class is None:
            del document["storage_class"]
        return document


class RestoredPart(enum.StrEnum):
    """What of an attempt is brought back; the first is the next two together."""

    DATA = "data"
    RUNFOLDER = "runfolder"
    FASTQ = "fastq"
    RESULTS = "results"


class RestoreRequest(StartRequest):
    """Body of `POST /api/1.0/restore/<runfolder>`."""

    part: RestoredPart = RestoredPart.DATA
    #: May be left out where there is only one.
    destination: str = ""
    #: Only the FASTQs of this sample.
    sample: str = Field(default="", max_length=200)
    #: Only this file, `<part>/<path>`.
    file: str = Field(default="", max_length=4000)

    def asked(self) -> dict[str, Any]:
        document = {**super().asked(), "verb": "restore"}
        defaults = {"part": RestoredPart.DATA.value, "sample": "", "file": ""}
        return {
            name: v for name, v in document.items() if name not in defaults or v != defaults[name]
        }

    @property
    def selection(self) -> Selection:
        whole = (RestoredPart.DATA, RestoredPart.RESULTS)
        part = "" if self.part in whole else self.part.value
        return Selection(part, self.sample, self.file)


class DrillRequest(StartRequest):
    """What the service itself asks for, once it has chosen what of an attempt."""

    destination: str
    part: Part = Part.DATA


class ArchiveKind:
    name = "archive"
    stage = "archive"
    worker = "arteriole.archive.work"
    request: type[StartRequest] = ArchiveRequest
    rerun = True

    def __init__(self, settings: ArchiveSettings, gate: Gate | None = None) -> None:
        self._settings = settings
        self._gate = gate

    @property
    def destinations(self) -> list[str]:
        return list(self._settings.destinations)

    def parameters(
        self, run: str, request: ArchiveRequest | RestoreRequest | DrillRequest | CleanRequest
    ) -> dict[str, Any]:
        if isinstance(request, DrillRequest):
            return self._of_drill(run, request)
        if isinstance(request, RestoreRequest):
            return self._of_restore(run, request)
        if isinstance(request, CleanRequest):
            return self.of_clean(run, request)
        common = self._common(request.destination)
        if request.storage_class is not None:
            if "s3" not in common:
                raise InvalidError(
                    f"{request.destination} is a directory, which has no storage classes",
                    code="archive.storage_class",
                    hint="leave storage_class out, or name a destination in S3",
                    field="storage_class",
                )
            common["storage_class"] = request.storage_class.value
        of_part = self._of_results if request.part is Part.RESULTS else self._of_data
        given = common | of_part(run, request)
        given |= self._question(run, request.attempt, given)
        ask(given, observe=request.observe)
        return given

    def _question(self, run: str, attempt: int, given: dict[str, Any]) -> dict[str, Any]:
        fastq = attempt_folder(self._settings.fastq_root, run, attempt)
        if given.get("part") != Part.RESULTS:
            return question(self._gate, run, fastq, given["name"], [DataKind.RAW, DataKind.FASTQ])
        root = str(self._settings.manifest_root)
        results = {"folder": given["results"], "manifest_root": root}
        return question(self._gate, run, fastq, given["name"], [DataKind.RESULTS], results)

    def at_start(self, job: Job) -> dict[str, Any]:
        """With the policy of now, where something is sent.

        Raises:
            PolicyError: the destination is another one by now.
        """
        if any(name in job.parameters for name in ("drill", "restore", "clean")):
            return job.parameters
        given = {name: value for name, value in job.parameters.items() if name != QUESTION}
        self._require_same(given)
        return given | self._question(job.run, job.attempt, given)

    def at_end(self, job: Job, outcome: Outcome) -> Outcome:
        """With what a job of clean has done and its worker did not live to tell."""
        if "clean" not in job.parameters or job.observed or outcome.state is JobState.DONE:
            return outcome
        done = done_by(Case.of(job.run, job.attempt, job.parameters), job.job_id)
        return replace(outcome, result={**outcome.result, **done})

    def _require_same(self, given: dict[str, Any]) -> None:
        now = self._settings.destinations.get(given["name"])
        if now is not None and now.s3 is not None:
            require_same(given["name"], given.get("s3"), now.s3, TUNING)
        else:
            require_same(given["name"], {"directory": given.get("directory")}, now, frozenset())

    def _common(self, name: str) -> dict[str, Any]:
        return self._reached(name, self._destination(name))

    def _reached(self, name: str, destination: ArchiveDestination) -> dict[str, Any]:
        """What a worker needs to open it."""
        return {
            "name": name,
            **destination_parameters(destination),
            "threads": self._settings.threads,
            "manifest_root": str(self._settings.manifest_root),
        }

    def require(self, name: str) -> None:
        """InvalidError if there is no destination of this name, or it cannot be used."""
        self._destination(name)

    def _destination(self, name: str) -> ArchiveDestination:
        destination = self._settings.destinations.get(name)
        if destination is None:
            known = ", ".join(self._settings.destinations) or "none"
            raise InvalidError(
                f"no destination {name[:60]!r}; arteriole.yaml has: {known}",
                code="destination.unknown",
                field="destination",
            )
        for key, path in {} if destination.s3 is None else destination.s3.files().items():
            if not path.is_file():
                raise InvalidError(
                    f"{key} of the destination {name} does not exist: {path}",
                    code="destination.unusable",
                    hint="put the file there, or correct arteriole.yaml",
                    field="destination",
                )
        return destination

    def _of_data(self, run: str, request: ArchiveRequest) -> dict[str, Any]:
        settings = self._settings
        runfolder = find_run(settings.run_roots, run)
        if request.observe:
            fastq = attempt_folder(settings.fastq_root, run, request.attempt)
            manifests = manifest_folder(settings.manifest_root, run, request.attempt)
        else:
            fastq = find_attempt(settings.fastq_root, run, request.attempt)
            manifests = require_manifests(settings.manifest_root, run, request.attempt)
        return {
            "runfolder": str(runfolder),
            "fastq": str(fastq),
            "manifests": str(manifests),
        }

    def _of_results(self, run: str, request: ArchiveRequest) -> dict[str, Any]:
        settings = self._settings
        folder = results_folder(
            settings.results_root, self.name, run, request.attempt, observe=request.observe
        )
        manifests = manifest_folder(settings.manifest_root, run, request.attempt)
        return {
            "part": request.part.value,
            "results": str(folder),
            "manifests": str(manifests / RESULTS),
        }

    def _restore_root(self) -> Path:
        if self._settings.restore_root is None:
            raise InvalidError(
                "arteriole.yaml does not say where archived runs are brought back to",
                code="restore.not_set",
                hint="set archive.restore_root, and make that folder",
            )
        return self._settings.restore_root

    def _of_drill(self, run: str, request: DrillRequest) -> dict[str, Any]:
        settings, root = self._settings, self._restore_root()
        name = request.destination
        return {
            **self._common(name),
            **WAITING,
            "part": request.part.value,
            "restore_root": str(root),
            "restore": str(root / f".drill-{digest_text(name.encode())[:12]}"),
            "manifests": str(manifest_folder(settings.manifest_root, run, request.attempt)),
            "drill": {
                "seed": secrets.randbelow(1 << 53),
                "files": settings.drill_files,
                "bytes": settings.drill_bytes,
            },
        }

    def _of_restore(self, run: str, request: RestoreRequest) -> dict[str, Any]:
        require_identifier(run, "run")
        settings, root = self._settings, self._restore_root()
        name = request.destination
        if not name and len(settings.destinations) == 1:
            (name,) = settings.destinations
        selection = request.selection
        results = request.part is RestoredPart.RESULTS
        if results and selection != Selection():
            raise InvalidError(
                "results are brought back unit by unit: expected no sample and no file",
                code="restore.selection",
                hint="leave sample and file out, or name another part",
                field="part",
            )
        folder = f"attempt-{request.attempt}{'.results' if results else selection.folder}"
        return {
            **self._common(name),
            **WAITING,
            "part": (Part.RESULTS if results else Part.DATA).value,
            "selection": asdict(selection),
            "restore_root": str(root),
            "restore": str(within(root, run, folder)),
            "manifests": str(manifest_folder(settings.manifest_root, run, request.attempt)),
        }

    @property
    def clean(self) -> CleanSettings | None:
        return self._settings.clean

    def of_clean(self, run: str, request: CleanRequest) -> dict[str, Any]:
        """NB: what is not there any more is found missing by the worker, not here."""
        settings = self._settings
        roots = [root for root in settings.run_roots if (root / run).is_dir()]
        if roots:
            find_run(settings.run_roots, run)  # refuses two of this name, and links that lead out
        runfolder = (roots or settings.run_roots)[
            0
        ] / run  # NB: unresolved, as results are: a link is no folder
        clean, root, results = settings.clean, settings.restore_root, None
        if settings.results_root is not None:
            results = settings.results_root / run / f"attempt-{request.attempt}"
        return {
            "clean": {
                "verb": request.verb.value,
                "kinds": sorted(set(request.kinds)),
                "runfolder": str(runfolder),
                "fastq": str(attempt_folder(settings.fastq_root, run, request.attempt)),
                "results": None if results is None else str(results),
                "manifests": str(manifest_folder(settings.manifest_root, run, request.attempt)),
                "restore_root": None if root is None else str(root),
                "policy": None if self._gate is None else str(self._gate.path),
                "bins": [] if clean is None else [str(path) for path in clean.bins],
                "bin_days": 0 if clean is None else clean.bin_days,
                "delete": clean is not None and clean.delete,
                "destinations": {
                    name: self._reached(name, one) for name, one in settings.destinations.items()
                },
                "evidence": None if request.evidence is None else request.evidence.model_dump(),
                "known": request.known,
                "people": list(request.people),
                "said": [kind.value for kind in request.said],
            }
        }

    def versions(self) -> dict[str, str]:
        return {"boto3": version("boto3")}

    def routes(self) -> list[Route]:
        return [policy_route(self._gate, self._settings.fastq_root)]
