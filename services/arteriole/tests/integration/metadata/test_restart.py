"""What is known, frozen and waited for outlives kill -9; and the commands of people."""

import json
import os
import signal
import time

import pytest

from arteriole.client import Client

from ..app.conftest import Home
from ..app.serving import eventually
from .conftest import HEADER, RUN


@pytest.fixture
def centre(tmp_path):
    centre = Home(tmp_path)
    centre.drop = tmp_path / "drop"
    centre.drop.mkdir()
    centre.write(
        f"state_dir: {centre.state}\nmetadata:\n  port: 0\n  sources:\n"
        f"    - csv: {{folder: {centre.drop}, scan_interval: 0.05}}\n"
    )
    yield centre
    for process in centre.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def put(centre, name, rows):
    """A table arrives in one piece, some time after it was written: nothing need wait for it."""
    partial = centre.drop / f"{name}.partial"
    partial.write_text(HEADER + rows)
    moment = time.time() - 60
    os.utime(partial, (moment, moment))
    partial.rename(centre.drop / name)


def freeze(centre, *samples):
    return Client.find(centre.state, "metadata").post(f"freeze/{RUN}/1", {"samples": [*samples]})


def get(centre, path):
    return Client.find(centre.state, "metadata").get(path)


def ready(centre):
    events = get(centre, "events")["events"]
    return [event["attempt"] for event in events if event["what"] == "metadata_ready"]


def test_kill_and_restart_keep_all(centre):
    put(centre, "a.csv", "S1,P1,research,wgs\n")
    process = centre.start()
    first = freeze(centre, "S1", "S2", "S3")
    centre.end(process, signal.SIGKILL)
    put(centre, "a.csv", "S1,P1,research,rna\nS2,P1,research,wgs\n")
    process = centre.start()
    assert get(centre, f"frozen/{RUN}/1")["records"] == first["records"]
    eventually(lambda: get(centre, f"frozen/{RUN}/1")["missing"][0]["known"])
    centre.end(process, signal.SIGKILL)
    put(centre, "b.csv", "S3,P1,research,wgs\n")
    process = centre.start()
    eventually(lambda: ready(centre))
    centre.end(process, signal.SIGKILL)
    centre.start()
    second = freeze(centre, "S1", "S2", "S3")
    assert second["complete"] and second["records"][0] == first["records"][0]
    assert [one["version"] for one in get(centre, "samples/S1/versions")["versions"]] == [1, 2]
    assert ready(centre) == [1]


def test_the_commands(centre):
    put(centre, "a.csv", "S1,P1,research,wgs\nS2,P1,reserch,wgs\n")
    centre.start()
    said = centre.arteriole("metadata", "show", "S1")
    assert said.startswith("S1: version 1 of ") and said.splitlines()[0].endswith(" UTC, from csv")
    assert "  pipeline        wgs" in said and "subject" not in said
    assert json.loads(centre.arteriole("metadata", "show", "S1", "--json"))["version"] == 1
    said = centre.arteriole("metadata", "show", "S9", status=1)
    assert "no source knows it (csv) [metadata.unknown]" in said
    assert "[metadata.unknown]" in centre.arteriole("metadata", "show", "..", status=1)
    assert "[name.characters]" in centre.arteriole("metadata", "show", "a/b", status=1)
    said = centre.arteriole("metadata", "sources")
    assert "a.csv:3: use: expected 'clinical' or 'research', found 'reserch'" in said
    (source,) = json.loads(centre.arteriole("metadata", "sources", "--json"))
    assert (source["samples"], source["rejected"]) == (1, 1)
    freeze(centre, "S1")
    said = centre.arteriole("metadata", "thaw", RUN, "S1", "--attempt", "1", "--reason", "wrong")
    assert f"arteriole redo {RUN} --from analyse" in said
    words = ("metadata", "thaw", RUN, "S1", "--attempt", "1", "--reason", "wrong")
    assert "[metadata.not_frozen]" in centre.arteriole(*words, status=1)
    (centre.drop / "a.csv").unlink()
    eventually(lambda: "not known any more" in centre.arteriole("metadata", "show", "S1"))


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (f"{HEADER}S1,P1,research,wgs\n", 0, "table.csv: 1 sample, nothing refused\n"),
        (f"{HEADER}S1,P1,x,wgs\n", 1, "table.csv:2: use: expected 'clinical' or 'research'"),
        (f"{HEADER}S1,P1,x,wgs\n", 1, "table.csv: 0 samples, 1 refused"),
        ("x\n", 1, "table.csv:1: x: expected one of sample, "),
        (None, 1, "table.csv: it cannot be read: No such file or directory [metadata.table]"),
    ],
)
def test_a_table_is_checked_before_it_is_dropped(home_of_none, tmp_path, content, status, told):
    file = tmp_path / "table.csv"
    if content is not None:
        file.write_text(content)
    assert told in home_of_none.arteriole("metadata", "check", str(file), status=status)


@pytest.fixture
def home_of_none(tmp_path):
    return Home(tmp_path)
