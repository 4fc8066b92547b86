"""Which FASTQs of an attempt an analysis takes."""

import json
from pathlib import Path

from arteriole.wes.attempts import read_attempt


def test_files_of_index_reads_are_no_input_and_merged_lanes_are_one(tmp_path: Path) -> None:
    folder = tmp_path / "r1" / "attempt-1"
    folder.mkdir(parents=True)
    files = []
    for read, index in ((1, False), (1, True), (2, True), (2, False)):
        name = f"A_S1_{'I' if index else 'R'}{read}_001.fastq.gz"
        (folder / name).touch()
        files.append({"path": name, "sample_id": "A", "lane": 0, "read": read, "index": index,
                      "reads": 3, "md5": "0" * 32})  # fmt: skip
    samples = [{"sample_id": "A", "lane": lane, "reads": lane} for lane in (1, 2)]
    (folder / "attempt.json").write_text(json.dumps({"samples": samples, "files": files}))
    found = read_attempt(tmp_path, "r1", 1).samples["A"]
    names = {read: [source.path for source in sources] for read, sources in found.items()}
    assert names == {read: [f"r1/attempt-1/A_S1_{read}_001.fastq.gz"] for read in ("R1", "R2")}
