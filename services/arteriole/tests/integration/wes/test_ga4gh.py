"""GA4GH WES 1.1 over HTTP, with GA4GH's own client and by hand."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from centre import RUN, Site, sample

from arteriole.app.application import BODY_LIMIT

CLIENT = Path(__file__).parents[5] / ".venv-wes" / "bin" / "python"
PARAMS: dict[str, Any] = {
    "run": RUN, "attempt": 1, "samples": [sample("R1", pipeline="wait.cwl")], "held": ["T1", "N1"],
}  # fmt: skip


@pytest.fixture
def site(centre: Site) -> Site:
    """A site whose pipeline `wait.cwl` is known to clients as CWL."""
    centre.on_slurm()
    workflow = centre.home / "site" / "wait.cwl"
    workflow.parent.mkdir()
    workflow.write_text("cwlVersion: v1.2\n")
    wait = centre.settings["pipelines"].pop("sleep")
    centre.settings["pipelines"] = {
        "wait.cwl": {**wait, "executor": "here", "workflow_type": "CWL",
                     "workflow_type_version": "v1.2", "workflow_file": str(workflow)},
        "count": centre.count("here"),
    }  # fmt: skip
    return centre


class Api:
    def __init__(self, service: Any) -> None:
        self.service = service
        self.url = service.url.replace("/api/1.0", "/ga4gh/wes/v1")

    def get(self, path: str, **query: Any) -> Any:
        answer = requests.get(f"{self.url}/{path}", params=query, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def run(self, params: Any = None, files: Any = None, **form: Any) -> requests.Response:
        text = json.dumps({**PARAMS, **(params or {})}) if not isinstance(params, str) else params
        fields = {"workflow_url": "wait.cwl", "workflow_params": text, **form}
        parts = {name: (None, value) for name, value in fields.items()}
        return requests.post(f"{self.url}/runs", files={**parts, **(files or {})}, timeout=30)

    def started(self, *given: Any, **form: Any) -> str:
        answer = self.run(*given, **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["run_id"])


@pytest.fixture
def api(site: Site, serve: Callable[..., Any]) -> Api:
    return Api(serve("wes", site.settings))


def test_the_client_of_ga4gh_submits_follows_and_cancels(site: Site, api: Api) -> None:
    own = site.home / "site" / "wait.cwl"
    host = api.url.split("/")[2]
    arguments = [str(CLIENT), str(Path(__file__).with_name("wes_session.py")), host, str(own)]
    done = subprocess.run(
        [*arguments, json.dumps(PARAMS), str(site.home / "go.R1")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["info"]["workflow_type_versions"]["CWL"] == {"workflow_type_version": ["v1.2"]}
    assert told["info"]["supported_wes_versions"] == ["1.1.0"]
    assert (told["cancelled"], told["done"]) == ("CANCELED", "COMPLETE")
    assert [run["state"] for run in told["listed"]["runs"]] == ["COMPLETE", "CANCELED"]
    log = told["log"]
    assert [task["name"] for task in log["task_logs"]] == [
        "wait.cwl-1.R1 inputs",
        "wait.cwl-1.R1 wait",
    ]
    assert [task["exit_code"] for task in log["task_logs"]] == [0, 0]
    assert log["request"]["workflow_type"] == "CWL"
    assert log["outputs"]["units"][0]["group"] == "R1"
    printed = requests.get(log["task_logs"][0]["stdout"], timeout=30).text
    assert printed == "R1_R1_001.fastq.gz 7\nR1_R2_001.fastq.gz 7\n"


def test_states_tasks_and_pages(site: Site, api: Api) -> None:
    (site.home / "go.R1").touch()
    run_id = api.started()
    api.service.ended(int(run_id))
    failing = site.fastq / RUN / "attempt-1" / "R1_S3_L001_R1_001.fastq.gz"
    failing.write_bytes(b"")
    counted = [sample("R1"), *(sample(name) for name in ("T1", "N1"))]
    other = api.started({"samples": counted, "held": []}, workflow_url="count")
    api.service.ended(int(other))
    assert api.get(f"runs/{other}/status") == {"run_id": other, "state": "EXECUTOR_ERROR"}
    first = api.get("runs", page_size=1)
    assert [run["run_id"] for run in first["runs"]] == [other]
    second = api.get("runs", page_size=1, page_token=first["next_page_token"])
    assert ([run["run_id"] for run in second["runs"]], second["next_page_token"]) == ([run_id], "")
    tasks = api.get(f"runs/{run_id}/tasks", page_size=1)
    assert tasks["next_page_token"] == "1"
    task = tasks["task_logs"][0]
    assert api.get(f"runs/{run_id}/tasks/{task['id']}") == task
    assert api.get("service-info")["system_state_counts"] == {"COMPLETE": 1, "EXECUTOR_ERROR": 1}


def test_a_run_is_told_as_wes_has_it(site: Site, api: Api) -> None:
    tags = {"study": "a b {{ c }}", "run": "another"}
    run_id = api.started(tags=json.dumps(tags), workflow_type_version="v1.2")
    ours = {"run": RUN, "stage": "analyse", "attempt": "1"}
    told = api.get(f"runs/{run_id}")
    assert told["request"]["tags"] == {"study": "a b {{ c }}", **ours}
    assert told["request"]["workflow_type_version"] == "v1.2"
    assert told["run_log"]["stdout"].endswith(f"/logs/{RUN}?job_id={run_id}")
    assert not {"end_time", "exit_code"} & told["run_log"].keys()
    (site.home / "go.R1").touch()
    api.service.ended(int(run_id))
    (summary,) = api.get("runs", page_size=1_000_000)["runs"]
    assert summary["tags"] == told["request"]["tags"] and summary["end_time"]
    assert api.get(f"runs/{run_id}")["run_log"]["exit_code"] == 0


def test_what_is_refused(site: Site, api: Api) -> None:
    own = (site.home / "site" / "wait.cwl").read_bytes()
    attach = "workflow_attachment"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"workflow_url": "https://example.org/other.cwl"}, "pipeline.unknown"),
        ({"workflow_type": "WDL"}, "request.invalid"),
        ({"workflow_type_version": "v9"}, "request.invalid"),
        ({"tags": '["a"]'}, "request.invalid"),
        ({"tags": '{"a": 1}'}, "request.invalid"),
        ({"params": {"pipeline": "count"}}, "request.invalid"),
        ({"params": "{"}, "request.invalid"),
        ({"params": '{"attempt": 1}'}, "request.invalid"),
        ({"params": {"attempt": 9}}, "attempt.not_found"),
        ({"params": {"run": "../etc"}}, "name.characters"),
        ({"files": {attach: ("wait.cwl", own + b"#")}}, "pipeline.attachment"),
        ({"workflow_url": "count", "files": {attach: ("x", b"")}}, "pipeline.attachment"),
    ]
    for request, code in cases:
        answer = api.run(**request)
        document = answer.json()
        assert (answer.status_code, document["error"]["code"]) == (400, code), (
            request,
            answer.text,
        )
        assert document["status_code"] == 400 and document["msg"]
    answer = requests.get(f"{api.url}/runs/77", timeout=30)
    assert (answer.status_code, answer.json()["status_code"]) == (404, 404)
    assert api.get("runs")["runs"] == []


def test_what_is_no_form_or_too_large_is_refused_as_wes_has_it(api: Api) -> None:
    kind = {"Content-Type": "multipart/form-data"}
    no_form = requests.post(f"{api.url}/runs", data=b"x", headers=kind, timeout=30)
    too_large = api.run(files={"workflow_attachment": ("wait.cwl", b"x" * BODY_LIMIT)})
    for answer, status in ((no_form, 400), (too_large, 413)):
        assert (answer.status_code, answer.json()["status_code"]) == (status, status)
        assert answer.json()["error"]["code"] == "request.invalid"


def test_openapi_has_the_form(api: Api) -> None:
    document = requests.get(f"{api.url.split('/ga4gh')[0]}/openapi.json", timeout=30).json()
    body = document["paths"]["/ga4gh/wes/v1/runs"]["post"]["requestBody"]["content"]
    assert list(body) == ["multipart/form-data"]
