"""Commands on the policy: where data may go, and how long it is kept."""

from pathlib import Path
from typing import Any

import click

from arteriole.checksum.places import attempt_folder
from arteriole.commands.terminal import as_json, say, settings_of
from arteriole.policy.cases import mismatches, read_cases
from arteriole.policy.errors import PolicyError
from arteriole.policy.gate import Gate
from arteriole.policy.reading import read_policy
from arteriole.settings import Settings


@click.group("policy")
def policy_group() -> None:
    """Where data may go, in what form, and how long it is kept."""


@policy_group.command("explain", short_help="What the policy says of a run, and why.")
@click.argument("run")
@click.option("--attempt", type=click.IntRange(1, 9999), help="The newest there, if left out.")
@click.option("--json", "machine", is_flag=True, help="Print one JSON document.")
@click.pass_context
def explain_command(context: click.Context, run: str, attempt: int | None, machine: bool) -> None:
    """Say of each kind of data of RUN where it may go, by which rule, and how long it is kept.

    Needs no service. An attempt that is still to be made is judged by the sheet in its run folder.
    """
    settings = settings_of(context)
    gate = Gate(_policy_of(settings), "archive", settings.run_roots())
    root = _fastq_root(settings)
    attempt = attempt or _newest(attempt_folder(root, run, 1).parent)
    found = gate.explain(run, attempt_folder(root, run, attempt))
    if machine:
        as_json({"run": run, "attempt": attempt, **found})
        return
    say(f"{run}, attempt {attempt}, by {settings.policy}:")
    for kind in found["kinds"]:
        _tell(kind)


def _tell(kind: dict[str, Any]) -> None:
    days = kind["keep_days"]
    kept = "kept here for ever" if days is None else f"kept here for {days} days at least"
    copies = "" if days is None else f"; then {kind['copies']} archived copies have to be there"
    say(f"{kind['kind']}: {kept}{copies} ({', '.join(kind['rules']) or 'no rule fits'})")
    for one in kind["destinations"]:
        word = "allowed" if one["allowed"] else "refused"
        say(f"  {one['destination']}: {word}: {one['why']}")


def _policy_of(settings: Settings) -> Path:
    if settings.policy is None:
        raise PolicyError(
            "arteriole.yaml names no policy, so data goes wherever a job says",
            code="policy.not_found",
            hint="set policy in arteriole.yaml",
        )
    return settings.policy


def _fastq_root(settings: Settings) -> Path:
    sections = (settings.archive, settings.transfer, settings.bcl2fastq)
    root = next((one.fastq_root for one in sections if one is not None), None)
    if root is None:
        raise click.UsageError("no section of arteriole.yaml names fastq_root")
    return root


def _newest(home: Path) -> int:
    numbers = [path.name.removeprefix("attempt-") for path in home.glob("attempt-[0-9]*")]
    return max((int(number) for number in numbers if number.isdecimal()), default=1)


@policy_group.command("test", short_help="Judge a table of cases; ends with 1 if one differs.")
@click.argument("cases", type=click.Path(path_type=Path))
@click.option(
    "--policy", "path", type=click.Path(path_type=Path), help="That of arteriole.yaml, if left out."
)
@click.pass_context
def check_cases_command(context: click.Context, cases: Path, path: Path | None) -> None:
    """Judge each case of the file CASES by the policy, and show those that are judged otherwise.

    Needs no service and, with --policy, no arteriole.yaml: it can run where a site tests what it
    writes.
    """
    policy = read_policy(path or _policy_of(settings_of(context)))
    table = read_cases(cases)
    differing = list(mismatches(policy, table))
    for line in differing:
        say(line)
    wrong = len(differing) // 3
    say(f"{len(table) - wrong} of {len(table)} cases as expected")
    context.exit(1 if wrong else 0)
