"""Commands of a worker, its progress, and places that one job holds at a time."""

import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import OUTPUT_LIMIT, Task, WorkError, main, require_tool


def make(path: Path) -> Task:
    folder = JobFolder(path)
    folder.prepare(
        {
            "job_id": 1,
            "run": "r1",
            "stage": "s",
            "attempt": 1,
            "parameters": {},
            "worker": "x",
        }
    )
    lock = folder.lock()
    assert lock is not None
    return Task(folder, lock)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make(tmp_path / "jobs" / "1")


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_command_gives_code_and_output(task: Task) -> None:
    done = task.command(
        python("import sys; print(sys.stdin.read()); sys.exit(3)"), timeout=120, input_bytes=b"hi"
    )
    assert (done.exit_code, done.output) == (3, "hi\n")


@pytest.mark.parametrize("watched", [False, True])
def test_only_the_end_of_the_output_is_kept(task: Task, watched: bool) -> None:
    done = task.command(
        python("print('a' * 999 + '\\n', end='' ) ; print('b' * 70000); print('end')"),
        timeout=120,
        watch=(lambda line: False) if watched else None,
    )
    assert len(done.output) == OUTPUT_LIMIT
    assert done.output.endswith("b\nend\n")


def test_a_watcher_takes_lines(task: Task) -> None:
    seen: list[str] = []

    def watch(line: str) -> bool:
        seen.append(line)
        return line.endswith("%")

    code = "import sys; sys.stdout.write('10%\\r20%\\rdone\\n\\nlast'); sys.exit(1)"
    done = task.command(python(code), timeout=120, watch=watch)
    assert seen == ["10%", "20%", "done", "last"]
    assert (done.exit_code, done.output) == (1, "done\nlast\n")


@pytest.mark.parametrize("watched", [False, True])
def test_a_command_that_takes_too_long(task: Task, watched: bool) -> None:
    with pytest.raises(WorkError) as raised:
        task.command(
            python("import signal; signal.pause()"),
            timeout=0.2,
            watch=(lambda line: False) if watched else None,
        )
    assert raised.value.code == "tool.timeout"


def test_a_missing_tool(task: Task) -> None:
    with pytest.raises(WorkError, match="cannot run /no/such/rsync") as raised:
        task.command(["/no/such/rsync"], timeout=1)
    assert (raised.value.code, "install rsync" in raised.value.hint) == ("tool.missing", True)


def test_the_end_of_the_progress_is_always_told(task: Task) -> None:
    for done in range(101):
        task.progress(done, 100, "bytes")
    assert task.folder.progress() == {"done": 100, "total": 100, "unit": "bytes"}


def test_the_end_is_reckoned(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr("arteriole.jobs.worker.PROGRESS_INTERVAL", 0)
    task.progress(0, 310, "tiles")
    now[0] += 20
    task.progress(10, 310, "tiles")
    document = task.folder.progress()
    assert document is not None
    assert (document["per_second"], document["ends"]) == (0.5, "2001-09-09T01:57:00.000Z")


def test_progress_that_cannot_be_written_fails_no_work(task: Task) -> None:
    (task.folder.path / ".progress.json.partial").symlink_to("/dev/full")
    task.progress(1, 2, "bytes")
    assert task.folder.progress() is None
    (task.folder.path / ".progress.json.partial").unlink()
    task.progress(2, 2, "bytes")
    assert task.folder.progress() == {"done": 2, "total": 2, "unit": "bytes"}


def test_the_end_of_a_job_waits_for_room(task: Task) -> None:
    """/dev/full says what a full disk says."""
    partial = task.folder.path / ".outcome.json.partial"
    partial.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        task.folder.write("outcome.json", {"ok": True})
    written = threading.Thread(
        target=task.folder.write_when_there_is_room, args=("outcome.json", {"ok": True})
    )
    written.start()
    assert task.folder.read("outcome.json") is None
    partial.unlink()
    written.join(120)
    assert task.folder.read("outcome.json") == {"ok": True}


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_what_a_loss_of_power_left_is_not_there(task: Task, content: str) -> None:
    for name in ("progress.json", "outcome.json", "result.json"):
        (task.folder.path / name).write_text(content)
    assert task.folder.progress() is task.folder.outcome() is None
    assert task.folder.orphaned_outcome() is None


def test_a_required_tool() -> None:
    require_tool(sys.executable)
    with pytest.raises(WorkError, match="cannot run no-such-tool") as raised:
        require_tool("no-such-tool")
    assert raised.value.code == "tool.missing"


@pytest.mark.parametrize("observe", [True, False, None])
def test_a_worker_does_its_work_or_observes(
    task: Task, monkeypatch: pytest.MonkeyPatch, observe: bool | None
) -> None:
    """A task of an earlier version does not say, and acts."""
    document = {"job_id": 1, "run": "r1", "stage": "s", "attempt": 1, "parameters": {}}
    task.folder.write("task.json", document | ({} if observe is None else {"observe": observe}))
    monkeypatch.setattr(sys, "argv", ["worker", str(task.folder.path), "0"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main(lambda _: {"did": 1}, lambda _: {"files": 2})
    found = task.folder.read("outcome.json")
    assert found is not None
    assert (ended.value.code, found["result"]) == (
        0,
        {"would": {"files": 2}} if observe else {"did": 1},
    )


def test_a_worker_that_cannot_observe_does_nothing(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {"job_id": 1, "run": "r1", "stage": "s", "attempt": 1, "parameters": {}}
    task.folder.write("task.json", document | {"observe": True})
    monkeypatch.setattr(sys, "argv", ["worker", str(task.folder.path), "0"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit):
        main(lambda _: pytest.fail("it acted"))
    found = task.folder.read("outcome.json")
    assert found is not None and found["code"] == "job.cannot_observe"


def test_a_place_is_held_by_one_job(task: Task, tmp_path: Path) -> None:
    other = make(tmp_path / "jobs" / "2")
    with exclusive(task, "here"):
        with exclusive(other, "there"):
            pass
        with pytest.raises(WorkError) as raised, exclusive(other, "here"):
            pass
        assert raised.value.code == "job.busy"
    with exclusive(other, "here"):
        pass


def test_a_folder_is_prepared_anew(task: Task) -> None:
    for name in ("progress.json", "outcome.json", "result.json"):
        task.folder.write(name, {"ok": True, "code": "", "message": "", "hint": "", "result": {}})
    task.folder.ask_to_stop()
    task.folder.prepare({"job_id": 1})
    assert task.folder.outcome() is task.folder.orphaned_outcome() is None
    assert not task.folder.asked_to_stop()
    assert task.folder.held()
