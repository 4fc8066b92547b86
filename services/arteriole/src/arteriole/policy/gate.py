"""The gate that every transfer and archive passes: when the job is made, and before bytes move."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.app.config import ConfigError
from arteriole.app.errors import ArterioleError
from arteriole.policy.errors import PolicyError
from arteriole.policy.explanation import explain
from arteriole.policy.policy import Policy
from arteriole.policy.reading import read_policy
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

    def ask(
        self,
        run: str,
        fastq: Path,
        destination: str,
        kinds: Sequence[DataKind],
        *,
        observe: bool = False,
    ) -> dict[str, Any]:
        """What the job's parameters are to have, so that its worker asks again.

        Raises:
            PolicyError: it is refused, or the question cannot be answered.
        """
        question = {
            "file": str(self.path),
            "run_dir": None if (found := self._run_dir(run)) is None else str(found),
            "fastq": str(fastq),
            "destination": f"{self.service}.{destination}",
            "kinds": [kind.value for kind in kinds],
        }
        _answer(question, observe=observe)
        return {QUESTION: question}

    def explain(self, run: str, fastq: Path) -> dict[str, Any]:
        """As `explanation.explain`; PolicyError as of `ask`."""
        policy = policy_at(self.path)
        return explain(policy, subjects_of(policy, fastq, self._run_dir(run)))

    def _run_dir(self, run: str) -> Path | None:
        folders = (root / run for root in dict.fromkeys(self.run_roots))
        return next((folder for folder in folders if folder.is_dir()), None)


def ask(
    gate: Gate | None,
    run: str,
    fastq: Path,
    destination: str,
    kinds: Sequence[DataKind],
    *,
    observe: bool,
) -> dict[str, Any]:
    """As `Gate.ask`; a site without a policy asks nothing."""
    return {} if gate is None else gate.ask(run, fastq, destination, kinds, observe=observe)


def ask_again(parameters: dict[str, Any], *, observe: bool = False) -> None:
    """The question of a job, by its worker; PolicyError as of `Gate.ask`."""
    if QUESTION in parameters:
        _answer(parameters[QUESTION], observe=observe)


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
    run_dir = None if question["run_dir"] is None else Path(question["run_dir"])
    try:
        subjects = subjects_of(policy, Path(question["fastq"]), run_dir)
    except ArterioleError:
        if observe:  # there may be no attempt yet, and its sheet elsewhere
            return
        raise
    for kind in map(DataKind, question["kinds"]):
        judged = policy.strictest(subjects, kind, question["destination"])
        if not judged.allowed:
            raise PolicyError(
                f"{judged.why}; of several projects the strictest counts",
                hint="name another destination, or change policy.yaml; why: arteriole policy"
                f" explain {Path(question['fastq']).parent.name}",
            )
