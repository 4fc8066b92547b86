"""What a laboratory has to know about the difference between others' work and ours."""

from collections.abc import Iterable
from dataclasses import dataclass

from arteriole.app import times
from arteriole.observe.fastq_names import UNDETERMINED, Matching, sample_of
from arteriole.observe.others import Content, Others


@dataclass(frozen=True)
class Remark:
    """`code` for machines, `text` for people."""

    code: str
    text: str


def span(seconds: float) -> str:
    """A time in the two largest units that it has.

    >>> span(7384), span(90_000), span(59)
    ('2 h 3 min', '1 d 1 h', '59 s')
    """
    whole = int(seconds)
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in units:
        if whole >= size or (unit == "s" and not parts):
            parts.append(f"{whole // size} {unit}")
            whole %= size
        elif parts:
            break
    return " ".join(parts[:2])


def seconds_between(earlier: str, later: str) -> float:
    return (times.parse(later) - times.parse(earlier)).total_seconds()


def on_times(others: Others, complete: dict[str, str] | None, made: str) -> list[Remark]:
    """Did they begin too early, or later than we would have?

    Args:
        complete: the marker of completeness and when it was written, if that is known.
        made: when our attempt began.
    """
    found = []
    if complete is not None and (early := seconds_between(others.first, complete["written"])) > 0:
        found.append(
            Remark(
                "others.early",
                f"they began before the run was complete: their first FASTQ was last written"
                f" {span(early)} before {complete['marker']}",
            )
        )
    if (late := seconds_between(made, others.first)) > 0:
        found.append(
            Remark(
                "others.late",
                f"their first FASTQ was written {span(late)} after we would have begun",
            )
        )
    return found


def on_files(others: Others, matching: Matching, ours: Iterable[str]) -> list[Remark]:
    """Samples without a FASTQ, FASTQs without a sample, files that hold nothing."""
    theirs = set(matching.pairs)
    samples = {sample_of(path) for path in ours} - {UNDETERMINED}
    without = sorted(samples - {sample_of(path) for path in theirs})
    strangers = sorted({sample_of(path) for path in matching.surplus} - samples - {UNDETERMINED})
    found = [
        Remark("others.sample_missing", f"sample {name} of the sheet has no FASTQ there")
        for name in without
    ]
    found += [
        Remark(
            "others.sample_unknown", f"FASTQs of {name} are there, which the sheet does not have"
        )
        for name in strangers
    ]
    for kind, words in (
        (Content.EMPTY, "hold not a single read"),
        (Content.UNREADABLE, "are no gzip, or cannot be read"),
    ):
        if names := others.names(kind):
            found.append(Remark(f"others.{kind.value}", f"{len(names)} of their FASTQs {words}"))
    if others.cut_short:
        found.append(
            Remark("others.cut_short", "there is more below their folder than was looked at")
        )
    return found
