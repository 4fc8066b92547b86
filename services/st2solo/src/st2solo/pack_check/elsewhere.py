"""What StackStorm 3.9 has and st2solo has not: a pack that uses it is good, on StackStorm.

Source: contrib/runners, contrib/core, contrib/chatops, contrib/packs and
st2common/constants/triggers.py of StackStorm 3.9.
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

_NAMES = {
    "chatops": ("match", "match_and_execute", "run"),
    "core": ("local_sudo", "sendmail", "winrm_cmd", "winrm_ps_cmd"),
    # st2solo's own of the name download, load, setup_virtualenv and unload are steps of its
    # packs.install and packs.uninstall, with other parameters.
    "packs": (
        *("delete", "download", "get", "get_config", "get_pack_dependencies", "get_pack_warnings"),
        *("load", "restart_component", "search", "setup_virtualenv", "show", "unload"),
        *("update_virtualenv", "virtualenv_prerun"),
    ),
}
ACTIONS = frozenset(f"{pack}.{name}" for pack, names in _NAMES.items() for name in names)

TRIGGER_TYPES = frozenset({"core.st2.action.file_written"})
