"""The example configuration is one that can be used."""

from pathlib import Path

from st2solo.collector import Keep
from st2solo.config import Ports, load

EXAMPLE = Path(__file__).parents[2] / "st2solo.yaml.example"


def test_the_example_is_good(tmp_path):
    packs = tmp_path / "packs"
    packs.mkdir()
    lines = EXAMPLE.read_text().splitlines()
    # what is commented out has to be right, too
    lines = [
        line.removeprefix("# ") if ": " in line.partition("#")[2][:30] else line for line in lines
    ]
    text = "\n".join(lines).replace("/opt/arteriole/packs", str(packs))
    path = tmp_path / "st2solo.yaml"
    path.write_text(text.replace("/var/lib/st2solo", str(tmp_path / "state")))
    config = load(path)
    assert config.packs == [packs] and config.ports == Ports()
    assert config.keep == Keep() and config.rerun and config.ssh.user == "stanley"
