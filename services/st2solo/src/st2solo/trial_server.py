"""A throw-away st2solo, as the fixture `st2solo` starts it.

    python -m st2solo.trial_server CONFIG SENSORS ENVIRONMENTS

SENSORS is `on` or `off`. A token of an administrator is in `<state>/token` before it serves. It
ends when its standard input is closed, so that it cannot outlive the tests.
"""

import asyncio
import os
import secrets
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

from st2solo import (
    compat,  # noqa: F401 - has to come before anything that imports orquesta
    logs,
)
from st2solo import config as configuration
from st2solo.auth import Tokens, Users
from st2solo.config import Config
from st2solo.environments import Environments
from st2solo.errors import St2SoloError
from st2solo.metadata_file import MetadataError
from st2solo.pack_tests import REQUIREMENTS
from st2solo.resources import Kind, Resources
from st2solo.server import make_environments, registry_of, serve
from st2solo.store import Store

USER = "tester"


def prepare(config: Config, environments: Path, *, sensors: bool) -> None:
    """Register all packs, make their Python environments, and leave a token.

    Raises:
        MetadataError: a file of a pack is wrong.
        St2SoloError: an environment cannot be made.
    """
    store = Store(config.store)
    try:
        registry, resources, *_ = registry_of(config, store)
        registry.register(fail_on_failure=True)
        if not sensors:
            _switch_sensors_off(resources)
        made = Environments(environments, files=REQUIREMENTS)
        unmade = asyncio.run(make_environments(made, registry))
        if unmade:
            raise St2SoloError("; ".join(unmade))
        users = Users(store)
        users.add(USER, secrets.token_hex(16))
        token = Tokens(store, users, config.system_user).issue(USER).token
        (config.state / "token").write_text(token)
    finally:
        store.close()


def _switch_sensors_off(resources: Resources) -> None:
    for sensor in resources.list(Kind.SENSOR):
        resources.update(sensor, sensor.content, enabled=False)


def _end_with_tests() -> None:
    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end-with-tests", daemon=True).start()


def main() -> None:
    _end_with_tests()
    file, sensors, environments = sys.argv[1:]
    config = replace(configuration.load(Path(file)), virtualenvs=Path(environments))
    logs.configure(config.log_level, config.log_format)
    try:
        prepare(config, Path(environments), sensors=sensors == "on")
        asyncio.run(serve(config))
    except MetadataError as error:
        sys.exit("\n".join(map(str, error.problems)))
    except St2SoloError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
