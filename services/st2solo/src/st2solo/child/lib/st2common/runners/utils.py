"""How an action is made from its class, and its logger; packs do it by these names, too.

Source: st2common/runners/utils.py of StackStorm 3.9.
"""

from __future__ import annotations

from st2common.runners.base_action import action_logger as get_logger_for_python_runner_action

__all__ = ["get_action_class_instance", "get_logger_for_python_runner_action"]

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any


def get_action_class_instance(
    action_cls: type[Any], config: dict[str, Any] | None = None, action_service: Any = None
) -> Any:
    """An instance; classes whose constructor is older than `action_service` get it afterwards."""
    try:
        return action_cls(config=config, action_service=action_service)
    except TypeError as error:
        if "unexpected keyword argument 'action_service'" not in str(error):
            raise
        instance = action_cls(config=config)
        instance.action_service = action_service
        return instance
