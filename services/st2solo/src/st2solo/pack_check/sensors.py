"""Sensors: their file, their class, and the triggers that they dispatch."""

from collections.abc import Iterator

from st2solo.metadata_file import MetadataFile, Problem
from st2solo.pack_check import python_code
from st2solo.pack_check.catalogue import Catalogue
from st2solo.pack_check.python_code import CodeError
from st2solo.packs import Pack

#: MINIMUM_POLL_INTERVAL of st2common/constants/sensors.py.
_SHORTEST_SECONDS = 4
_DISPATCHES = ("dispatch", "dispatch_with_context")


def problems(pack: Pack, file: MetadataFile, catalogue: Catalogue) -> Iterator[Problem]:
    seconds = file.content.get("poll_interval")
    if seconds is not None and seconds < _SHORTEST_SECONDS:
        message = f"poll_interval: StackStorm wants {_SHORTEST_SECONDS} s at least, found {seconds}"
        yield file.problem(message, ["poll_interval"], "sensor.poll_interval")
    path = pack.path / "sensors" / file.content["entry_point"]
    if not path.is_file():
        message = f"entry_point: there is no file {path}"
        yield file.problem(message, ["entry_point"], "entry_point.not_there")
        return
    try:
        tree = python_code.read(path)
    except CodeError as error:
        yield error.problem
        return
    name = file.content["class_name"]
    if not python_code.has_name(tree, name):
        message = f"class_name: {path.name} has no class {name}"
        yield file.problem(message, ["class_name"], "python.no_class")
    for method in _DISPATCHES:
        for ref, node in python_code.texts_given(tree, method, "trigger"):
            if ref not in catalogue.trigger_types and "." in ref:
                code = catalogue.absence("trigger", ref)
                if code is not None:
                    message = f"no pack here has the trigger type {ref}"
                    yield Problem(path, node.lineno, message, node.col_offset + 1, code)
