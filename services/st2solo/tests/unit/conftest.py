"""The parts of st2solo that a test needs, on a store of its own."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from st2solo import config as configuration
from st2solo.config import Config
from st2solo.keys import Keys
from st2solo.registry import Registry
from st2solo.resources import Resources
from st2solo.server import registry_of
from st2solo.store import Store
from st2solo.triggers import Triggers

_PACK = "name: demo\ndescription: d\nversion: 0.1.0\nauthor: a\nemail: a@example.org\n"


@dataclass
class Site:
    """A folder with a pack named demo, and what st2solo makes of it."""

    folder: Path
    config: Config
    store: Store
    registry: Registry
    resources: Resources
    triggers: Triggers
    keys: Keys

    @property
    def pack(self) -> Path:
        return self.folder / "packs" / "demo"

    def write(self, name: str, text: str) -> Path:
        path = self.pack / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def site(tmp_path):
    (tmp_path / "packs" / "demo").mkdir(parents=True)
    (tmp_path / "configs").mkdir()
    (tmp_path / "packs" / "demo" / "pack.yaml").write_text(_PACK)
    (tmp_path / "st2solo.yaml").write_text("packs: [packs]\nstate: state\n")
    config = configuration.load(tmp_path / "st2solo.yaml")
    store = Store(config.store)
    yield Site(tmp_path, config, store, *registry_of(config, store))
    store.close()
