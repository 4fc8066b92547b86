"""RunCompletionStatus.xml: how a run ended, in the instrument's own words.

Two forms are known. NextSeq 500 and MiniSeq write `CompletionStatus` (`CompletedAsPlanned`,
`UserEndedEarly`, `ExceptionEndedEarly`) and `ErrorDescription` (`None` if there is none). NovaSeq
and NextSeq 1000 write `RunStatus` (`RunCompleted`, `RunErrored`) and, after an error, `RunError`
with `Type` and `Message`. Both forms as in the test data of gmc-norr/cleve
(runcompletionstatus_test.go) and in gmc-norr/st2-seqdata, whose rule is ours: whatever is not the
one good word of its form did not end as planned.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from arteriole.illumina import xml_file
from arteriole.illumina.errors import RunDataError

FILE_NAME = "RunCompletionStatus.xml"
#: The one good word of each form, by its element.
GOOD = {"RunStatus": "RunCompleted", "CompletionStatus": "CompletedAsPlanned"}
_TEXT_LIMIT = 300


class RunStatusError(RunDataError):
    """RunCompletionStatus.xml is not as expected."""

    code = "run.run_status"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """What the instrument says; `word` is empty if the file has neither form's element.

    Both are printable, at most 300 characters.
    """

    word: str
    detail: str = ""
    is_failure: bool = False

    @staticmethod
    def read(path: Path) -> "RunStatus | None":
        """Read the file of the run folder at `path`; None if the folder has none.

        Raises:
            RunStatusError: naming the file and what is wrong with it.
        """
        file = path / FILE_NAME
        return parse(file) if file.is_file() else None

    def __str__(self) -> str:
        return f"{self.word} ({self.detail})" if self.detail else self.word


def parse(path: Path) -> RunStatus:
    """Read the file at `path`. Raises RunStatusError."""
    root = xml_file.read(path, "RunCompletionStatus", RunStatusError)
    for name, good in GOOD.items():
        word = _text(root, name)
        if word:
            return RunStatus(word, _detail(root), is_failure=word != good)
    return RunStatus("")


def _detail(root: Element) -> str:
    parts = [_text(root, "ErrorDescription")]
    for child in root:
        if xml_file.local_name(child) == "RunError":
            parts += [_text(child, "Type"), _text(child, "Message")]
    return ": ".join(part for part in parts if part and part != "None")[:_TEXT_LIMIT]


def _text(parent: Element, name: str) -> str:
    """The text of the first child of that name, without what a terminal would obey."""
    for child in parent:
        if xml_file.local_name(child) == name:
            words = (child.text or "").split()
            text = "".join(char if char.isprintable() else "?" for char in " ".join(words))
            return text[:_TEXT_LIMIT]
    return ""
