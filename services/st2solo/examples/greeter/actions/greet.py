from typing import Any

from st2common.runners.base_action import Action


class Greet(Action):
    """Greet somebody; the datastore knows how often that has been done."""

    def run(self, name: str) -> dict[str, Any]:
        times = int(self.action_service.get_value(name) or 0) + 1
        self.action_service.set_value(name, times)
        return {"text": self.config["greeting"] + ", " + name, "times": times}
