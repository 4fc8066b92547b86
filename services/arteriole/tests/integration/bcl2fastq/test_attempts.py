"""What the service tells of a complete attempt."""

import json

RUN = "200624_A00834_0183_BHMTFYDRXX"
RECORD = {
    "run": RUN,
    "attempt": 2,
    "samples": [{"sample_id": "S1", "lane": 1, "reads": 5}],
    "files": [{"path": "P1/S1_S1_L001_R1_001.fastq.gz", "size": 1, "reads": 5}],
}


def test_an_attempt_is_told_once_it_is_complete(serve, tmp_path):
    fastq = tmp_path / "fastq"
    home = fastq / RUN
    (home / ".attempt-1.partial-7").mkdir(parents=True)
    for number, text in ((2, json.dumps(RECORD)), (3, "{"), (4, "[]")):
        (home / f"attempt-{number}").mkdir()
        (home / f"attempt-{number}" / "attempt.json").write_text(text)
    (home / "attempt-5").mkdir()
    outside = tmp_path / "attempt-6"
    outside.mkdir()
    (outside / "attempt.json").write_text(json.dumps(RECORD))
    (home / "attempt-6").symlink_to(outside)
    roots = {"run_roots": [str(tmp_path)], "fastq_root": str(fastq), "converter": "builtin"}
    service = serve("bcl2fastq", roots)

    def ask(run, attempt):
        answer = service.call("GET", f"attempts/{run}/{attempt}")
        return answer.status_code, answer.json()

    assert ask(RUN, 2) == (200, RECORD)
    for run, attempt in ((RUN, 1), (RUN, 5), (RUN, 0), (RUN, "02"), (RUN, "x"), ("other", 1)):
        status, answer = ask(run, attempt)
        assert (status, answer["error"]["code"]) == (404, "attempt.not_found"), (run, attempt)
    for attempt in (3, 4):
        status, answer = ask(RUN, attempt)
        assert (status, answer["error"]["code"]) == (422, "attempt.record")
    assert ask(RUN, 6)[1]["error"]["code"] == "path.outside"
    assert ask("%3C%25x", 1)[1]["error"]["code"] == "name.characters"
