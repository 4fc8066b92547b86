"""`st2solo.yaml`: where the packs, their configurations and the state are, and the ports."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from st2solo import metadata_file
from st2solo.collector import Keep
from st2solo.environments import Environments
from st2solo.metadata_file import MetadataError, MetadataFile
from st2solo.settings import EngineSettings, SshSettings


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


_DAYS: dict[str, Any] = {"type": ["number", "null"], "minimum": 0, "exclusiveMinimum": True}
#: What ssh takes between double quotes as it is (ssh_config(5)).
_QUOTABLE_PATH: dict[str, Any] = {"type": "string", "pattern": r"^[^\x00-\x1f\"\\$]+\Z"}


def _port(default: int, description: str) -> dict[str, Any]:
    return {
        "description": f"{description}; 0 is any free port.",
        "type": "integer",
        "minimum": 0,
        "maximum": 65535,
        "default": default,
    }


#: Its descriptions and defaults are in docs/settings.md (settings_page.py).
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["packs", "state"],
    "properties": {
        "packs": {
            "description": "Folders of packs, or packs.",
            "type": "array",
            "minItems": 1,
            "items": {"type": "string"},
        },
        "configs": {
            "description": "The folder with the configurations of packs, `<pack>.yaml`.",
            "type": "string",
            "default": "configs",
        },
        "state": {
            "description": "The folder of the store, the datastore's key and logs: what a backup"
            " must hold.",
            "type": "string",
        },
        "host": {
            "description": "The address on which st2solo listens.",
            "type": "string",
            "default": Config.host,
        },
        "ports": {
            "description": "Its ports; as shipped those that the `st2` command expects.",
            "type": "object",
            "properties": {
                "auth": _port(Ports.auth, "The port at which users log in"),
                "api": _port(Ports.api, "The port of the API"),
                "stream": _port(Ports.stream, "The port of the stream of events"),
            },
            "additionalProperties": False,
        },
        "system_user": {
            "description": "Who runs the actions that rules ask for; this user has no password.",
            "type": "string",
            "minLength": 1,
            "default": Config.system_user,
        },
        "installed_packs": {
            "description": "The folder in which `st2 pack install` puts packs;"
            " `<state>/installed_packs` if left out.",
            "type": "string",
        },
        "virtualenvs": {
            "description": "A folder with Python environments of packs that the site made itself,"
            " to which nothing is written; else they are made in `<state>/virtualenvs`.",
            "type": "string",
        },
        "ssh": {
            "description": "How remote actions reach other hosts.",
            "type": "object",
            "properties": {
                "user": {
                    "description": "Who logs in there; the user that st2solo runs as if left out.",
                    "type": "string",
                    "pattern": r"^[A-Za-z0-9_][A-Za-z0-9._-]*\Z",
                },
                "key_file": {
                    "description": "The private key; the own keys of the user that st2solo runs as"
                    " if left out.",
                    **_QUOTABLE_PATH,
                },
                "known_hosts": {
                    "description": "The file with the keys of hosts; no other host is talked to.",
                    "default": "~/.ssh/known_hosts",
                    **_QUOTABLE_PATH,
                },
            },
            "additionalProperties": False,
        },
        "max_processes": {
            "description": "Actions that run at the same time.",
            "type": "integer",
            "minimum": 1,
            "default": Config.max_processes,
        },
        "max_result_size": {
            "description": "Bytes that an action may print, and that it may return.",
            "type": "integer",
            "minimum": 1024,
            "default": Config.max_result_size,
        },
        "rerun": {
            "description": "Actions, by pack and name, that may run twice, so that they start"
            " again if their process died.",
            "type": "array",
            "items": {"type": "string", "pattern": r"^[^.]+\..+$"},
            "default": [],
        },
        "validate_output_schema": {
            "description": "An action fails whose output is not as it declares.",
            "type": "boolean",
            "default": Config.validate_output_schema,
        },
        "keep": {
            "description": "How long what is over is kept.",
            "type": "object",
            "properties": {
                "executions_days": {
                    "description": "Days, or parts of a day, for executions; null: for ever.",
                    "default": Keep.executions_days,
                    **_DAYS,
                },
                "trigger_instances_days": {
                    "description": "Days, or parts of a day, for trigger instances; null: for"
                    " ever.",
                    "default": Keep.trigger_instances_days,
                    **_DAYS,
                },
            },
            "additionalProperties": False,
        },
        "log_level": {
            "description": "The least grave of what is logged.",
            "enum": ["DEBUG", "INFO", "WARNING", "ERROR"],
            "default": Config.log_level,
        },
        "log_format": {
            "description": "`text` is lines, `json` is one object a line.",
            "enum": ["text", "json"],
            "default": Config.log_format,
        },
    },
    "additionalProperties": False,
}


def load(path: Path) -> Config:
    """Paths in the file are relative to its folder.

    Raises:
        MetadataError: a name is unknown, a value does not fit, or a packs folder is not there.
    """
    file = metadata_file.read(path)
    problems = file.problems_with(SCHEMA)
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
