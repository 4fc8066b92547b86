"""How the engine runs on this machine."""

import sys
from dataclasses import dataclass, field
from pathlib import Path


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
    that runs; it is private to the user of st2solo. `python` runs the packs' Python actions
    unless `virtualenvs`/<pack>/bin/python exists. `system_user` is used where an execution
    names nobody. `rerun` are the refs of actions that run again when their process died.
    `validate_output_schema` fails an action whose output does not fit what it declares.
    """

    api_url: str
    work_dir: Path
    python: Path = Path(sys.executable)
    virtualenvs: Path | None = None
    system_user: str = "stanley"
    max_processes: int = 40
    token_ttl_seconds: int = 24 * 60 * 60
    kill_grace_seconds: float = 5.0
    validate_output_schema: bool = False
    rerun: frozenset[str] = frozenset()
    ssh: SshSettings = field(default_factory=SshSettings)

    def python_of(self, pack: str) -> Path:
        """The interpreter for that pack's actions and sensors."""
        if self.virtualenvs is not None:
            candidate = self.virtualenvs / pack / "bin" / "python"
            if candidate.exists():
                return candidate
        return self.python
