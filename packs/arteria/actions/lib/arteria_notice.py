"""What may leave the house about a run: its name, states, codes, numbers and the one command.

Built of nothing else: what a service says in its own words (messages, hints, reasons) may name
samples, patients or projects, and goes into no notification.
"""

import re
from typing import Any, Dict, Iterable, List, Optional, Tuple

from arteria_errors import AnswerError
from arteria_names import code_of, identifier, is_identifier
from arteria_text import standing

DRILL_FAILED = "drill_failed"
URGENCIES = ("instrument at risk", "result late", "can wait")
_PRESSING = URGENCIES[:2]
_WORD = re.compile(r"[a-z_]{1,40}|no (?:run|sheet)", re.ASCII)
_UNTIL = re.compile(r"now\b|\d{4}-\d\d-\d\dT\d\d:\d\dZ", re.ASCII)
_COMMAND = re.compile(r"arteriole ([a-z]+) (\S+)(?: --from (\S+))?", re.ASCII)
#: The commands that name a run and need no more than that.
_OF_A_RUN = ("adopt", "retry", "abort", "release", "why")
#: The commands that go on once what the hint says before them was done.
_GO_ON = ("adopt", "retry", "redo")
_SAFE = {
    "yes:": "yes, archived and verified",
    "yes,": "yes, in the run folder only: do not delete it",
    "no:": "no",
    "no,": "no",
    "only": "only on the instrument and in the run folder: delete neither",
}


def notice(run: Dict[str, Any]) -> Dict[str, Any]:
    """The facts of a run's document that may be told; "" or None is one that there is not."""
    name = identifier(run.get("name"), "run")
    why = run.get("why")
    if not isinstance(why, dict):
        raise AnswerError("expected a run's document with why from the runfolder service")
    code, urgency, samples = code_of(why), why.get("urgency"), why.get("samples")
    attempt = run.get("attempt")
    page = "docs/runbook/%s.md" % (code,) if code else ""
    command, alone = _command(run, name, why.get("hint"))
    return {
        "run": name,
        "state": word(standing(run)),
        "attempt": attempt if type(attempt) is int else None,
        "stage": _failed_stage(run),
        "code": code,
        "data_safe": _SAFE.get(str(why.get("data_safe")).split(" ")[0], "unknown"),
        "urgency": urgency if urgency in URGENCIES else "",
        "until": _until(why.get("until")),
        "samples": samples if type(samples) is int else None,
        "first": "" if alone or not page else "as %s says" % (page,),
        "command": command,
        "page": page,
    }


def deed(told: Dict[str, Any]) -> str:
    """What to do: the command, after what is to be done first."""
    return ", then: ".join(part for part in (told["first"], told["command"]) if part)


def notice_text(told: Dict[str, Any]) -> str:
    """The facts as lines."""
    head = "%s: %s" % (told["run"], told["state"])
    if told["stage"]:
        head += ", %s failed" % (told["stage"],)
    labels = (
        ("Data safe", "data_safe"),
        ("Urgency", "urgency"),
        ("Until", "until"),
        ("Samples", "samples"),
        ("Do", "do"),
        ("Code", "code"),
        ("See", "page"),
    )
    return "\n".join([head, *_labelled({**told, "do": deed(told)}, labels)])


def _labelled(told: Dict[str, Any], labels: Iterable[Tuple[str, str]]) -> List[str]:
    """A line for each (label, name) of which something is known."""
    found = [(label, told[name]) for label, name in labels]
    return ["%s: %s" % (label, value) for label, value in found if value not in ("", None)]


def silence(health: Dict[str, Any]) -> Dict[str, Any]:
    """What is told while the sensor is silent; `health` is the runfolder service's."""
    found = health.get("silence")
    repaired = isinstance(found, dict) and found.get("repaired") is True
    return {
        "code": "sensor.silent",
        "repaired": repaired,
        "urgency": _PRESSING[1],
        "command": "st2 sensor list",
        "page": "docs/runbook/sensor.silent.md",
    }


def silence_text(told: Dict[str, Any]) -> str:
    then = (
        "runs go on, once a minute only" if told["repaired"] else "no stage begins until it is back"
    )
    return "The sensor is silent: %s\nUrgency: %s\nDo: %s\nCode: %s\nSee: %s" % (
        then,
        told["urgency"],
        told["command"],
        told["code"],
        told["page"],
    )


