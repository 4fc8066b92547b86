"""What StackStorm 3.9 has and st2solo has not: a pack that uses it is good, on StackStorm.

Source: contrib/runners, contrib/core and st2common/constants/triggers.py of StackStorm 3.9.
"""

from typing import Any

Parameters = dict[str, dict[str, Any]]

_TEXT = {"type": "string"}
_NEEDED = {"type": "string", "required": True}

_WINRM: Parameters = {
    "cwd": _TEXT,
    "env": {"type": "object"},
    "host": _NEEDED,
    "kwarg_op": {"type": "string", "default": "-"},
    "password": {"type": "string", "required": True, "secret": True},
    "port": {"type": "integer", "default": 5986},
    "scheme": {"type": "string", "default": "https"},
    "timeout": {"type": "integer", "default": 60},
    "transport": {"type": "string", "default": "ntlm"},
    "username": _NEEDED,
    "verify_ssl_cert": {"type": "boolean", "default": True},
}

RUNNERS: dict[str, Parameters] = {
    "action-chain": {
        "display_published": {"type": "boolean", "default": True},
        "skip_notify": {"type": "array", "default": []},
    },
    "winrm-cmd": {**_WINRM, "cmd": _TEXT},
    "winrm-ps-cmd": {**_WINRM, "cmd": _TEXT},
    "winrm-ps-script": _WINRM,
}

ACTIONS = frozenset(
    {"core.local_sudo", "core.sendmail", "core.winrm_cmd", "core.winrm_ps_cmd"},
)

TRIGGER_TYPES = frozenset({"core.st2.action.file_written"})
