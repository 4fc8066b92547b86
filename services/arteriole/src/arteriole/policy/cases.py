"""A site's own table of cases, by which it sees whether its policy says what it means."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from arteriole.app.config import load
from arteriole.policy.policy import UNKNOWN, Judgement, Policy, Subject
from arteriole.policy.settings import DataKind, Identifier, Stated


class Case(Stated):
    project: str = Field(default="", max_length=200)
    consent: Identifier = UNKNOWN
    kind: DataKind
    #: `archive.<name>` or `transfer.<name>`.
    destination: Identifier
    expect: Literal["allowed", "refused"]
    #: The rule that says so; empty: none fits; left out: whichever.
    rule: str | None = None

    @property
    def told(self) -> str:
        return f"{self.kind} of {self.project or 'no project'} ({self.consent}) to"

    def differs(self, found: Judgement) -> bool:
        other_rule = self.rule is not None and self.rule != found.rule
        return self.expect != found.word or other_rule


class Cases(Stated):
    cases: list[Case] = Field(min_length=1, max_length=10_000)


def read_cases(path: Path) -> list[Case]:
    """Those of the file `path`; ConfigError if it cannot be used."""
    return load(path, Cases, {}).cases


def mismatches(policy: Policy, cases: list[Case]) -> Iterator[str]:
    """Of each case that is judged otherwise three lines, as a difference."""
    for number, case in enumerate(cases, start=1):
        found = policy.judge(Subject(case.project, case.consent), case.kind, case.destination)
        if case.differs(found):
            yield f"case {number}: {case.told} {case.destination}"
            yield _line("-", case.expect, case.rule)
            yield f"{_line('+', found.word, found.rule)}: {found.why}"


def _line(sign: str, word: str, rule: str | None) -> str:
    by = "" if rule is None else f" by {rule or 'no rule'}"
    return f"{sign} {word}{by}"
