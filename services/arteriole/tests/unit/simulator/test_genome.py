"""Genomes of a FASTA."""

import gzip

import pytest

from arteriole.simulator import genome
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.plan import PlanError


@pytest.mark.parametrize("packed", [False, True])
def test_the_longest_sequence_is_taken(tmp_path, packed):
    path = tmp_path / ("g.fa.gz" if packed else "g.fa")
    content = b">short x\nACGT\n>long\n" + b"acgtACGTAC\r\n" * 100
    path.write_bytes(gzip.compress(content) if packed else content)
    codes = genome.of_plan(default_plan(genome=path))
    assert codes.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1] * 100


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "longest has 0"),
        (b">x\n" + b"ACGT" * 20, "longest has 80"),
        (b">x\n" + b"ACGN" * 400, "found 'N' at base 4"),
    ],
)
def test_refused_genomes(tmp_path, content, message):
    path = tmp_path / "g.fa"
    path.write_bytes(content)
    with pytest.raises(PlanError, match=message):
        genome.of_plan(default_plan(genome=path))


def test_a_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "g.fa.gz"
    path.write_bytes(gzip.compress(b">x\nACGT")[:-4])
    with pytest.raises(PlanError, match="cannot be read"):
        genome.of_plan(default_plan(genome=path))
