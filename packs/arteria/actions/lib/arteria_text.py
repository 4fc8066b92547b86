"""Runs, as a person reads them."""

from typing import Any, Dict

from arteria_names import inert


def standing(run: Dict[str, Any]) -> Any:
    """The word for how it stands that the command `arteriole` says too."""
    return run.get("standing") or run.get("state")


def run_line(run: Dict[str, Any]) -> str:
    """Name, how it stands, attempt and the code of the reason, in columns."""
    run = inert(run)
    code = (run.get("why") or {}).get("code") or ""
    attempt = run.get("attempt") or "-"
    return ("%-40s %-11s %-4s %s" % (run.get("name"), standing(run), attempt, code)).rstrip()


def run_text(run: Dict[str, Any], messages: bool = True) -> str:
    """The run, and a line for each of its stages, with what each says or without."""
    lines = [run_line(run)]
    run = inert(run)
    for stage in run.get("stages") or []:
        job = "%s job %s" % (stage["service"], stage["job_id"]) if stage.get("job_id") else ""
        times = " - ".join(str(stage[name]) for name in ("begun", "ended") if stage.get(name))
        words = [
            "  %-10s %-8s attempt %s" % (stage.get("stage"), stage.get("state"), stage["attempt"]),
            times,
            job,
            stage.get("code") or "",
            (stage.get("message") or "") if messages else "",
        ]
        lines.append("  ".join(word for word in words if word))
    return "\n".join(lines)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def why_text(run: Dict[str, Any]) -> str:
    """What stands in the way, how urgent it is, whether the data is safe, and what to do."""
    run = inert(run)
    why = run.get("why") or {}
    lines = ["%s: %s" % (run.get("name"), standing(run))]
    for label, name in (
        ("", "message"),
        ("Data safe: ", "data_safe"),
        ("Urgency: ", "urgency"),
        ("Until: ", "until"),
        ("Samples: ", "samples"),
        ("Do: ", "hint"),
        ("Code: ", "code"),
        ("See: ", "page"),
    ):
        value = why.get(name)
        if value not in (None, ""):
            lines.append(label + _word(value))
    return "\n".join(lines)


def metadata_text(found: Dict[str, Any]) -> str:
    """The record of a sample, a line for each field that it has."""
    found = inert(found)
    lines = [
        "%s: version %s of %s, from %s"
        % tuple(found.get(name) for name in ("sample", "version", "time", "source"))
    ]
    for name, value in (found.get("record") or {}).items():
        if value not in (None, "", []):
            text = " ".join(map(str, value)) if isinstance(value, list) else value
            lines.append("  %-15s %s" % (name, text))
    trouble = found.get("trouble")
    if trouble:
        lines.append("Not known any more: %(message)s (%(code)s)" % trouble)
    return "\n".join(lines)
