"""The command `arteriole`."""

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from arteriole.app.errors import ArterioleError
from arteriole.commands.terminal import complain

#: Where each command is; none is imported before it is asked for, as some bring much with them.
COMMANDS = {
    "serve": "arteriole.commands.serve:serve_command",
    "clean": "arteriole.commands.clean:clean_command",
    "config": "arteriole.commands.config:config_group",
    "token": "arteriole.commands.token:token_group",
    "runs": "arteriole.commands.listing:runs_command",
    "run": "arteriole.commands.show:run_command",
    "why": "arteriole.commands.show:why_command",
    "holds": "arteriole.commands.show:holds_command",
    "hold": "arteriole.commands.act:hold_command",
    "release": "arteriole.commands.act:release_command",
    "retry": "arteriole.commands.act:retry_command",
    "accept": "arteriole.commands.act:accept_command",
    "redo": "arteriole.commands.act:redo_command",
    "abort": "arteriole.commands.act:abort_command",
    "waive": "arteriole.commands.act:waive_command",
    "unwaive": "arteriole.commands.act:unwaive_command",
    "adopt": "arteriole.commands.act:adopt_command",
    "log": "arteriole.commands.log:log_command",
    "let-pass": "arteriole.commands.let_pass:let_pass_command",
    "steps": "arteriole.commands.steps:steps_command",
    "samplesheet": "arteriole.commands.samplesheet:samplesheet_group",
    "metadata": "arteriole.commands.metadata:metadata_group",
    "policy": "arteriole.commands.policy:policy_group",
    "restore": "arteriole.commands.restore:restore_command",
    "drills": "arteriole.commands.drills:drills_command",
    "indexes": "arteriole.commands.indexes:indexes_command",
    "inspect": "arteriole.inspection.command:inspect",
    "observe": "arteriole.observe.command:observe",
    "simulate": "arteriole.simulator.command:simulate",
    "judge": "arteriole.simulator.command:judge",
}


class Commands(click.Group):
    """Imports a command when it is asked for.

    Tells an ArterioleError as one sentence and a hint, never as a traceback.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArterioleError as err:
            complain(f"{err} [{err.code}]", err.hint)
            sys.exit(1)


@click.group(cls=Commands)
@click.option(
    "--config",
    "config",
    envvar="ARTERIOLE_CONFIG",
    type=click.Path(path_type=Path),
    help="arteriole.yaml; also ARTERIOLE_CONFIG.",
)
@click.version_option(package_name="arteriole")
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Runs a DNA sequencing centre by events."""
    context.obj = config


if __name__ == "__main__":
    main()
