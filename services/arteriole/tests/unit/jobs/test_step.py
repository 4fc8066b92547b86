"""How a step runs its command."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

from arteriole.jobs.executors.step import Step


def test_a_command_gets_its_words_as_they_are(tmp_path: Path) -> None:
    given = [
        "",
        "a b",
        "'",
        '"$HOME"',
        "`id`",
        "two\nlines",
        "*",
        "-n",
        "\\",
        "é",
        *["w" * 99] * 9999,
    ]
    code = "import json, sys; print(json.dumps(sys.argv[1:]))"
    step = Step(
        key="k", home=str(tmp_path / "it's .steps"), number=0, name="x", cwd=str(tmp_path),
        command=(sys.executable, "-c", code, *given),
    )  # fmt: skip
    with tarfile.open(fileobj=io.BytesIO(step.archive())) as archive:
        archive.extractall(step.folder, filter="data")
    subprocess.run(["sh", f"{step.folder}/run.sh", *step.arguments], check=True, timeout=60)
    assert json.loads(Path(step.folder, "stdout").read_text()) == given
    assert Path(step.done).read_text().strip() == step.digest
