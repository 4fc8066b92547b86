"""The example configuration is one that can be used."""

from pathlib import Path

import pytest

from arteriole.app.config import ConfigError, load
from arteriole.serve import configured
from arteriole.settings import SERVICES, Settings

EXAMPLE = Path(__file__).parents[2] / "arteriole.yaml.example"


def test_the_example_is_good_and_names_every_service():
    settings = load(EXAMPLE, Settings, {})
    assert configured(settings) == list(SERVICES)


@pytest.mark.parametrize(
    ("line", "wrong", "told"),
    [
        ("host: 127.0.0.1", "hots: 127.0.0.1", r"hots: there is no such key; is host meant"),
        ("port: 8183", "port: many", r"transfer\.port"),
        (
            "folder: /data/metadata",
            "foldr: /data",
            r"metadata\.sources\.0\.csv\.foldr: .*folder meant",
        ),
        ("    - csv:", "    - tsv:", r"metadata\.sources\.0\.tsv: .* is csv meant"),
        ("state_dir: /var/lib", "state_dir: var/lib", r"state_dir: .*absolute"),
        (
            "host: 127.0.0.1",
            "host: 0.0.0.0\nauth: none",
            r"auth: expected tokens where host is 0\.0\.0\.0",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path, line, wrong, told):
    text = EXAMPLE.read_text()
    assert line in text
    path = tmp_path / "arteriole.yaml"
    path.write_text(text.replace(line, wrong, 1))
    with pytest.raises(ConfigError, match=rf"arteriole\.yaml:\d+: .*{told}"):
        load(path, Settings, {})
