from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier
from arteria_text import metadata_text


class Metadata(ServiceAction):
    """Show what is known of a sample."""

    def act(self, sample: str) -> str:
        where = path("samples", identifier(sample, "sample"))
        return metadata_text(self.client.get("metadata", where))