def pressure(volume: str, health: Dict[str, Any]) -> Dict[str, Any]:
    """What is told of a volume that is short of space: figures of the runfolder service's /health;
    None is one that is not known.
    """
    volumes = health.get("volumes")
    found = volumes.get(volume) if isinstance(volumes, dict) else None
    found = found if isinstance(found, dict) else {}
    code = "disk.critical" if found.get("level") == "critical" else "disk.early"
    return {
        "volume": volume,
        "code": code,
        "urgency": _PRESSING[0],
        "until": _until(found.get("reserve_reached")),
        "free": _bytes(found.get("free")),
        "size": _bytes(found.get("size")),
        "reserve": _bytes(found.get("reserve")),
        "to_come": _bytes(found.get("to_come")),
        "free_inodes": _bytes(found.get("free_inodes")) if found.get("inodes") else None,
        "command": "arteriole runs --state done",
        "page": "docs/runbook/%s.md" % (code,),
    }


def pressure_text(told: Dict[str, Any]) -> str:
    too_little = told["code"] == "disk.critical"
    state = "too little space, no conversion begins" if too_little else "it fills up"
    lines = ["%s: %s" % (told["volume"], state)]
    for label, name in (
        ("Free", "free"),
        ("Of", "size"),
        ("Kept free", "reserve"),
        ("Known to come", "to_come"),
    ):
        if told[name] is not None:
            lines.append("%s: %.1f GB" % (label, told[name] / 1e9))
    labels = (
        ("Free inodes", "free_inodes"),
        ("Urgency", "urgency"),
        ("Reserve reached", "until"),
        ("Do", "command"),
        ("Code", "code"),
        ("See", "page"),
    )
    return "\n".join(lines + _labelled(told, labels))


def drill(run: str) -> Dict[str, Any]:
    """What is told when files of `run` did not come back whole from its archive."""
    return {
        "run": run,
        "code": "drill.failed",
        "urgency": _PRESSING[1],
        "command": "arteriole drills",
        "page": "docs/runbook/drill.failed.md",
    }


def drill_text(told: Dict[str, Any]) -> str:
    return (
        "%(run)s: files did not come back whole from its archive: delete no other copy of it\n"
        "Urgency: %(urgency)s\nDo: %(command)s\nCode: %(code)s\nSee: %(page)s" % told
    )


def no_drill(code: str, refused: Dict[str, str]) -> Dict[str, Any]:
    """What is told when drills could not begin: those of some archives, by their codes, or any."""
    return {
        "code": code,
        "refused": refused,
        "urgency": _PRESSING[1],
        "command": "arteriole drills --now",
        "page": "docs/runbook/%s.md" % (code,),
    }


def no_drill_text(told: Dict[str, Any]) -> str:
    archives = ", ".join("%s (%s)" % pair for pair in sorted(told["refused"].items()))
    return (
        "No drill could begin of %s: nobody knows whether it can be brought back\n"
        "Urgency: %s\nDo: %s\nCode: %s\nSee: %s"
        % (
            archives or "any archive",
            told["urgency"],
            told["command"],
            told["code"],
            told["page"],
        )
    )


def presses(told: Dict[str, Any]) -> bool:
    """True if somebody is to look soon."""
    return told["urgency"] in _PRESSING


def word(value: Any) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "unknown"


def _failed_stage(run: Dict[str, Any]) -> str:
    for stage in _stages(run):
        same = stage.get("attempt") == run.get("attempt")
        if same and stage.get("state") == "failed" and is_identifier(stage.get("stage")):
            return str(stage["stage"])
    return ""


def _stages(run: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [stage for stage in run.get("stages") or [] if isinstance(stage, dict)]


def _bytes(value: Any) -> Optional[int]:
    return value if type(value) is int else None


def _until(value: Any) -> str:
    found = _UNTIL.match(value) if isinstance(value, str) else None
    return found.group(0) if found else ""


def _command(run: Dict[str, Any], name: str, hint: Any) -> Tuple[str, bool]:
    """The last command of the hint that is made of nothing but the run's name and its stages, and
    whether the hint has no words before it; to ask why, where it is not to be given in any case.
    """
    text = hint if isinstance(hint, str) else ""
    stages = {stage.get("stage") for stage in _stages(run)}
    command, alone = "arteriole why %s" % (name,), True
    for found in _COMMAND.finditer(text):
        verb, of, stage = found.groups()
        before = text[: found.start()].strip()
        if of != name or (before and verb not in _GO_ON):
            continue
        if verb in _OF_A_RUN and not stage:
            command, alone = "arteriole %s %s" % (verb, name), not before
        elif verb == "redo" and stage in stages and is_identifier(stage):
            command, alone = "arteriole redo %s --from %s" % (name, stage), not before
    return command, alone
