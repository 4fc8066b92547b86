"""How much one answer of the API may hold: of many large things only some fit into memory."""


class Room:
    """The bytes that are left for what may be large."""

    def __init__(self, most: int = 64 * 2**20) -> None:
        self._left = most

    def takes(self, size: int) -> bool:
        """Whether so many bytes fit too; they are taken then."""
        fits = size <= self._left
        self._left -= size if fits else 0
        return fits
