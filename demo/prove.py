"""Proves a finished run: every record against the truth, every digest wherever the bytes went.

python -m demo.prove FOLDER RUN      exit code 1 and a line for each thing that is not so
"""

import filecmp
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from arteriole.simulator.judge import judge
from arteriole.simulator.truth import read_truth
from arteriole.simulator.variants import differences
from demo import analysis


@dataclass(frozen=True)
class Proof:
    """What was compared, and what was not as it must be."""

    records: int
    files: int
    variants: int
    problems: tuple[str, ...]


def prove(home: Path, run: str, attempt: int = 1) -> Proof:
    """Compare attempt, cluster and archive of `run` below `home` with truth, source and digests."""
    name = f"attempt-{attempt}"
    incoming = home / "incoming" / run
    manifests = home / "manifests" / run / name
    made = home / "fastq" / run / name
    cluster = home / "cluster" / run / name
    archive = home / "vault" / run / name
    problems: list[str] = []
    records = files = 0
    for where, folder in {"made": made, "cluster": cluster, "archive": archive / "fastq"}.items():
        if not folder.is_dir():
            problems.append(f"{where}: there is no folder {folder}")
            continue
        verdict = judge(home / "truth" / run, folder)
        records += verdict.records
        files += verdict.files
        problems += [f"{where}: {difference}" for difference in verdict.differences]
        problems += _digests(where, folder, manifests / "fastq.md5")
    problems += _digests("archive", archive / "runfolder", manifests / "runfolder.md5")
    problems += _same_tree("archive", incoming, archive / "runfolder")
    ready = home / "cluster" / "ready" / f"{run}.{name}"
    if not ready.is_symlink() or ready.resolve() != cluster.resolve():
        problems.append(f"cluster: the ready link {ready} does not lead to {cluster}")
    variants, differing = _variants(home, run, name)
    return Proof(records, files, variants, tuple(problems + differing))


def _variants(home: Path, run: str, attempt: str) -> tuple[int, list[str]]:
    """The variants that the analyses found of those that were planted, here and in the archive."""
    truth = read_truth(home / "truth" / run)
    places = {
        "results": home / "results" / run / attempt,
        "archive": home / "vault" / run / f"{attempt}.results",
    }
    count, problems = 0, []
    for sample in truth.samples:
        if not truth.variants_of(sample.id):
            continue
        count += len(truth.variants_of(sample.id))
        name = f"{sample.id}.vcf"
        for where, folder in places.items():
            found = [*(folder / analysis.unit(sample.id)).rglob(name)]
            if len(found) != 1:
                problems.append(f"{where}: {len(found)} files {name} instead of one")
            problems += [f"{where}: {one}" for path in found for one in
                         differences(truth, sample.id, path)]  # fmt: skip
    return count, problems


def _digests(where: str, folder: Path, manifest: Path) -> list[str]:
    """What the command md5sum, which is not ours, says of `folder`."""
    if not manifest.is_file() or not folder.is_dir():
        return [f"{where}: {manifest} or {folder} is not there"]
    done = subprocess.run(
        ["md5sum", "--check", "--quiet", "--strict", str(manifest)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return []
    return [f"{where}: {line}" for line in (done.stdout + done.stderr).splitlines()]


def _same_tree(where: str, source: Path, copy: Path) -> list[str]:
    """Names and bytes of every file of `source` and `copy`."""
    names = {_relative(path, source) for path in source.rglob("*") if path.is_file()}
    found = {_relative(path, copy) for path in copy.rglob("*") if path.is_file()}
    problems = [f"{where}: {name} is missing or surplus" for name in sorted(names ^ found)]
    different = filecmp.cmpfiles(source, copy, sorted(names & found), shallow=False)
    return problems + [f"{where}: {name} differs" for name in different[1] + different[2]]


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def main() -> None:
    proof = prove(Path(sys.argv[1]), sys.argv[2])
    for problem in proof.problems:
        print(problem)
    print(
        f"{proof.records} records in {proof.files} files, {proof.variants} variants,"
        f" {len(proof.problems)} problems"
    )
    sys.exit(1 if proof.problems else 0)


if __name__ == "__main__":
    main()
