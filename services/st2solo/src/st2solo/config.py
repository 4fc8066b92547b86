"""`st2solo.yaml`: where the packs, their configurations and the state are, and the ports."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from st2solo import metadata_file
from st2solo.collector import Keep
from st2solo.environments import Environments
from st2solo.metadata_file import MetadataError, MetadataFile
from st2solo.settings import EngineSettings, SshSettings

_PORT: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 65535}
_DAYS: dict[str, Any] = {"type": ["number", "null"], "minimum": 0, "exclusiveMinimum": True}
#: What ssh takes between double quotes as it is (ssh_config(5)).
_QUOTABLE_PATH: dict[str, Any] = {"type": "string", "pattern": r"^[^\x00-\x1f\"\\$]+\Z"}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["packs", "state"],
    "properties": {
        "packs": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "configs": {"type": "string"},
        "state": {"type": "string"},
        "host": {"type": "string"},
        "ports": {
            "type": "object",
            "properties": {"auth": _PORT, "api": _PORT, "stream": _PORT},
            "additionalProperties": False,
        },
        "system_user": {"type": "string", "minLength": 1},
        "installed_packs": {"type": "string"},
        "virtualenvs": {"type": "string"},
        "ssh": {
            "type": "object",
            "properties": {
                "user": {"type": "string", "pattern": r"^[A-Za-z0-9_][A-Za-z0-9._-]*\Z"},
                "key_file": _QUOTABLE_PATH,
                "known_hosts": _QUOTABLE_PATH,
            },
            "additionalProperties": False,
        },
        "max_processes": {"type": "integer", "minimum": 1},
        "max_result_size": {"type": "integer", "minimum": 1024},
        "rerun": {"type": "array", "items": {"type": "string", "pattern": r"^[^.]+\..+$"}},
        "validate_output_schema": {"type": "boolean"},
        "keep": {
            "type": "object",
            "properties": {"executions_days": _DAYS, "trigger_instances_days": _DAYS},
            "additionalProperties": False,
        },
        "log_level": {"enum": ["DEBUG", "INFO", "WARNING", "ERROR"]},
        "log_format": {"enum": ["text", "json"]},
    },
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Ports:
    """0 is any free port; the one that was taken is in `<state>/ports.json`."""

    auth: int = 9100
    api: int = 9101
    stream: int = 9102


@dataclass(frozen=True)
class Config:
    packs: list[Path]
    configs: Path
    state: Path
    host: str = "127.0.0.1"
    ports: Ports = field(default_factory=Ports)
    system_user: str = "stanley"
    installed: Path | None = None
    virtualenvs: Path | None = None
    ssh: SshSettings = field(default_factory=SshSettings)
    max_processes: int = EngineSettings.max_processes
    max_result_size: int = EngineSettings.max_result_size
    rerun: frozenset[str] = frozenset()
    validate_output_schema: bool = False
    keep: Keep = field(default_factory=Keep)
    log_level: str = "INFO"
    log_format: str = "text"

    @property
    def store(self) -> Path:
        return self.state / "st2solo.sqlite"

    @property
    def crypto_key(self) -> Path:
        return self.state / "secrets" / "datastore_key.json"

    @property
    def environments(self) -> Environments:
        own = self.state / "virtualenvs"
        return Environments(own, self.virtualenvs, installed=self.installed_packs)

    @property
    def installed_packs(self) -> Path:
        """Where `st2 pack install` puts packs."""
        return self.installed or self.state / "installed_packs"

    @property
    def work(self) -> Path:
        return self.state / "work"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def ports_file(self) -> Path:
        return self.state / "ports.json"


def load(path: Path) -> Config:
    """Paths in the file are relative to its folder.

    Raises:
        MetadataError: a name is unknown, a value does not fit, or a packs folder is not there.
    """
    file = metadata_file.read(path)
    problems = file.problems_with(_SCHEMA)
    if problems:
        raise MetadataError(problems)
    content, base = file.content, path.resolve().parent
    state = base / content["state"]
    config = Config(
        packs=[base / name for name in content["packs"]],
        configs=base / content.get("configs", "configs"),
        state=state,
        host=content.get("host", Config.host),
        ports=Ports(**content.get("ports", {})),
        system_user=content.get("system_user", Config.system_user),
        installed=base / content["installed_packs"] if "installed_packs" in content else None,
        virtualenvs=base / content["virtualenvs"] if "virtualenvs" in content else None,
        ssh=_ssh(content.get("ssh", {}), base),
        max_processes=content.get("max_processes", Config.max_processes),
        max_result_size=content.get("max_result_size", Config.max_result_size),
        rerun=frozenset(content.get("rerun", ())),
        validate_output_schema=content.get("validate_output_schema", False),
        keep=Keep(**content.get("keep", {})),
        log_level=content.get("log_level", Config.log_level),
        log_format=content.get("log_format", Config.log_format),
    )
    _require_folders(file, config)
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o700)
    return config


def _ssh(content: dict[str, str], base: Path) -> SshSettings:
    paths = {
        name: base / Path(content[name]).expanduser()
        for name in ("key_file", "known_hosts")
        if name in content
    }
    return SshSettings(user=content.get("user"), **paths)


def _require_folders(file: MetadataFile, config: Config) -> None:
    problems = [
        file.problem(f"packs: expected a folder, found nothing at {folder}", ["packs", index])
        for index, folder in enumerate(config.packs)
        if not folder.is_dir()
    ]
    if problems:
        raise MetadataError(problems)
