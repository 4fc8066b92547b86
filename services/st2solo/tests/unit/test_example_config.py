"""The example configuration is one that can be used."""

from pathlib import Path

from st2solo.config import Ports, load

EXAMPLE = Path(__file__).parents[2] / "st2solo.yaml.example"


def test_the_example_is_good(tmp_path):
    packs = tmp_path / "packs"
    packs.mkdir()
    text = EXAMPLE.read_text().replace("/opt/arteriole/packs", str(packs))
    path = tmp_path / "st2solo.yaml"
    path.write_text(text.replace("/var/lib/st2solo", str(tmp_path / "state")))
    config = load(path)
    assert config.packs == [packs] and config.ports == Ports()
