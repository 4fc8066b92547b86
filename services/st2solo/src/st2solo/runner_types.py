"""The runners that there are and the parameters that each gives to its actions.

Source: the runner.yaml files of StackStorm 3.9.
"""

from dataclasses import dataclass, field
from typing import Any

from st2solo.errors import NotFoundError
from st2solo.ids import id_of

Parameter = dict[str, Any]


def _text(description: str, **more: Any) -> Parameter:
    return {"type": "string", "description": description, **more}


def _flag(description: str, default: bool) -> Parameter:
    return {"type": "boolean", "description": description, "default": default}


_SHELL: dict[str, Parameter] = {
    "cwd": _text("Working directory of the command."),
    "env": {"type": "object", "description": "Environment variables of the command."},
    "kwarg_op": _text('Operator in front of keyword arguments: "--" or "-".', default="--"),
    "sudo": _flag("Run with sudo.", False),
    "sudo_password": _text("Password for sudo.", default=None, secret=True, required=False),
    "timeout": {
        "type": "integer",
        "description": "Seconds after which the action is killed.",
        "default": 60,
    },
}

_REMOTE_DIR = _text("Folder of the remote host into which a script is copied.", default="/tmp")

_REMOTE: dict[str, Parameter] = {
    **_SHELL,
    "cwd": _text("Working directory on the remote host.", default="/tmp"),
    "hosts": _text(
        "Hosts with commas between them, each with a port if it has its own:"
        " one.example.org,two.example.org:2222,[2001:db8::1]:2222",
        required=True,
    ),
    "port": {
        "type": "integer",
        "description": "Port of the hosts that have none of their own: 22.",
        "required": False,
    },
    "username": _text("User to log in as.", required=False),
    "password": _text("Password to log in with.", secret=True, required=False),
    "private_key": _text(
        "Private key to log in with: the key itself or the path of its file.",
        secret=True,
        required=False,
    ),
    "passphrase": _text("Passphrase of the private key.", secret=True, required=False),
    "bastion_host": _text(
        "Host through which the others are reached, with the same user and key.", required=False
    ),
    "parallel": {**_flag("Kept for StackStorm's sake.", False), "immutable": True},
}

_CONTENT: dict[str, Parameter] = {
    "debug": _flag("Debug mode of the runner.", False),
    "content_version": _text("Git revision of the pack to run.", required=False),
}

_HTTP: dict[str, Parameter] = {
    "allow_redirects": _flag("Follow redirects.", False),
    "cookies": {"type": "object", "description": "Cookies to send."},
    "headers": {"type": "object", "description": "Headers of the request."},
    "http_proxy": _text("Proxy for HTTP."),
    "https_proxy": _text("Proxy for HTTPS."),
    "password": _text("Password of basic authentication.", secret=True),
    "url": _text("Address to call.", required=True),
    "username": _text("User of basic authentication."),
    "verify_ssl_cert": _flag("Check the server's certificate.", True),
    "url_hosts_blacklist": {
        "type": "array",
        "items": {"type": "string"},
        "required": False,
        "description": "Hosts that may not be called.",
    },
    "url_hosts_whitelist": {
        "type": "array",
        "items": {"type": "string"},
        "required": False,
        "description": "The only hosts that may be called.",
    },
}

_RESPONSE: Parameter = {
    "title": "response_data",
    "type": "object",
    "properties": {
        "continue": {
            "type": "boolean",
            "description": "Would you like to continue the workflow?",
            "required": True,
        }
    },
}

_INQUIRY: dict[str, Parameter] = {
    "schema": {
        "type": "object",
        "required": True,
        "description": "The JSON schema that an answer has to fit.",
        "default": _RESPONSE,
    },
    "route": _text("Whom a rule may tell of it.", required=False, default=""),
    "roles": {
        "type": "array",
        "required": False,
        "default": [],
        "description": "Roles of which one may answer; all if there is none.",
    },
    "users": {
        "type": "array",
        "required": False,
        "default": [],
        "description": "Users who may answer; all if there is none.",
    },
    "ttl": {
        "type": "integer",
        "required": True,
        "default": 1440,
        "description": "Minutes after which it times out; 0: never.",
    },
}

_ANNOUNCEMENT: dict[str, Parameter] = {
    "experimental": {
        "type": "boolean",
        "required": True,
        "default": False,
        "description": "Has to be true.",
    },
    "route": _text(
        "The last part of the event's name.", default="general", minLength=1, maxLength=255
    ),
}

