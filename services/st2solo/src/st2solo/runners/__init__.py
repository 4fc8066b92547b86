"""How each kind of action is run: one module a runner, found by the runner's name."""

from st2solo.runners import (
    announcement,
    chat_result,
    http_request,
    inquirer,
    local_shell,
    noop,
    pack_files,
    pack_registration,
    python_script,
    remote_shell,
)
from st2solo.runners.protocol import Runner

RUNNERS: dict[str, Runner] = {
    "noop": noop.Noop(),
    "local-shell-cmd": local_shell.Command(),
    "local-shell-script": local_shell.Script(),
    "python-script": python_script.PythonScript(),
    "remote-shell-cmd": remote_shell.Command(),
    "remote-shell-script": remote_shell.Script(),
    "http-request": http_request.HttpRequest(),
    "inquirer": inquirer.Inquirer(),
    "announcement": announcement.Announcement(),
    "chat-result": chat_result.ChatResult(),
    "pack-files": pack_files.PackFiles(),
    "pack-registration": pack_registration.PackRegistration(),
}

#: The runner whose executions are workflows: they are driven by `st2solo.workflows`.
WORKFLOW_RUNNER = "orquesta"
