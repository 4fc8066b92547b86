"""The base of the pack's actions."""

import os
from typing import Any, Dict, Mapping, Optional, Tuple

from arteria_client import Client
from arteria_errors import ArteriaError
from arteria_names import chat_name, identifier, number
from st2common.runners.base_action import Action


class ServiceAction(Action):
    """An action that speaks to the services.

    A subclass defines `act`, whose return value is the result. An ArteriaError makes the execution
    `failed`, with the error's code, message and hint as its result. Where `chat_user` names
    somebody in a chat the services are called on their behalf, and they say what that person may.
    """

    def __init__(self, config: Optional[Mapping[str, Any]] = None, action_service: Any = None):
        super().__init__(config=config, action_service=action_service)
        self.client = Client(self.config)
        #: Whether the answer goes to a chat, which is told nothing that may name a sample.
        self.in_brief = False
        #: Whether somebody waits for the answer in a chat.
        self.in_chat = False

    def run(self, chat_user: str = "", **parameters: Any) -> Tuple[bool, Any]:
        try:
            if chat_user:
                self.client.act_for(chat_name(chat_user))
                self.in_chat = True
                self.in_brief = not self.config.get("chat_messages")
            return True, self.act(**parameters)
        except ArteriaError as error:
            self.logger.error("%s: %s", error.code, error)
            return False, error.document()

    def act(self, **parameters: Any) -> Any:
        raise AttributeError("%s defines no act()" % (type(self).__name__,))

    def execution_id(self) -> str:
        """The id of this very execution."""
        return os.environ.get("ST2_ACTION_EXECUTION_ID") or "unknown"

    def by(self, by: Optional[str]) -> str:
        """Who does it: the workflow's execution if it told its id, else this one."""
        return identifier(by or self.execution_id(), "by")


def stage_path(run: str, stage: str, attempt: int) -> Tuple[str, str, str, str, int]:
    """The parts of a stage's path, checked."""
    return (
        "runs",
        identifier(run, "run"),
        "stages",
        identifier(stage, "stage"),
        number(attempt, "attempt"),
    )


def flags(answer: Dict[str, Any], done: str) -> Dict[str, Any]:
    """The inert part of the answer to a compare-and-set, of which `done` tells the outcome."""
    by = answer.get("by")
    return {
        done: answer.get(done) is True,
        "duplicate": answer.get("duplicate") is True,
        "by": identifier(by, "by") if by else "",
    }