_CHAT_RESULT: dict[str, Parameter] = {
    "post": _flag("Announce the message, too.", False),
}


def _step(*steps: str) -> dict[str, Parameter]:
    return {"step": _text("What the action does.", enum=list(steps), required=True)}


_TYPES = ("object", "string", "integer", "number", "boolean", "array", "null")
_ANYTHING = {"anyOf": [{"type": kind} for kind in _TYPES]}


def _closed(**properties: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that has these properties and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


_LOG_LEVELS = ["AUDIT", "CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"]


@dataclass(frozen=True)
class RunnerType:
    """A runner as the API describes it. `output_key` is the part of a result that is output."""

    name: str
    description: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    output_key: str | None = None
    output_schema: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The runner type as StackStorm's API shows it."""
        module = self.name.replace("-", "_")
        return {
            "id": id_of(f"runner_type:{self.name}"),
            "uid": f"runner_type:{self.name}",
            "name": self.name,
            "description": self.description,
            "enabled": True,
            "runner_package": module,
            "runner_module": module,
            "runner_parameters": self.parameters,
            "output_key": self.output_key,
            "output_schema": self.output_schema,
        }


RUNNER_TYPES = {
    runner.name: runner
    for runner in (
        RunnerType("noop", "Does nothing and succeeds."),
        RunnerType("inquirer", "Waits for the answer of a person.", _INQUIRY),
        RunnerType("announcement", "Tells all who listen to the event stream.", _ANNOUNCEMENT),
        RunnerType("chat-result", "Tells a chat how an execution ended.", _CHAT_RESULT),
        RunnerType(
            "pack-files",
            "Fetches packs and makes their Python environments.",
            {**_step("download", "environments"), "timeout": {**_SHELL["timeout"], "default": 600}},
        ),
        RunnerType(
            "pack-registration",
            "Registers packs that were fetched, or forgets them.",
            _step("load", "unload"),
        ),
        RunnerType(
            "local-shell-cmd",
            "Runs a command on this machine.",
            {"cmd": _text("Command for the shell."), **_SHELL},
        ),
        RunnerType(
            "local-shell-script", "Runs a script of a pack on this machine.", {**_CONTENT, **_SHELL}
        ),
        RunnerType(
            "python-script",
            "Runs a Python action.",
            {
                **_CONTENT,
                "env": {"type": "object", "description": "Environment variables of the action."},
                "timeout": {**_SHELL["timeout"], "default": 600},
                "log_level": _text("Level of the action's log.", default="DEBUG", enum=_LOG_LEVELS),
            },
            "result",
            _closed(
                result=_ANYTHING,
                stdout={"type": "string", "required": True},
                stderr={"type": "string", "required": True},
                exit_code={"type": "integer", "required": True},
            ),
        ),
        RunnerType(
            "http-request",
            "Calls an HTTP address.",
            _HTTP,
            "body",
            _closed(
                status_code={"type": "integer"},
                body=_ANYTHING,
                parsed={"type": "boolean"},
                headers={"type": "object"},
            ),
        ),
        RunnerType(
            "remote-shell-cmd",
            "Runs a command on other hosts, by ssh.",
            {
                "cmd": _text("Command for the shell of the remote user."),
                **_REMOTE,
                "dir": {**_REMOTE_DIR, "immutable": True},
            },
        ),
        RunnerType(
            "remote-shell-script",
            "Runs a script of a pack on other hosts, by ssh.",
            {**_REMOTE, "dir": _REMOTE_DIR},
        ),
        RunnerType(
            "orquesta",
            "Runs an Orquesta workflow.",
            {
                "notify": {
                    "type": "array",
                    "description": "Tasks that notify.",
                    "uniqueItems": True,
                    "items": {"type": "string", "minLength": 1, "pattern": r"^\w+$"},
                    "default": [],
                }
            },
            "output",
            _closed(output=_ANYTHING, errors={"anyOf": [{"type": "object"}, {"type": "array"}]}),
        ),
    )
}


def runner_type(name: str) -> RunnerType:
    """The runner of that name.

    Raises:
        NotFoundError: st2solo does not have it; the message names those it has.
    """
    if name not in RUNNER_TYPES:
        raise NotFoundError(
            f"there is no runner {name}; st2solo has {', '.join(sorted(RUNNER_TYPES))}"
        )
    return RUNNER_TYPES[name]
