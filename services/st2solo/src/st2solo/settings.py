"""How the engine runs on this machine."""

from dataclasses import dataclass, field
from pathlib import Path

from st2solo.environments import Environments


@dataclass(frozen=True)
class SshSettings:
    """How actions reach other hosts.

    Without a `user` it is the one that st2solo runs as; without a `key_file`, that user's own
    keys. Only hosts whose keys are in `known_hosts` are talked to.
    """

    user: str | None = None
    key_file: Path | None = None
    known_hosts: Path = field(default_factory=lambda: Path.home() / ".ssh" / "known_hosts")


@dataclass(frozen=True)
class EngineSettings:
    """Where the engine works and what it hands to actions.

    `api_url` is the API's address including `/v1`. `work_dir` holds one folder for each process
    that runs; it is private to the user of st2solo. `environments` know the interpreter of each
    pack. `system_user` is used where an execution names nobody. `rerun` are the refs of actions
    that run again when their process died. `validate_output_schema` fails an action whose output
    does not fit what it declares. `max_result_size` is how many bytes an action may print, and how
    many return.
    """

    api_url: str
    work_dir: Path
    environments: Environments = field(default_factory=Environments)
    system_user: str = "stanley"
    max_processes: int = 40
    max_result_size: int = 16 * 2**20
    token_ttl_seconds: int = 24 * 60 * 60
    kill_grace_seconds: float = 5.0
    validate_output_schema: bool = False
    rerun: frozenset[str] = frozenset()
    ssh: SshSettings = field(default_factory=SshSettings)
