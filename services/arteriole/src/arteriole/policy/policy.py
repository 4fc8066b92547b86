"""The rules of a site, asked about one project, one kind of data and one destination.

The first rule that fits counts, from the top of the file. Where none fits nothing is allowed, and
nothing is ever deleted.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from arteriole.policy.settings import DataKind, Form, Label, Rule

#: The consent of a sample of which nothing is known.
UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class Subject:
    """Whose data it is: a project of a sheet, and what was consented to."""

    project: str
    consent: str = UNKNOWN


@dataclass(frozen=True)
class PlacedRule:
    """A rule and where it stands."""

    rule: Rule
    line: int
    pattern: re.Pattern[str] | None

    def fits(self, subject: Subject, kind: DataKind) -> bool:
        rule = self.rule
        return (
            (self.pattern is None or self.pattern.fullmatch(subject.project) is not None)
            and (rule.consent is None or subject.consent in rule.consent)
            and (rule.kinds is None or kind in rule.kinds)
        )


@dataclass(frozen=True)
class Judgement:
    """Whether it may go there; `why` names rules and destinations, never a project.

    `rule` is empty and `line` 0 where no rule fits.
    """

    allowed: bool
    rule: str
    line: int
    why: str

    @property
    def word(self) -> str:
        return "allowed" if self.allowed else "refused"


@dataclass(frozen=True)
class Retention:
    """For how many days (None: for ever) the own copy stays, and what must be archived by then."""

    keep_days: int | None
    copies: int
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """`labels` by `<service>.<destination>`."""

    path: Path
    metadata_folder: Path | None
    labels: Mapping[str, Label]
    rules: tuple[PlacedRule, ...]

    @property
    def asks_for_consent(self) -> bool:
        return any(placed.rule.consent is not None for placed in self.rules)

    def rule_for(self, subject: Subject, kind: DataKind) -> PlacedRule | None:
        return next((placed for placed in self.rules if placed.fits(subject, kind)), None)

    def judge(self, subject: Subject, kind: DataKind, destination: str) -> Judgement:
        label = self.labels.get(destination)
        placed = self.rule_for(subject, kind)
        if placed is None:
            return Judgement(False, "", 0, f"no rule of {self.path.name} fits {kind} data of it")
        told = f"the rule {placed.rule.rule} ({self.path.name}:{placed.line})"
        if label is None:
            why = f"{told} cannot be followed: {destination} has no label among destinations"
            return Judgement(False, placed.rule.rule, placed.line, why)
        forbids = _forbids(placed.rule, label, kind, destination)
        why = f"{told} {forbids}" if forbids else f"{told} allows it"
        return Judgement(not forbids, placed.rule.rule, placed.line, why)

    def strictest(self, subjects: Iterable[Subject], kind: DataKind, destination: str) -> Judgement:
        """The first that refuses, else what the first of them is told."""
        judged = [self.judge(subject, kind, destination) for subject in subjects]
        return next((one for one in judged if not one.allowed), judged[0])

    def retention(self, subjects: Iterable[Subject], kind: DataKind) -> Retention:
        """Of several the longest, and the most copies."""
        placed = [self.rule_for(subject, kind) for subject in subjects]
        rules = [one.rule for one in placed if one is not None]
        days = [rule.keep_days for rule in rules if rule.keep_days is not None]
        for_ever = len(days) < len(placed)
        return Retention(
            None if for_ever else max(days),
            max((rule.copies for rule in rules), default=1),
            tuple(dict.fromkeys(rule.rule for rule in rules)),
        )


def _forbids(rule: Rule, label: Label, kind: DataKind, destination: str) -> str:
    """What of the rule stands against the destination; empty if nothing does."""
    if rule.form is Form.NEVER:
        return f"lets {kind} data go nowhere"
    if rule.countries is not None and label.country not in rule.countries:
        countries = ", ".join(rule.countries)
        return f"keeps {kind} data in {countries}, and {destination} is in {label.country}"
    if rule.premises_only and not label.premises:
        return f"keeps {kind} data on the premises, and {destination} is elsewhere"
    if rule.form is Form.ENCRYPTED and label.form != Form.ENCRYPTED:
        return f"asks for {kind} data to be encrypted, and {destination} has it clear"
    return ""
