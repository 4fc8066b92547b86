"""A bcl2fastq service with a drop folder for sheets, in a thread of this process.

The modules of the reference beside this one can be imported.
"""

import base64
import sys
from pathlib import Path

import pytest

from arteriole.app.mode import Mode
from arteriole.bcl2fastq.service import Bcl2fastqService
from arteriole.bcl2fastq.settings import Bcl2fastqSettings

from ..app.serving import Serving

sys.path.insert(0, str(Path(__file__).parent))


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def make_service(tmp_path):
    """`make_service(mode=, tokens=, **settings)`; the drop folder is `tmp_path/sheets`."""
    for folder in ("fastq", "sheets", "runs"):
        (tmp_path / folder).mkdir()
    started = []

    def make(*, mode=Mode.ACT, tokens=None, **more):
        roots = {"run_roots": [tmp_path / "runs"], "fastq_root": tmp_path / "fastq"}
        fields = {**roots, "converter": "builtin", "sheet_folder": tmp_path / "sheets", **more}
        settings = Bcl2fastqSettings.model_validate(fields)
        state = tmp_path / f"state-{len(started)}"
        started.append(Serving(lambda: Bcl2fastqService(settings, state, mode), tokens))
        return started[-1]

    yield make
    for serving in started:
        serving.stop()
