"""A new UUID."""

import uuid

from st2common.runners.base_action import Action


class MakeUuid(Action):
    def run(self, uuid_type: str) -> str:  # type: ignore[override]  # its own parameters
        return str(uuid.uuid1() if uuid_type == "uuid1" else uuid.uuid4())
