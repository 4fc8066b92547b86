"""A sheet that comes with the request, for a run folder that has none or another one."""

import base64
import json

import pytest

from arteriole.simulator.defaults import default_plan
from arteriole.simulator.judge import judge
from arteriole.simulator.sequencer import write_run

OTHER = b"[Data]\nSample_ID,index\nX,ACGTACGT\n"


@pytest.fixture
def sequenced(tmp_path):
    plan = default_plan(clusters=40, read_cycles=(6, 6), lanes=1, swaths=1)
    return write_run(plan, tmp_path / "runs", truth=tmp_path / "truth")


@pytest.fixture
def service(serve, tmp_path, sequenced):
    (tmp_path / "fastq").mkdir()
    return serve(
        "bcl2fastq",
        {
            "run_roots": [str(tmp_path / "runs")],
            "fastq_root": str(tmp_path / "fastq"),
            "converter": "builtin",
        },
    )


@pytest.mark.parametrize("own", [None, OTHER])
def test_it_is_checked_used_and_kept_with_the_attempt(service, tmp_path, sequenced, own):
    data = (sequenced / "SampleSheet.csv").read_bytes()
    (sequenced / "SampleSheet.csv").unlink()
    if own is not None:
        (sequenced / "SampleSheet.csv").write_bytes(own)
    run, sheet = sequenced.name, base64.b64encode(data).decode()

    def check(**body):
        return service.call("POST", "samplesheets/check", json={"run": run, **body}).json()

    assert check()["ok"] is (own is not None)
    assert check(sheet=sheet) == {
        "ok": True, "code": "", "message": "", "hint": "", "run": run, "findings": [],
        "finding_count": 0,
    }  # fmt: skip
    assert check(sheet=base64.b64encode(b"\x01").decode())["ok"] is False

    job = service.submit(run, key="k", attempt=1, sheet=sheet)
    assert sheet not in json.dumps(job)
    ended = service.ended(job["job_id"])
    assert ended["state"] == "done", ended["message"]
    attempt = tmp_path / "fastq" / run / "attempt-1"
    assert (attempt / "SampleSheet.csv").read_bytes() == data
    assert judge(tmp_path / "truth", attempt).differences == ()
    assert service.submit(run, key="k", attempt=1, sheet=sheet)["job_id"] == job["job_id"]
    other = {"attempt": 1, "sheet": base64.b64encode(OTHER).decode()}
    answer = service.call("POST", f"start/{run}", json=other, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 409


def test_what_is_observed_goes_by_it_too(service, tmp_path, sequenced):
    data = (sequenced / "SampleSheet.csv").read_bytes()
    (sequenced / "SampleSheet.csv").unlink()
    sheet = base64.b64encode(data).decode()
    job = service.submit(sequenced.name, attempt=1, observe=True, sheet=sheet)
    ended = service.ended(job["job_id"])
    assert ended["state"] == "done", ended["message"]
    assert list((tmp_path / "fastq").iterdir()) == []


@pytest.mark.parametrize("sheet", ["&", "QQ", 5, "QUFB" * 200_000])
def test_what_is_no_sheet_is_refused(service, sequenced, sheet):
    for path, more in (("samplesheets/check", {"run": sequenced.name}), ("start/r", {})):
        answer = service.call("POST", path, json={"sheet": sheet, **more})
        assert answer.status_code in (400, 413), answer.text
        assert answer.json()["error"]["code"] in ("request.invalid", "request.too_large")
