"""A real Slurm, and a site that uses it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from centre import EARLIER, Site, sample
from slurm import Slurm, missing


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, until: Callable[..., Any]) -> Iterator[Slurm]:
    if why := missing():
        pytest.skip(why)
    slurm = Slurm(tmp_path_factory.mktemp("slurm"), until)
    try:
        slurm.begin()
        yield slurm
    finally:
        slurm.end()


@pytest.fixture
def slurm(cluster: Slurm, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """The cluster, as a site's machine knows it."""
    for name in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(name, cluster.environment[name])
    return cluster


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
