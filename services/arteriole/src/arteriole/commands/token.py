"""Commands on tokens."""

import click

from arteriole.app.auth import Role, Tokens
from arteriole.commands.terminal import settings_of


@click.group("token")
def token_group() -> None:
    """Who may call the services."""


@token_group.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice([role.name.lower() for role in Role]), default="operator")
@click.pass_context
def token_create(context: click.Context, name: str, role: str) -> None:
    """Make a token for NAME and print it: it cannot be shown again."""
    click.echo(Tokens(settings_of(context).token_file).create(name, Role[role.upper()]))


@token_group.command("revoke")
@click.argument("name")
@click.pass_context
def token_revoke(context: click.Context, name: str) -> None:
    """End the token of NAME, from the next call on."""
    if not Tokens(settings_of(context).token_file).revoke(name):
        raise click.ClickException(f"{name} has no token")


@token_group.command("list")
@click.pass_context
def token_list(context: click.Context) -> None:
    """Names and roles."""
    for name, role in Tokens(settings_of(context).token_file).names().items():
        click.echo(f"{name}\t{role}")
