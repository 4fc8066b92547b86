"""Commands on arteriole.yaml."""

import click

from arteriole.commands.config_notes import notes
from arteriole.commands.terminal import say, settings_of
from arteriole.policy.reading import require_policy
from arteriole.serve import configured


@click.group("config")
def config_group() -> None:
    """The configuration."""


@config_group.command("check")
@click.pass_context
def config_check(context: click.Context) -> None:
    """Check arteriole.yaml; what is wrong is told with file and line."""
    settings = settings_of(context)
    if settings.policy is not None:
        require_policy(settings.policy, settings.destinations(), settings.encrypting())
    services = ", ".join(configured(settings)) or "none (none has a section)"
    click.echo(f"{context.obj}: good; mode: {settings.mode.value}; services: {services}")
    for note in notes(settings):
        say(f"  note: {note}")


@config_group.command("reference", short_help="Print every setting, and what it does.")
def config_reference() -> None:
    """Print every setting of arteriole.yaml and policy.yaml, what it may be, and what it does."""
    from arteriole.commands.settings_page import page

    click.echo("\n".join(page()))
