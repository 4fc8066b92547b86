"""Commands that change something: hold, release, accept, retry, redo, abort, waive, adopt."""

from typing import Any

import click

from arteriole.client import Client, ClientError, run_path
from arteriole.commands.terminal import client_of, complain, say
from arteriole.runfolder.ignorable import Ignorable


def _scope(name: str | None, everything: bool, instrument: str | None) -> dict[str, str]:
    """The one scope that was named."""
    named = [
        {"scope": scope, "name": of}
        for scope, of, is_named in (
            ("run", name or "", name is not None),
            ("instrument", instrument or "", instrument is not None),
            ("all", "", everything),
        )
        if is_named
    ]
    if len(named) != 1:
        raise click.UsageError("give exactly one of RUN, --instrument SERIAL and --all")
    return named[0]


def _what(scope: dict[str, str]) -> str:
    return {"all": "all runs", "instrument": f"all runs of {scope['name']}"}.get(
        scope["scope"], scope["name"]
    )


@click.command("hold", short_help="Let no stage begin; what runs goes on.")
@click.argument("name", required=False, metavar="[RUN]")
@click.option("--instrument", help="Every run of the instrument with this serial.")
@click.option("--all", "everything", is_flag=True, help="Every run.")
@click.option("--reason", required=True, help="Shown to whoever asks why.")
@click.pass_context
def hold_command(
    context: click.Context, name: str | None, instrument: str | None, everything: bool, reason: str
) -> None:
    """Let no stage begin, also of runs that come later; what runs goes on."""
    scope = _scope(name, everything, instrument)
    client = client_of(context)
    client.post("holds", {**scope, "reason": reason})
    say(f"{_what(scope)} {'is' if scope['scope'] == 'run' else 'are'} held")
    if instrument is not None:
        known = {run["instrument"] for run in client.get("runs")["runs"]} - {None, ""}
        if instrument not in known:
            seen = f"; seen were runs of {', '.join(sorted(known))}" if known else ""
            say(f"no run of it was seen yet{seen}")


@click.command("release")
@click.argument("name", required=False, metavar="[RUN]")
@click.option("--instrument", help="The hold of the instrument with this serial.")
@click.option("--all", "everything", is_flag=True, help="The hold of all.")
@click.pass_context
def release_command(
    context: click.Context, name: str | None, instrument: str | None, everything: bool
) -> None:
    """End a hold; what is due then begins. Safe to do twice."""
    scope = _scope(name, everything, instrument)
    client = client_of(context)
    released = client.post("holds/release", scope)["released"]
    say(f"{_what(scope)}: {'the hold is ended' if released else 'there was no such hold'}")
    if scope["scope"] == "run" and (held := client.get(run_path(scope["name"]))["held"]):
        of = "--all" if held["scope"] == "all" else f"--instrument {held['name']}"
        say(f"it is still held by the hold of {held['scope']} {held['name']}".rstrip())
        say(f"  arteriole release {of}")


@click.command("retry")
@click.argument("name", metavar="RUN")
@click.pass_context
def retry_command(context: click.Context, name: str) -> None:
    """Try the failed stages of a run again; safe to do twice."""
    stages = client_of(context).post(run_path(name, "retry"))["retried"]
    say(f"tried again: {', '.join(stages)}" if stages else "nothing had failed")


@click.command("accept", short_help="Let a held stage count as done as it is.")
@click.argument("name", metavar="RUN")
@click.option("--stage", help="This one alone; else every held stage of the newest attempt.")
@click.option("--reason", required=True, help="Kept with the stage and in the history.")
@click.pass_context
def accept_command(context: click.Context, name: str, stage: str | None, reason: str) -> None:
    """Let a held stage count as done as it is, so that the next begins; safe to do twice."""
    body = {"stage": stage, "reason": reason}
    stages = client_of(context).post(run_path(name, "accept"), body)["accepted"]
    say(f"accepted: {', '.join(stages)}" if stages else "nothing is held")


@click.command("redo", short_help="Do a run again from a stage on.")
@click.argument("name", metavar="RUN")
@click.option("--from", "first", required=True, help="The first stage to do again.")
@click.option("--reason", default="", help="Kept in the history.")
@click.pass_context
def redo_command(context: click.Context, name: str, first: str, reason: str) -> None:
    """Do a run again from a stage on; data made anew is a new attempt beside the old one."""
    answer = client_of(context).post(run_path(name, "redo"), {"from": first, "reason": reason})
    say(f"{name} goes on from {first} as attempt {answer['attempt']}")


@click.command("abort", short_help="End a run's attempt and stop its jobs.")
@click.argument("name", metavar="RUN")
@click.option("--reason", default="no reason given", help="Kept in the history.")
@click.pass_context
def abort_command(context: click.Context, name: str, reason: str) -> None:
    """End a run's attempt and stop its jobs, or dismiss a run; safe to do twice."""
    jobs = client_of(context).post(run_path(name, "abort"), {"reason": reason})["jobs"]
    say(f"{name} is aborted")
    failures = [err for job in jobs if (err := _stop(context, name, job)) is not None]
    for err in failures:
        complain(str(err), err.hint)
    if failures:
        complain("not every job is stopped", f"when that is mended: arteriole abort {name}")
        context.exit(1)


