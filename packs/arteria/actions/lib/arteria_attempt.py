"""What the runfolder service tells of an attempt, and what of it goes to the bcl2fastq service."""

from typing import Any, Dict, List

from arteria_client import Client, path
from arteria_errors import AnswerError
from arteria_names import identifier, number


def chosen_attempt(client: Client, run: str, attempt: int) -> int:
    """`attempt`, or the run's newest if it is 0."""
    identifier(run, "run")
    if number(attempt, "attempt"):
        return number(attempt, "attempt")
    newest = client.get("runfolder", path("runs", run)).get("attempt")
    if not newest:
        raise AnswerError("%s has no attempt" % (run,), hint="name one: attempt=1")
    return number(newest, "attempt")


def attempt_row(client: Client, run: str, attempt: int) -> Dict[str, Any]:
    """What the runfolder service tells of the attempt.

    NB: nothing is done for one that it does not tell of: it might only be observed.
    """
    rows = client.get("runfolder", path("runs", run)).get("attempts") or []
    row = next((row for row in rows if row.get("attempt") == attempt), None)
    if row is None:
        raise AnswerError(
            "expected attempt %d among the attempts of %s that the runfolder service tells of"
            % (attempt, run),
            hint="is the runfolder service of the same version as this pack?",
        )
    return dict(row)


def waived_rules(row: Dict[str, Any]) -> Dict[str, List[str]]:
    """What a request to bcl2fastq says of the rules that a person waived: nothing if none."""
    rules = [identifier(rule, "waived_rules") for rule in row.get("waived_rules") or []]
    return {"waived_rules": rules} if rules else {}
