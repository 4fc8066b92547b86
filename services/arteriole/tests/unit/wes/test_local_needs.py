"""What analyses need of this machine."""

from typing import Any

import pytest

from arteriole.jobs.needs import NOTHING, Needs
from arteriole.wes.local_needs import needs_of
from arteriole.wes.settings import WesSettings
from arteriole.wes.units import Unit

ALIGN = {"name": "align", "command": ["bwa"], "cpus": 4, "memory_gb": 16}
CALL = {"name": "call", "command": ["gatk"], "cpus": 2, "memory_gb": 20}
COUNT = {"name": "count", "command": ["wc"]}


def pipeline(executor: str, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"version": "1", "executor": executor, "steps": [*steps]}


SETTINGS = WesSettings.model_validate(
    {
        "fastq_root": "/f",
        "work_root": "/w",
        "results_root": "/r",
        "executors": {
            "here": {"type": "process", "cores": 16},
            "few": {"type": "process", "cores": 2},
            "cluster": {"type": "slurm"},
        },
        "pipelines": {
            "germline": pipeline("here", ALIGN, CALL),
            "count": pipeline("here", COUNT),
            "few": pipeline("few", ALIGN),
            "far": pipeline("cluster", ALIGN),
            "flow": {
                "version": "1",
                "executor": "here",
                "engine": "nextflow",
                "nextflow": {"workflow": "x", "cpus": 3, "memory_gb": 7},
            },
        },
    }
)


@pytest.mark.parametrize(
    ("units", "needs"),
    [
        ([], NOTHING),
        (["far"] * 9, NOTHING),
        (["count"], Needs(1, 1)),
        (["germline"], Needs(4, 20)),  # its steps come one after the other
        (["germline"] * 2, Needs(8, 40)),
        (["germline"] * 100, Needs(16, 160)),  # eight of the smaller steps at once
        (["germline"] * 2 + ["count"] * 3, Needs(11, 43)),
        (["few"] * 5, Needs(4, 16)),  # one alone runs whatever it needs
        (["flow", "far"], Needs(3, 7)),
        (["germline", "few"], Needs(8, 36)),
    ],
)
def test_at_most_so_much_is_used_at_once(units: list[str], needs: Needs) -> None:
    made = [Unit(pipeline=name, version="1", group=f"g{n}", samples=[])
            for n, name in enumerate(units)]  # fmt: skip
    assert needs_of(made, SETTINGS) == needs
