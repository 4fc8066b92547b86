"""Stands in for Apptainer, which is not installed here: no real one has run any of this.

It takes `apptainer exec` with the options of cmd/internal/cli/action_flags.go of Apptainer that
Arteriole is to give, and no others, each with a value of the form that the real one wants. The
image is a file with the header of a SIF, and then a JSON object: `programs` (its names and the
commands that they stand for) and what is to go wrong. As in a container, nothing is there but what
is mounted: a path among the program's words that is not below a mount is refused. What is mounted
only to read has to be as it was afterwards.
"""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

#: What stands before the JSON object: a launcher of 32 bytes, and the magic (sif, pkg/sif/sif.go).
HEADER = b"#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0"
SWITCHES = {"--containall", "--cleanenv", "--no-home", "--no-privs", "--net"}
VALUED = {"--network", "--pwd", "--env", "--cpus", "--memory", "--memory-swap", "--scratch"}
MOUNT = "--mount"
NEEDED = SWITCHES | {"--network"}


def refuse(text: str) -> NoReturn:
    print(f"FATAL:   {text}", file=sys.stderr, flush=True)
    sys.exit(255)


def options(words: list[str]) -> tuple[set[str], dict[str, list[str]], list[str]]:
    """The switches, the values, and the rest, which begins with the image."""
    switches: set[str] = set()
    values: dict[str, list[str]] = {}
    rest = list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word in SWITCHES:
            switches.add(word)
        elif word in VALUED or word == MOUNT:
            if not rest:
                refuse(f'Error for command "exec": flag needs an argument: {word}')
            values.setdefault(word, []).append(rest.pop(0))
        else:
            refuse(f'Error for command "exec": unknown flag: {word}')
    if len(rest) < 2:
        refuse("requires at least 2 arg(s), only received " + str(len(rest)))
    return switches, values, rest


def mount(text: str) -> tuple[Path, bool]:
    """Where it is, and whether it may be written to."""
    (fields,) = csv.reader([text])
    pairs = dict(field.partition("=")[::2] for field in fields)
    source, target = pairs.pop("source", ""), pairs.pop("destination", "")
    if pairs.pop("type", "bind") != "bind" or not source or source != target:
        refuse(f"while parsing mount {text!r}")
    writable = "rw" in pairs
    if set(pairs) not in ({"ro"}, {"rw"}):
        refuse(f"invalid options of mount {text!r}")
    if not Path(source).is_dir():
        refuse(f"while mounting {source}: mount source {source} doesn't exist")
    return Path(source), writable


def limits(values: dict[str, list[str]]) -> None:
    for (cpus,) in filter(None, [values.get("--cpus")]):
        if not re.fullmatch(r"\d+(\.\d+)?", cpus) or not 0.01 <= float(cpus) <= 4096:
            refuse(f"invalid value {cpus} for --cpus")
    for name in ("--memory", "--memory-swap"):
        for (size,) in filter(None, [values.get(name)]):
            if not re.fullmatch(r"[1-9]\d*[KMGT]?", size):
                refuse(f"invalid value {size} for {name}")
    if "--memory-swap" in values and "--memory" not in values:
        refuse("--memory-swap requires --memory")


def image(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    if not data.startswith(HEADER):
        refuse(f"could not open image {path}: image format not recognized")
    found: dict[str, Any] = json.loads(data.removeprefix(HEADER))
    return found


def state(folder: Path) -> list[tuple[str, int, int]]:
    paths = sorted(folder.rglob("*"))
    return [(str(p), p.lstat().st_size, p.lstat().st_mtime_ns) for p in paths]


def run(words: list[str]) -> int:
    switches, values, (sif, program, *arguments) = options(words)
    missing = NEEDED - switches - set(values)
    if missing:
        refuse(f"a stand-in that expects {', '.join(sorted(missing))}")
    if values["--network"] != ["none"]:
        refuse(
            "network requires root or --fakeroot, users need to specify --network=none with --net"
        )
    if values.get("--pwd") != ["/"]:
        refuse("there is no such folder to begin in")
    extra = [name for name in os.environ if name.startswith(("APPTAINER", "SINGULARITY"))]
    if [name for name in extra if not name.endswith(("_CACHEDIR", "_TMPDIR"))]:
        refuse(f"variables give options, too: {extra}")
    limits(values)
    mounts = dict(map(mount, values.get(MOUNT, [])))
    inside = image(Path(sif))
    if "refuses" in inside:
        refuse(inside["refuses"])
    if program not in inside["programs"]:
        refuse(f'"{program}": executable file not found in $PATH')
    for word in arguments:
        if word.startswith("/") and not any(Path(word).is_relative_to(path) for path in mounts):
            refuse(f"{word}: no such file or directory")
    only_read = [path for path, writable in mounts.items() if not writable]
    before = [state(path) for path in only_read]
    given = dict(pair.split("=", 1) for pair in values.get("--env", []))
    environment = {"PATH": os.environ["PATH"], **given, **inside.get("environment", {})}
    if "seen" in inside:
        Path(inside["seen"]).write_text(json.dumps([words, environment]))
    command = [*inside["programs"][program], *arguments]
    process = subprocess.Popen(command, env=environment, cwd="/")
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())  # it passes signals on
    exit_code = process.wait()
    if [state(path) for path in only_read] != before:
        refuse("something wrote where it may only read")
    return exit_code if exit_code >= 0 else 128 - exit_code


def main() -> None:
    command, *words = sys.argv[1:]
    if command != "exec":
        refuse(f'unknown command "{command}"')
    sys.exit(run(words))


if __name__ == "__main__":
    main()
