"""Where an attempt's FASTQs and manifests lie (docs/architecture.md, On disk)."""

from pathlib import Path

from arteriole.app.errors import InvalidError
from arteriole.app.names import require_identifier, within

#: The parts of an attempt's data, as their manifests are called.
RUNFOLDER, FASTQ = "runfolder", "fastq"
#: The four manifests of an attempt, and the digest that each holds.
MANIFESTS = ("runfolder.md5", "runfolder.blake3", "fastq.md5", "fastq.blake3")


def find_attempt(fastq_root: Path, run: str, attempt: int) -> Path:
    """The folder with the FASTQs of `attempt`; InvalidError if there is none."""
    require_identifier(run, "run")
    folder = within(fastq_root, run, f"attempt-{attempt}")
    if not folder.is_dir():
        raise InvalidError(
            f"no FASTQ folder {fastq_root / run / f'attempt-{attempt}'}",
            code="attempt.not_found",
            hint=f"convert the run first: attempt {attempt} of {run} is not complete",
            field="attempt",
        )
    return folder


def attempt_folder(fastq_root: Path, run: str, attempt: int) -> Path:
    """Where the FASTQs of `attempt` are, or will be."""
    require_identifier(run, "run")
    return within(fastq_root, run, f"attempt-{attempt}")


def manifest_folder(manifest_root: Path, run: str, attempt: int) -> Path:
    """Where the manifests of `attempt` are, or will be."""
    require_identifier(run, "run")
    return within(manifest_root, run, f"attempt-{attempt}")


def results_folder(
    results_root: Path | None, section: str, run: str, attempt: int, *, observe: bool
) -> Path:
    """Where the results of `attempt` are; with `observe` they need not be there.

    Raises:
        InvalidError: `section` of arteriole.yaml names no `results_root`, or there are none.
    """
    require_identifier(run, "run")
    if results_root is None:
        raise InvalidError(
            f"results are asked for, and {section} has no results_root",
            code="results.not_set",
            hint=f"set {section}.results_root in arteriole.yaml to where analyses leave them",
            field="part",
        )
    folder = within(results_root, run, f"attempt-{attempt}")
    if not observe and not folder.is_dir():
        raise InvalidError(
            f"no results of attempt {attempt}: there is no {folder}",
            code="results.none",
            hint="analyse the attempt first, and check results_root in arteriole.yaml",
            field="part",
        )
    return folder


def journal_path(jobs: Path, run: str, what: str) -> Path:
    """Where it is kept what was digested of a run folder or an attempt, beside the jobs.

    NB: no backup has what is in a folder `work`: it can be made again.
    """
    return jobs.parent / "work" / f"{run}.{what}.sqlite"


def require_manifests(
    manifest_root: Path, run: str, attempt: int, names: tuple[str, ...] = MANIFESTS
) -> Path:
    """The folder of the manifests of `attempt`; InvalidError if one of `names` is missing."""
    folder = manifest_folder(manifest_root, run, attempt)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise InvalidError(
            f"{folder} has no {', '.join(missing)}",
            code="manifest.missing",
            hint=f"the checksum stage of {run}, attempt {attempt}, has to be done first",
        )
    return folder
