"""Run folders as a sequencer writes them, and a service that watches them."""

import itertools
import shutil

import pytest

from arteriole.app.mode import Mode
from arteriole.runfolder.notifications import Notifications
from arteriole.runfolder.service import RunfolderService
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.simulator.sequencer import default_plan, write_run

from ..app.serving import Serving, eventually

SLOW = 3600.0


@pytest.fixture(scope="session")
def sequenced(tmp_path_factory):
    """A complete run folder; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("sequencer")
    plan = default_plan(clusters=20, read_cycles=(6, 6), lanes=1, swaths=1)
    return write_run(plan, folder / "runs", truth=folder / "truth")


class Site:
    """Monitored directories and the service over them, which may be started again."""

    def __init__(self, folder, sequenced, mode=Mode.ACT, disk=None, **settings):
        self.mode, self.disk = mode, disk
        self._state = folder / "state"
        self._sequenced = sequenced
        self._others = itertools.count(1)
        self.directories = [folder / "mon1", folder / "mon2"]
        for directory in self.directories:
            directory.mkdir()
        fields = {
            "monitored_directories": self.directories,
            "scan_interval": 0.05,
            "settle_seconds": 0.0,
            "read_metrics": False,
            **settings,
        }
        self.settings = RunfolderSettings(**fields)
        self.serving = None

    def start(self, *, scanned=True, tokens=None, port=0):
        self.serving = Serving(
            lambda: RunfolderService(self.settings, self._state, self.mode, self.disk),
            tokens,
            port=port,
        )
        if scanned:
            self.mark()
        return self

    def stop(self):
        if self.serving is not None:
            self.serving.stop()
            self.serving = None

    @property
    def store(self):
        return self._state / "runfolder" / "runs.sqlite"

    def mark(self, directory=0):
        """Wait until a scan of a directory that began after this call is done."""
        for _ in range(2):
            name = f"mark-{len(self.listed())}"
            (self.directories[directory] / name).mkdir()
            eventually(lambda name=name: name in self.listed())

    def bring(self, name=None, directory=0, *, is_copy=False):
        """A complete run folder arrives by one rename; of another run, unless it is a copy."""
        name = name or self._sequenced.name
        partial = self.directories[directory].parent / f"partial-{name.replace('/', '')}"
        shutil.copytree(self._sequenced, partial)
        if name != self._sequenced.name and not is_copy:
            self.make_another(partial)
        return partial.rename(self.directories[directory] / name)

    def make_another(self, folder):
        """Of another flow cell: else it is a copy of the run that is sequenced."""
        info = folder / "RunInfo.xml"
        before, flowcell, after = info.read_text().partition("<Flowcell>")
        info.write_text(f"{before}{flowcell}X{next(self._others)}{after}")
        shutil.copystat(self._sequenced / "RunInfo.xml", info)

    def listed(self):
        return [run["name"] for run in self.runs()]

    def runs(self):
        return self.serving.get("/api/1.0/runs").json()["runs"]

    def run(self, name=None):
        answer = self.serving.get(f"/api/1.0/runs/{name or self._sequenced.name}")
        return answer.json() if answer.ok else None

    def becomes(self, name=None, **fields):
        """The run once these fields of it are so."""
        return eventually(
            lambda: self.run(name),
            lambda run: run is not None and {key: run[key] for key in fields} == fields,
        )

    def act(self, verb, body=None, name=None, status=200):
        path = f"/api/1.0/runs/{name or self._sequenced.name}/{verb}"
        answer = self.serving.post(path, body or {})
        assert answer.status_code == status, answer.text
        return answer.json()

    def events(self):
        return self.serving.get("/api/1.0/events?limit=1000").json()["events"]

    def told(self, what):
        return [event["run"] for event in self.events() if event["what"] == what]


@pytest.fixture
def make_site(tmp_path, sequenced):
    sites = []

    def make(**settings):
        site = Site(tmp_path, sequenced, **settings)
        sites.append(site)
        return site

    yield make
    for site in sites:
        site.stop()


@pytest.fixture(params=["scan", "notifications"])
def site(request, make_site):
    """Once with the scan alone, as on NFS, and once with the kernel's notifications alone."""
    if request.param == "scan":
        site = make_site()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Notifications, "watch", lambda *_: None)
            yield site.start()
            site.stop()
    else:
        yield make_site(scan_interval=SLOW).start()
