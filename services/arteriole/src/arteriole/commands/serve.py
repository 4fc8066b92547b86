"""The command `arteriole serve`."""

import asyncio
import logging
import sys

import click
import structlog

from arteriole.commands.terminal import settings_of
from arteriole.serve import configured, serve


@click.command("serve", short_help="Run the services until stopped.")
@click.argument("names", nargs=-1)
@click.pass_context
def serve_command(context: click.Context, names: tuple[str, ...]) -> None:
    """Run the named services, or all that are configured, until stopped."""
    _log_to_stderr()
    settings = settings_of(context)
    asyncio.run(serve(settings, list(names) or configured(settings)))


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    logging.getLogger("arteriole").setLevel(logging.INFO)
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
