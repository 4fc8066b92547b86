"""Drills: files of an archived attempt come back, are verified, and are removed again."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from arteriole.archive.drill import choose
from arteriole.archive.kind import DrillRequest
from arteriole.archive.work import work
from arteriole.checksum.parts import Part
from arteriole.cli import main

from .conftest import BASE, Centre, Store, write_tree


def _task(centre: Centre) -> Any:
    return centre.site.task(centre.kind().parameters(centre.run, DrillRequest(destination="vault")))


def test_all_of_it_needs_nothing_else(centre: Centre) -> None:
    centre.archive()
    data = [d for n, d in centre.data.items() if not n.startswith("manifest/")]
    for folder in (centre.site.runfolder, centre.site.fastq):
        shutil.rmtree(folder)
    told = {"destination": "vault", "files": len(data), "bytes": sum(map(len, data))}
    assert work(_task(centre)) == {**told, "of": len(data)}
    assert not list(centre.restored.iterdir())


def test_a_bit_at_rest_is_found(bundles: Centre, store: Store, refused: Any) -> None:
    bundles.archive()
    bundles.settings["drill_bytes"] = 450_000 * 2 + 400_000 * 4 + 200_000  # all but the large one
    for key in [key for key in store.keys() if "/bundles/" in key]:  # noqa: SIM118
        data = bytearray(store.get(key))
        data[len(data) // 2] ^= 1
        store.change(key, bytes(data))
    with refused("archive.verify", BASE):
        work(_task(bundles))
    assert not list(bundles.restored.iterdir())


def test_what_is_chosen(directory: Centre) -> None:
    from arteriole.archive import restore

    directory.archive()
    (stored,) = restore.find(directory.restore_task())
    assert choose(stored.files, 7, 3, 10**9) == choose(stored.files, 7, 3, 10**9)
    chosen = {tuple(file.name for file in choose(stored.files, n, 3, 10**9)) for n in range(20)}
    assert len(chosen) > 10 and {len(names) for names in chosen} == {3}
    assert all(file.digest.size <= 2000 for file in choose(stored.files, 7, 9, 2000))
    only = [file for file in stored.files if file.digest.size > 1000]
    assert [file.digest.size for file in choose(only, 7, 9, 10)] == [102_400]


def test_what_an_earlier_start_left_goes_too(directory: Centre) -> None:
    directory.archive()
    task = _task(directory)
    scratch = Path(task.parameters["restore"])
    (scratch / ".drill.partial" / "fastq").mkdir(parents=True)
    (scratch / ".drill.partial" / "fastq" / "foreign").write_bytes(b"half")
    work(task)
    assert not list(directory.restored.iterdir())


def test_a_unit_of_results_needs_nothing_else(centre: Centre) -> None:
    units = {f"bcbio.G{n}": {"final/a.vcf.gz": b"v" * n, "log.txt": b"log"} for n in (1, 2)}
    for name, files in units.items():
        write_tree(centre.results / name, files)
    centre.checksum(part="results")
    centre.archive(part="results")
    shutil.rmtree(centre.results)
    request = DrillRequest(destination="vault", part=Part.RESULTS)
    told = work(centre.site.task(centre.kind().parameters(centre.run, request)))
    assert told in [{"destination": "vault", "files": 2, "bytes": 3 + n, "of": 2} for n in (1, 2)]
    assert not list(centre.restored.iterdir())


@pytest.fixture
def arteriole(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def run(*words: str) -> str:
        done = CliRunner().invoke(main, ["drills", *words])
        assert done.exit_code == 0, done.output
        return str(done.output)

    return run


def test_over_http(
    directory: Centre,
    serve: Callable[..., Any],
    arteriole: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = serve("archive", directory.settings)
    monkeypatch.setenv("ARTERIOLE_ARCHIVE_URL", service.url.removesuffix("/api/1.0"))
    assert service.call("POST", "drills", json={}).json() == {"drills": [], "refused": []}
    assert arteriole() == "vault: never a good one, of 0 attempts archived\n"
    asked = CliRunner().invoke(main, ["drills", "--from", "vault"])
    assert asked.exit_code == 2 and "give --from with --now" in asked.output
    place = service.ended(service.submit(attempt=1, destination="vault")["job_id"])["result"]
    drills = service.call("POST", "drills", json={}).json()["drills"]
    job = service.ended(drills[0]["job_id"])
    assert (job["stage"], job["state"]) == ("drill", "done")
    assert arteriole().startswith("vault: last good ") and "is done" not in arteriole()
    write_tree(directory.site.runfolder, {"Logs/late.txt": b"late"})
    directory.checksum()
    service.ended(service.call("POST", "drills", json={}).json()["drills"][0]["job_id"])
    assert "is done [restore.late_files]" in arteriole()
    (Path(place["path"]) / "fastq" / "Stats" / "Stats.json").write_text("[]")
    assert "bringing back some of" in arteriole("--now")
    job = service.ended(service.call("GET", "status?stage=drill").json()["jobs"][0]["job_id"])
    assert (job["state"], job["code"]) == ("error", "archive.verify")
    assert f"archive/{job['job_id']}) is error [archive.verify]" in arteriole()
    assert "last good 2" in arteriole()
    finished = service.events("job_finished")[-1]
    assert (finished["stage"], finished["payload"]["state"]) == ("drill", "error"), finished
    answer = service.call("POST", "drills", json={"destination": "tape"})
    assert answer.json()["error"]["code"] == "destination.unknown"


def test_one_that_cannot_begin_keeps_no_other_from_it(
    directory: Centre, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {"bucket": "lost", "credentials_file": str(directory.site.home / "lost.json")}
    directory.settings["destinations"] = {
        "first": {"s3": lost},
        **directory.settings["destinations"],
    }
    service = serve("archive", directory.settings)
    service.ended(service.submit(attempt=1, destination="vault")["job_id"])
    answer = service.call("POST", "drills", json={})
    (drill,), (refused,) = answer.json()["drills"], answer.json()["refused"]
    assert (answer.status_code, drill["destination"]) == (202, "vault")
    assert (refused["destination"], refused["code"]) == ("first", "destination.unusable")
    assert service.ended(drill["job_id"])["state"] == "done"
    monkeypatch.setenv("ARTERIOLE_ARCHIVE_URL", service.url.removesuffix("/api/1.0"))
    said = CliRunner().invoke(main, ["drills", "--now"])
    assert said.exit_code == 1 and "first: credentials_file" in said.output
    assert "vault: bringing back some of" in said.output


def test_archived_results_are_chosen_too(directory: Centre, serve: Callable[..., Any]) -> None:
    write_tree(directory.results / "bcbio.G1", {"log.txt": b"log"})
    directory.checksum(part="results")
    service = serve("archive", directory.settings)
    asked = {"attempt": 1, "destination": "vault", "part": "results", "stage": "archive_results"}
    service.ended(service.submit(**asked)["job_id"])
    for _ in range(2):  # what was drilled is no archive
        (drill,) = service.call("POST", "drills", json={}).json()["drills"]
        job = service.ended(drill["job_id"])
        assert (drill["part"], job["state"], job["result"]["files"]) == ("results", "done", 1)
    (found,) = service.call("GET", "drills").json()["destinations"]
    assert found["archived"] == 1
