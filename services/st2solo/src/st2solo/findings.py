"""What an examination finds."""

from dataclasses import dataclass

GOOD, WARNING, BAD = "ok", "warning", "wrong"


@dataclass(frozen=True)
class Finding:
    """`grade` is GOOD, WARNING or BAD; `message` says what to do where it is not GOOD."""

    grade: str
    subject: str
    message: str
