"""A site whose analyses can run on a real Slurm."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from centre import EARLIER, Site, sample


@pytest.fixture
def pair() -> list[dict[str, Any]]:
    """A tumour, topped up by an earlier run, and its normal."""
    both = {"pipeline": "bcbio", "batch": "CASE1", "subject": "P7"}
    return [
        sample("T1", phenotype="tumor", top_up_of=[EARLIER], **both),
        sample("N1", phenotype="normal", **both),
    ]


@pytest.fixture
def centre(tmp_path: Path) -> Site:
    return Site(tmp_path)