def _stop(context: click.Context, run: str, job: dict[str, Any]) -> ClientError | None:
    """NB: after a service lost its store the same number may be another run's job."""
    told = f"{job['service']}/{job['job_id']}"
    number = int(job["job_id"])
    try:
        service = client_of(context, job["service"])
        if service.get(f"status/{number}").get("run") != run:
            return ClientError(f"{told} is not a job of {run} any more; it was left alone")
        service.post(f"stop/{number}")
    except ClientError as err:
        return ClientError(f"{told} could not be stopped: {err}", hint=err.hint)
    say(f"stopped {told}")
    return None


@click.command("waive", short_help="Let a run be worked on as it is.")
@click.argument("name", metavar="RUN")
@click.option(
    "--ignore",
    multiple=True,
    type=click.Choice([one.value for one in Ignorable]),
    help="What the conversion may make up; may be given several times.",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="CODE",
    help="A rule of sample sheets that is to stop nothing; may be given several times.",
)
@click.option("--reason", required=True, help="Kept with the run and in its history.")
@click.pass_context
def waive_command(
    context: click.Context, name: str, ignore: tuple[str, ...], rules: tuple[str, ...], reason: str
) -> None:
    """Let a run that is incomplete, failed or stalled be worked on as it is.

    Or one that is complete, if its conversion found damage or an empty sample. With --rule errors
    of that code in its sample sheet stop nothing; what cannot be read is refused all the same. Its
    next attempt is degraded for good.
    """
    body: dict[str, Any] = {"reason": reason, "ignore": list(ignore)}
    if rules:
        body["rules"] = list(rules)
    client = client_of(context)
    answer = client.post(run_path(name, "waive"), body)
    run = client.get(run_path(name))
    stays = bool(run["attempt"]) and not run["observed"] and not _is_made_so(run)
    if ignore or not rules:
        ignored = ", ".join(answer["waiver"]["ignore"]) or "nothing"
        its = "its next attempt" if stays else "its attempt"
        say(f"{name} may be worked on as it is, ignoring {ignored}; {its} is degraded")
    if rules:
        waived = ", ".join(one["rule"] for one in answer["waived_rules"])
        say(f"waived for the sheet of {name}: {waived}; its next attempt is degraded")
    if stays:
        _tell_redo(run, "check" if rules else "convert")


def _is_made_so(run: dict[str, Any]) -> bool:
    """Its newest attempt was made under all that is waived now."""
    newest, waiver = run["attempts"][-1], run["waiver"] or {"ignore": []}
    return (
        newest["degraded"]
        and set(waiver["ignore"]) <= set(newest["ignore"])
        and {one["rule"] for one in run["waived_rules"]} <= set(newest["waived_rules"])
    )


def _tell_redo(run: dict[str, Any], first: str) -> None:
    """That what it has stays as it is, and how the next attempt is made."""
    stages = {one["stage"] for one in run["stages"] if one["attempt"] == run["attempt"]}
    say(f"attempt {run['attempt']} ({run['standing']}) stays as it is; to make the next:")
    say(f"  arteriole redo {run['name']} --from {first if first in stages else 'STAGE'}")


@click.command("unwaive", short_help="Withdraw a run's waiver.")
@click.argument("name", metavar="RUN")
@click.option(
    "--rule", "rules", multiple=True, metavar="CODE", help="Only the waiver of this rule."
)
@click.option("--reason", required=True, help="Kept in the history.")
@click.pass_context
def unwaive_command(context: click.Context, name: str, rules: tuple[str, ...], reason: str) -> None:
    """Withdraw all that is waived of a run: no further attempt is made so. Safe to do twice.

    An attempt that was made so stays degraded, and goes on; abort ends it.
    """
    body: dict[str, Any] = {"reason": reason, **({"rules": list(rules)} if rules else {})}
    answer = client_of(context).post(run_path(name, "unwaive"), body)
    of = f" of {', '.join(answer['rules'])}" if rules else ""
    none = "no such waiver" if rules else "no waiver"
    say(f"the waiver{of} of {name} is withdrawn" if answer["unwaived"] else f"{name} has {none}")
    degraded = ", ".join(map(str, answer["degraded"]))
    if degraded:
        one = len(answer["degraded"]) == 1
        say(f"attempt{'' if one else 's'} {degraded} {'is' if one else 'are'} degraded for good")


@click.command("adopt", short_help="Let runs that were found, observed or dismissed be worked on.")
@click.argument("names", nargs=-1, metavar="[RUN]...")
@click.option("--all", "everything", is_flag=True, help="Every run that waits for it.")
@click.pass_context
def adopt_command(context: click.Context, names: tuple[str, ...], everything: bool) -> None:
    """Let runs be worked on that were there at the first scan, observed or dismissed.

    With --all those that were dismissed stay so.
    """
    if everything == bool(names):
        raise click.UsageError("give either RUN... or --all")
    client = client_of(context)
    if everything:
        names = _adoptable(client)
    refused = False
    for name in names:
        try:
            client.post(run_path(name, "adopt"))
        except ClientError as err:
            refused = True
            complain(f"{name}: {err} [{err.code}]", err.hint)
        else:
            say(f"adopted {name}")
    if refused:
        context.exit(1)


def _adoptable(client: Client) -> tuple[str, ...]:
    answer = client.get("runs")
    waiting = [
        run
        for run in answer["runs"]
        if not run["adopted"] and run["verdict"] != "refused" and run["state"] != "cancelled"
    ]
    if answer.get("mode") == "observe":
        observed = [run for run in waiting if run["observed"]]
        if observed:
            say(f"{len(observed)} observed already; set mode: act to work on them")
        waiting = [run for run in waiting if not run["observed"]]
    if not waiting:
        say("no run waits for it")
    return tuple(run["name"] for run in waiting)
