"""A run folder through the chain; a few hundred files here, 20,000 by `make storm`."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .hash_chain import STEPS, Chain, Size, differences
from .swift import Swift

KILLED = ("transfer_runfolder", "archive")


@pytest.mark.timeout(300)
def test_a_run_folder_is_equal_on_the_cluster_and_back_from_the_archive(
    tmp_path: Path, sshd: Any, swift_server: Swift
) -> None:
    """Service and job are killed in the midst of the transfer."""
    chain = Chain(tmp_path, Size(300, 2000, 10_000), 7, swift_server)
    chain.configure(sshd.destination(chain.far, bandwidth=200))
    told = chain.take(*STEPS, kill=["transfer_runfolder"])
    taken = dict(zip(STEPS, told["taken"], strict=True))
    assert taken["transfer_runfolder"]["killed_at"] > 0
    assert taken["transfer_runfolder"]["job"]["result"]["files"] == len(chain.names) > 300
    assert chain.problems() == []


@pytest.mark.storm
@pytest.mark.timeout(7200)
def test_so_many_files_under_kills(tmp_path: Path, sshd: Any, swift_server: Swift) -> None:
    """`make storm STORM=hash_chain`: the number of files and the seed are in the environment."""
    size = Size(int(os.environ["CHAIN_FILES"]), 20_000, 150_000_000)
    chain = Chain(tmp_path, size, int(os.environ["CHAIN_SEED"]), swift_server)
    chain.configure(sshd.destination(chain.far))
    told = {name: chain.take(name, kill=KILLED) for name in STEPS}
    taken = {name: one["taken"][0] for name, one in told.items()}
    killed_at = {name: taken[name]["killed_at"] for name in KILLED}
    assert None not in killed_at.values(), killed_at
    assert chain.problems() == []
    figures = {
        "files": len(chain.names),
        "bytes": sum((chain.runfolder / name).stat().st_size for name in chain.names),
        "fastq_bytes": 2 * size.fastq_bytes,
        "equal": ["on the cluster", "restored", "restored with tar and md5sum alone"],
        "killed_at": killed_at,
        "steps": {
            name: {
                "seconds": taken[name]["seconds"],
                "cpu_seconds": one["cpu_seconds"],
                "peak_memory_mib": one["peak_memory_mib"],
            }
            for name, one in told.items()
        },
    }
    Path(os.environ["CHAIN_FIGURES"]).write_text(json.dumps(figures))
    shutil.rmtree(tmp_path)


@pytest.fixture
def copies(tmp_path: Path) -> list[Path]:
    """Two equal folders."""
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        (folder / "L001").mkdir(parents=True)
        (folder / "L001" / "s_1.bcl").write_bytes(b"calls")
        (folder / "RunInfo.xml").write_bytes(b"<RunInfo/>")
    return folders


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda folder: (folder / "L001/s_1.bcl").write_bytes(b"calLs"), "L001/s_1.bcl is another"),
        (
            lambda folder: (folder / "L001/s_1.bcl").write_bytes(b"calls\0"),
            "L001/s_1.bcl is another",
        ),
        (lambda folder: (folder / "RunInfo.xml").unlink(), "RunInfo.xml is missing"),
        (lambda folder: (folder / "x").touch(), "x is there, and was not sent"),
        (lambda folder: (folder / "x").symlink_to("L001"), "x is there, and was not sent"),
    ],
)
def test_each_difference_is_told(
    copies: list[Path], harm: Callable[[Path], Any], told: str
) -> None:
    assert differences(*copies) == []
    harm(copies[1])
    assert differences(*copies) == [told]
