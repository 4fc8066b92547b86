"""The gate that every transfer and archive passes: when the job is made, and before bytes move.

The question is written anew at each start of a job, so that a policy which a site configures later
is asked for those that wait, too. It names the destination; so a job whose destination is another
one by then does not start.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from arteriole.app.config import ConfigError
from arteriole.app.errors import ArterioleError
from arteriole.policy.errors import PolicyError
from arteriole.policy.explanation import explain
from arteriole.policy.policy import Policy, Subject
from arteriole.policy.reading import read_policy
from arteriole.policy.results import Records
from arteriole.policy.settings import DataKind
from arteriole.policy.subjects import subjects_of

#: The key of a job's parameters that has its question.
QUESTION = "policy"


@dataclass(frozen=True)
class Gate:
    """Of one service; the file is read at each question, so that a change counts at once.

    Attributes:
        path: of policy.yaml. service: `transfer` or `archive`.
        run_roots: where run folders are, whose sheets older attempts need.
    """

    path: Path
    service: str
    run_roots: tuple[Path, ...]

    def question(
        self,
        run: str,
        fastq: Path,
        destination: str,
        kinds: Sequence[DataKind],
        results: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """What a job's parameters are to have, so that its worker asks. Nothing is looked at.

        `results`: of these, their `folder` and the `manifest_root`.
        """
        folders = [str(root / run) for root in dict.fromkeys(self.run_roots)]
        return {
            "file": str(self.path),
            "run_dirs": folders,
            "fastq": str(fastq),
            "destination": f"{self.service}.{destination}",
            "kinds": [kind.value for kind in kinds],
            "results": results,
        }

    def explain(self, run: str, fastq: Path) -> dict[str, Any]:
        """As `explanation.explain`; PolicyError as of `ask`."""
        policy = policy_at(self.path)
        run_dir = _first_there(root / run for root in dict.fromkeys(self.run_roots))
        return explain(policy, subjects_of(policy, fastq, run_dir))


def question(
    gate: Gate | None,
    run: str,
    fastq: Path,
    destination: str,
    kinds: Sequence[DataKind],
    results: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What the parameters of a job are to have; a site without a policy asks nothing."""
    if gate is None:
        return {}
    return {QUESTION: gate.question(run, fastq, destination, kinds, results)}


def ask(parameters: dict[str, Any], *, observe: bool = False) -> None:
    """Ask what the parameters of a job have, if they have anything.

    Raises:
        PolicyError: it is refused, or the question cannot be answered.
    """
    if QUESTION in parameters:
        _answer(parameters[QUESTION], observe=observe)


def require_same(name: str, given: Any, now: BaseModel | None, tuning: Set[str]) -> None:
    """What the destination `name` is `now` has to be what a job was made with.

    Args:
        given: as the job's parameters have it.
        now: by the settings, if they have it.
        tuning: the settings that say neither where data goes nor how it lies there.

    Raises:
        PolicyError: it is another one.
    """
    if now is None:
        raise _changed(f"arteriole.yaml has no destination {name} any more")
    try:
        then = type(now).model_validate(given)
    except ValidationError as err:  # of another kind, or of another version
        raise _changed(f"the destination {name} is another one now") from err
    keys = [key for key in type(now).model_fields if getattr(then, key) != getattr(now, key)]
    if differing := ", ".join(key for key in keys if key not in tuning):
        raise _changed(f"the destination {name} is another one now, by its {differing}")


def _changed(what: str) -> PolicyError:
    return PolicyError(
        f"{what}; the job was made before, and is not started",
        code="destination.changed",
        hint="if the data is to go there as it is now, retry: that makes the job anew",
    )


def _first_there(folders: Iterable[Path]) -> Path | None:
    return next((folder for folder in folders if folder.is_dir()), None)


def policy_at(path: Path) -> Policy:
    """The policy; PolicyError if it cannot be used, so that nothing goes anywhere."""
    try:
        return read_policy(path)
    except ConfigError as err:
        raise PolicyError(
            f"the policy cannot be used, so nothing is sent: {err}",
            code="policy.unusable",
            hint="mend it; arteriole config check tells when it is good; then retry",
        ) from err


def _answer(question: dict[str, Any], *, observe: bool) -> None:
    policy = policy_at(Path(question["file"]))
    run_dir = _first_there(map(Path, question["run_dirs"]))
    try:
        subjects = subjects_of(policy, Path(question["fastq"]), run_dir)
    except ArterioleError:
        if observe:  # there may be no attempt yet, and its sheet elsewhere
            return
        raise
    if (results := question.get("results")) is not None:
        subjects += _of_others(policy, question, results)
    for kind in map(DataKind, question["kinds"]):
        judged = policy.strictest(subjects, kind, question["destination"])
        if not judged.allowed:
            raise PolicyError(
                f"{judged.why}; of several projects the strictest counts",
                hint="name another destination, or change policy.yaml; why: arteriole policy"
                f" explain {Path(question['fastq']).parent.name}",
            )


def _of_others(policy: Policy, question: dict[str, Any], results: dict[str, str]) -> list[Subject]:
    """Whose reads are in the results besides: their attempts may be of other runs."""
    roots = [Path(folder).parent for folder in question["run_dirs"]]
    records = Records(roots, Path(question["fastq"]).parents[1], Path(results["manifest_root"]))
    return records.subjects_in(policy, Path(results["folder"]))
