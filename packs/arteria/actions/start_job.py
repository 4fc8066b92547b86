from typing import Any, Dict, Optional

from arteria_action import ServiceAction
from arteria_names import identifier
from arteria_start import Start


class StartJob(ServiceAction):
    """Start the job that does a stage, and tell the runfolder service which one it is."""

    def act(
        self,
        run: str,
        stage: str,
        attempt: int,
        service: str,
        try_number: int,
        destination: str = "",
        by: Optional[str] = None,
        part: str = "",
        storage_class: str = "",
    ) -> Dict[str, Any]:
        asked = {"destination": destination, "part": part, "storage_class": storage_class}
        fields = {name: identifier(word, name) for name, word in asked.items() if word}
        start = Start(self.client, self.by(by), run, stage, attempt, service)
        return start.job(try_number, fields)
