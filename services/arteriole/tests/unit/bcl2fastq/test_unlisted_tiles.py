"""A tile that RunInfo.xml does not list is never left out in silence.

bcl2fastq 2.20 takes the tiles of .bcl.bgzf from s_<lane>.bci and those of .cbcl from the headers.
"""

import pytest

from arteriole.bcl2fastq.converters import ConversionError

SHEET = "[Data]\nSample_ID,index,index2\nA,AAA,CCC\n"
SUFFIXES = [".bcl", ".bcl.gz", ".bcl.bgzf", ".cbcl"]


@pytest.fixture
def run(tiny_run, cluster_of):
    def make(suffix: str, taken_out: str, lanes: int = 1, empty: tuple[int, ...] = ()):
        tiny_run.suffix = suffix
        tiny_run.lanes = lanes
        tiny_run.clusters = {
            (lane, tile): [] if tile in empty else [cluster_of("ACGTAAACCCGTTA")]
            for lane in range(1, lanes + 1)
            for tile in tiny_run.tiles
        }
        tiny_run.write(SHEET)
        path = tiny_run.folder / "RunInfo.xml"
        text = path.read_text()
        assert taken_out in text
        path.write_text(text.replace(taken_out, ""))
        return tiny_run.folder

    return make


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_tile_that_is_not_listed(run, convert, suffix):
    folder = run(suffix, "<Tile>1_1102</Tile>")
    with pytest.raises(ConversionError, match="lane 1: 1 tiles have files") as caught:
        convert(folder)
    assert caught.value.code == "convert.tiles_unlisted"
    assert "1102" in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_lane_that_is_not_listed(run, convert, suffix):
    folder = run(suffix, "<Tile>2_1101</Tile><Tile>2_1102</Tile>", lanes=2)
    with pytest.raises(ConversionError, match="lane 2 has base calls") as caught:
        convert(folder)
    assert caught.value.code == "convert.tiles_unlisted"


@pytest.mark.parametrize("suffix", [".bcl.bgzf", ".cbcl"])
def test_a_tile_without_a_cluster_need_not_be_listed(run, convert, suffix):
    folder = run(suffix, "<Tile>1_1102</Tile>", empty=(1102,))
    result, _ = convert(folder)
    assert result.clusters == 1
