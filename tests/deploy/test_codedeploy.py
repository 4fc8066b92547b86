"""appspec.yml and its hooks, run in CodeDeploy's order in a scratch root.

`systemctl` is a fake that notes what it is told. So are the bundle's installer, which links
programs, and the smoke test, whose outcome is chosen; the command `arteriole` is a fake too, except
where it has something to say about the configuration.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from demo.machine import ROOT

APPSPEC = yaml.safe_load((ROOT / "appspec.yml").read_text(encoding="utf-8"))
ORDER = ["ApplicationStop", "BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService"]
UNITS = ("arteriole.service", "st2solo.service")

FAKE_SYSTEMCTL = '#!/bin/sh\necho "$*" >> "$FAKE_LOG"\n'
FAKE_INSTALLER = f"""#!/bin/sh
set -eu
mkdir -p "$1/bin"
ln -sf "ARTERIOLE" "$1/bin/arteriole"
for part in arteriole st2solo; do
    mkdir -p "$1/$part/bin"
    printf '#!/bin/sh\\nexec "{sys.executable}" "$@"\\n' > "$1/$part/bin/python"
    chmod 755 "$1/$part/bin/python"
done
cp -R "$(dirname "$0")/packs" "$1/packs"
"""
#: Stands for docker-compose: makes what a backup in a container does, and says what else is asked.
FAKE_COMPOSE = """#!/bin/sh
echo "$*" >> "$FAKE_LOG"
for word; do case $word in
    *.partial:/to) to=${word%:/to} ;;
    /to/*) mkdir "$to/${word#/to/}" && touch "$to/${word#/to/}/${FAKE_FILE:-a.sqlite}" ;;
    mongo) echo dump ;;
    tar) echo keys ;;
esac; done
exit "${FAKE_CODE:-0}"
"""
#: Stands for deploy/smoke.py of a release; `new_schema` is what a migration would do to a store.
FAKE_SMOKE = """
import os, sqlite3, sys
if "problems" in sys.argv:
    print(os.environ["FAKE_PROBLEMS"])
    sys.exit(0)
if "new_schema" in {what!r}:
    store = sqlite3.connect(os.environ["FAKE_STORE"])
    store.execute("PRAGMA user_version = 99")
    store.close()
print("fake smoke test", *sys.argv[1:], file=sys.stderr)
sys.exit({code})
"""


class Root:
    """A machine's file system, and CodeDeploy on it."""

    def __init__(self, folder):
        self.folder = folder
        self.log = folder / "systemctl.log"
        self.log.touch()
        self.problems = ""
        (folder / "bin").mkdir()
        (folder / "bin" / "systemctl").write_text(FAKE_SYSTEMCTL)
        (folder / "bin" / "systemctl").chmod(0o755)
        self.etc = self.at("etc/arteriole")
        (self.etc / "configs").mkdir(parents=True)
        self.packs = self.at("opt/arteriole/current/packs")
        self.state, self.solo_state = self.at("var/lib/arteriole"), self.at("var/lib/st2solo")
        self.store = self.state / "runfolder" / "runfolder.sqlite"
        for name in ("arteria", "umccr"):
            (self.etc / "configs" / f"{name}.yaml").write_text("---\n")
        (self.etc / "arteriole.yaml").write_text(f"state_dir: {self.state}\n")
        (self.etc / "st2solo.yaml").write_text(f"packs: [{self.packs}]\nstate: {self.solo_state}\n")

    def at(self, path):
        return self.folder / "root" / path

    def begin_to_live(self):
        """State such as the services and st2solo leave."""
        self.store.parent.mkdir(parents=True)
        with closing(sqlite3.connect(self.store)) as store:
            store.executescript("CREATE TABLE runs (name); PRAGMA user_version = 3;")
            store.execute("INSERT INTO runs VALUES ('a run')")
            store.commit()
        (self.state / "admin.token").write_text("a-token\n")
        (self.solo_state / "secrets").mkdir(parents=True)
        (self.solo_state / "secrets" / "datastore_key.json").write_text("{}")
        with closing(sqlite3.connect(self.solo_state / "st2solo.sqlite")) as store:
            store.execute("CREATE TABLE keys (name)")

    def revision(self, name, smoke="works", arteriole="/bin/true"):
        """What CodeDeploy unpacks: appspec.yml, deploy/, bundle/."""
        archive = self.folder / f"revision-{name}"
        shutil.copytree(ROOT / "deploy", archive / "deploy")
        (archive / "bundle").mkdir()
        (archive / "bundle" / "install.sh").write_text(
            FAKE_INSTALLER.replace("ARTERIOLE", str(arteriole))
        )
        shutil.copytree(ROOT / "packs", archive / "bundle" / "packs")
        (archive / "bundle" / "SHA256SUMS").write_text(f"of {name}\n")
        text = FAKE_SMOKE.format(what=smoke, code=0 if smoke == "works" else 1)
        (archive / "deploy" / "smoke.py").write_text(text)
        return archive

    def hook(self, archive, event):
        return self.script(archive / APPSPEC["hooks"][event][0]["location"])

    def script(self, path, *words, **environment):
        """A script as root of a machine whose own umask is a strict one."""
        return subprocess.run(
            [str(path), *words],
            umask=0o077,
            env={
                **os.environ,
                **environment,
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "DESTDIR": str(self.folder / "root"),
                "FAKE_LOG": str(self.log),
                "FAKE_STORE": str(self.store),
                "FAKE_PROBLEMS": self.problems,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def deploy(self, archive, *, stop_of=None):
        """All hooks in their order; what ValidateService gave, or the first that failed."""
        for event in ORDER:
            if event == "ApplicationStop":
                if stop_of is None:  # nothing was deployed before
                    continue
                done = self.hook(stop_of, event)
            else:
                if event == "AfterInstall":
                    for file in APPSPEC["files"]:
                        destination = self.at(file["destination"].lstrip("/"))
                        shutil.copytree(archive / file["source"], destination)
                done = self.hook(archive, event)
            if done.returncode:
                break
        return done

    @property
    def release(self):
        return str(self.at("opt/arteriole/current").readlink())

    def told(self):
        """What systemctl was told since the last time."""
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return lines

    def schema(self):
        with closing(sqlite3.connect(self.store)) as store:
            return store.execute("PRAGMA user_version").fetchone()[0]


def name_of(archive):
    return hashlib.sha256((archive / "bundle" / "SHA256SUMS").read_bytes()).hexdigest()[:12]


@pytest.fixture
def root(tmp_path):
    return Root(tmp_path)


@pytest.fixture
def living(root):
    """One revision is deployed and lives; `living.first` is it."""
    root.first = root.revision("one")
    done = root.deploy(root.first)
    assert done.returncode == 0, done.stdout + done.stderr
    root.begin_to_live()
    return root


def test_the_hooks_are_those_of_the_order_and_there():
    assert list(APPSPEC["hooks"]) == ORDER
    for entries in APPSPEC["hooks"].values():
        (entry,) = entries
        assert os.access(ROOT / entry["location"], os.X_OK) and entry["runas"] == "root"


def test_a_first_deployment(living):
    assert living.release.endswith(f"/releases/{name_of(living.first)}")
    assert living.told() == [
        "daemon-reload",
        "enable arteriole.service st2solo.service",
        "restart arteriole.service",
        "restart st2solo.service",
    ]
    for unit in UNITS:
        assert (living.at("etc/systemd/system") / unit).is_file()


def test_the_next_one_stops_the_orchestrator_first_and_backs_the_state_up(living):
    living.told()
    second = living.revision("two")
    done = living.deploy(second, stop_of=living.first)
    assert done.returncode == 0, done.stdout + done.stderr
    assert living.told()[:2] == ["stop st2solo.service", "stop arteriole.service"]
    assert living.release.endswith(name_of(second))
    (saved,) = living.at("var/backups/arteriole").iterdir()
    assert (saved / "arteriole" / "admin.token").read_text() == "a-token\n"
    for store in ("arteriole/runfolder/runfolder.sqlite", "st2solo/st2solo.sqlite"):
        with closing(sqlite3.connect(saved / store)) as one:
            assert one.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert (saved / "st2solo" / "secrets" / "datastore_key.json").is_file()


def test_a_release_that_does_not_work_is_taken_back(living):
    before = living.release
    living.told()
    done = living.deploy(living.revision("bad", smoke="fails"), stop_of=living.first)
    assert done.returncode == 1 and "is back" in done.stderr
    assert living.release == before
    assert living.told()[-4:] == [
        "daemon-reload",
        "enable arteriole.service st2solo.service",
        "restart arteriole.service",
        "restart st2solo.service",
    ]
    assert living.schema() == 3
    assert not list(living.at("var/lib").glob("*.of-*"))


def test_with_it_goes_the_state_that_it_has_migrated(living):
    bad = living.revision("bad", smoke="new_schema")
    done = living.deploy(bad, stop_of=living.first)
    assert done.returncode == 1, done.stdout + done.stderr
    assert living.schema() == 3
    with closing(sqlite3.connect(living.store)) as store:
        assert store.execute("SELECT name FROM runs").fetchall() == [("a run",)]
    aside = living.at(f"var/lib/arteriole.of-{name_of(bad)}")
    assert (aside / "runfolder" / "runfolder.sqlite").is_file()
    assert living.solo_state.is_dir()


#: Stands for mv where the state is a mount point, as on the machine of deploy/terraform.
MV_OF_A_MOUNT_POINT = """#!/bin/sh
for word; do
    [ "$word" != "STATE" ] || { echo "cannot move $word: resource busy" >&2; exit 1; }
done
exec MV "$@"
"""


def test_a_state_that_is_a_mount_point_goes_back_too(living):
    (living.folder / "bin" / "mv").write_text(
        MV_OF_A_MOUNT_POINT.replace("STATE", str(living.state)).replace("MV", shutil.which("mv"))
    )
    (living.folder / "bin" / "mv").chmod(0o755)
    living.state.chmod(0o750)
    (living.state / ".hidden").write_text("of before")
    mounted = living.state.stat().st_ino
    bad = living.revision("bad", smoke="new_schema")
    done = living.deploy(bad, stop_of=living.first)
    assert done.returncode == 1 and "is back" in done.stderr, done.stderr
    assert living.schema() == 3 and (living.state / ".hidden").read_text() == "of before"
    aside = living.at(f"var/lib/arteriole.of-{name_of(bad)}")
    assert {path.name for path in aside.iterdir()} == {".hidden", "admin.token", "runfolder"}
    assert aside.stat().st_mode & 0o777 == 0o700
    assert living.state.stat().st_ino == mounted
    assert living.state.stat().st_mode & 0o777 == 0o750


def test_a_folder_of_a_person_is_not_taken_for_the_newest_backup(living):
    backups = living.at("var/backups/arteriole")
    (backups / "z-before-the-move" / "arteriole").mkdir(parents=True)
    (backups / "z-before-the-move" / "arteriole" / "wrong").touch()
    living.deploy(living.revision("bad", smoke="new_schema"), stop_of=living.first)
    assert living.schema() == 3 and not (living.state / "wrong").exists()


def test_an_upgrade_is_tested_without_a_run_unless_the_site_asks_for_one(living):
    second = living.revision("two")
    done = living.deploy(second, stop_of=living.first)
    assert "fake smoke test --what services --url http://127.0.0.1:8180 " in done.stderr
    assert f"--st2solo-ports {living.solo_state / 'ports.json'}" in done.stderr
    (living.etc / "deploy.env").write_text("SMOKE=chain\nSMOKE_SAMPLES=/etc/samples.csv\n")
    done = living.deploy(living.revision("three"), stop_of=second)
    assert "--what chain " in done.stderr and "--samples /etc/samples.csv" in done.stderr
    assert done.returncode == 0, done.stderr


def test_what_packs_lacked_before_the_deployment_is_no_fault_of_it(living):
    living.problems = "2"
    second = living.revision("two")
    done = living.deploy(second, stop_of=living.first)
    assert done.returncode == 0 and "--problems-before 2" in done.stderr, done.stderr
    living.problems = ""  # st2solo did not answer
    done = living.deploy(living.revision("three"), stop_of=second)
    assert done.returncode == 0 and "--problems-before" not in done.stderr
    by_hand = living.script(Path(living.release) / "deploy" / "codedeploy" / "smoke.sh")
    assert "fake smoke test" in by_hand.stderr and "--problems-before" not in by_hand.stderr


def test_a_test_that_is_none_stops_the_deployment_before_the_state_is_touched(living):
    (living.etc / "deploy.env").write_text("SMOKE=everything\n")
    before = living.release
    done = living.deploy(living.revision("two"), stop_of=living.first)
    assert done.returncode == 1 and "SMOKE=chain" in done.stderr and "everything" in done.stderr
    assert living.release == before and not list(living.at("var/backups/arteriole").iterdir())


def test_the_smoke_test_by_hand_takes_nothing_back(living):
    living.deploy(living.revision("two"), stop_of=living.first)
    before = living.release
    living.told()
    (Path(before) / "deploy" / "smoke.py").write_text(FAKE_SMOKE.format(what="fails", code=1))
    done = living.script(Path(before) / "deploy" / "codedeploy" / "smoke.sh", SMOKE="chain")
    assert done.returncode == 1 and "--what chain" in done.stderr
    assert living.release == before and living.told() == []


def test_what_was_taken_back_can_be_deployed_again_when_it_is_mended(living):
    bad = living.revision("bad", smoke="fails")
    living.deploy(bad, stop_of=living.first)
    (bad / "deploy" / "smoke.py").write_text(FAKE_SMOKE.format(what="works", code=0))
    assert living.deploy(bad, stop_of=living.first).returncode == 0
    assert living.release.endswith(name_of(bad))


def test_a_wrong_configuration_stops_the_deployment_before_anything_leads_there(living):
    before = living.release
    (living.etc / "arteriole.yaml").write_text("state_dir: relative\n")
    real = Path(sys.executable).with_name("arteriole")
    done = living.deploy(living.revision("two", arteriole=real), stop_of=living.first)
    assert done.returncode != 0 and "state_dir" in done.stdout + done.stderr
    assert living.release == before


def test_a_missing_configuration_is_named(root):
    (root.etc / "st2solo.yaml").unlink()
    done = root.deploy(root.revision("one"))
    assert done.returncode == 1 and "st2solo.yaml is missing" in done.stderr
    assert not root.at("opt/arteriole/current").exists()


def test_each_pack_that_is_named_wants_its_configuration(root):
    """As shipped both packs of the bundle are named."""
    (root.etc / "configs" / "umccr.yaml").unlink()
    done = root.deploy(root.revision("one"))
    assert done.returncode == 1
    assert f"{root.etc / 'configs' / 'umccr.yaml'} is missing: copy " in done.stderr
    example = done.stderr.split("copy ")[1].split(",")[0]
    assert Path(example).is_file(), "it is named where it lies now"
    assert not root.at("opt/arteriole/current").exists()


def test_a_site_with_a_pack_of_its_own_needs_none_of_umccr(root):
    """docs/site-pack.md: the pack `arteria` of the bundle, and one's own from elsewhere."""
    mine = root.etc / "packs" / "mysite"
    shutil.copytree(ROOT / "packs" / "umccr", mine)
    text = (mine / "pack.yaml").read_text()
    (mine / "pack.yaml").write_text(text.replace("umccr", "mysite"))
    (mine / "umccr.yaml.example").rename(mine / "mysite.yaml.example")
    (root.etc / "st2solo.yaml").write_text(
        f"packs: [{root.packs}/arteria, packs/mysite]\nstate: {root.solo_state}\n"
    )
    (root.etc / "configs" / "umccr.yaml").unlink()
    revision = root.revision("one")
    done = root.deploy(revision)
    assert done.returncode == 1 and "configs/mysite.yaml is missing" in done.stderr
    assert "umccr" not in done.stderr
    (root.etc / "configs" / "mysite.yaml").write_text("---\n")
    done = root.deploy(root.revision("two"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("{type: integer}", False),
        ("{type: integer, required: true, default: 3}", False),
        ("{type: integer, required: true}", True),
    ],
)
def test_a_pack_that_does_without_a_configuration_is_asked_for_none(root, key, asked):
    mine = root.etc / "packs" / "mysite"
    mine.mkdir(parents=True)
    (mine / "pack.yaml").write_text("name: mysite\n")
    (mine / "config.schema.yaml").write_text(f"lanes: {key}\n")
    (root.etc / "st2solo.yaml").write_text(f"packs: [packs/mysite]\nstate: {root.solo_state}\n")
    done = root.deploy(root.revision("one"))
    assert done.returncode == asked, done.stderr
    told = f"mysite.yaml is missing: see {mine / 'config.schema.yaml'}, or"
    assert (told in done.stderr) is asked


@pytest.mark.parametrize(
    ("packs", "words"), [("[lost]", "/lost, which "), ("[lost", "cannot be read: while parsing")]
)
def test_what_is_wrong_with_the_list_of_packs_is_told(root, packs, words):
    (root.etc / "st2solo.yaml").write_text(f"packs: {packs}\nstate: {root.solo_state}\n")
    done = root.deploy(root.revision("one"))
    assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr


def test_only_a_few_releases_are_kept(living):
    (living.etc / "deploy.env").write_text("KEEP_RELEASES=2\n")
    names = [living.revision(str(number)) for number in range(3)]
    for archive in names:
        assert living.deploy(archive, stop_of=living.first).returncode == 0
    there = {path.name for path in living.at("opt/arteriole/releases").iterdir()}
    assert there == {name_of(archive) for archive in names[-2:]}


def open_to_others(path):
    return path.is_symlink() or path.stat().st_mode & 0o004


def test_the_services_user_may_read_what_root_has_installed(living):
    second = living.revision("two")
    (second / "deploy" / "st2solo-prepare.sh").chmod(0o600)
    assert living.deploy(second, stop_of=living.first).returncode == 0
    assert living.at("opt/arteriole/incoming").stat().st_mode & 0o777 == 0o755
    release = living.at("opt/arteriole/current").resolve()
    there = [release, *release.parents[:2], *release.rglob("*")]
    assert [path for path in there if not open_to_others(path)] == []


def backup_names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_only_a_few_backups_are_kept_and_none_that_was_cut_off(living):
    backups = living.at("var/backups/arteriole")
    earlier = [f"2026010{day}T000000Z-1" for day in range(1, 5)]
    for name in (*earlier, "of-a-person", "20260109T000000Z-1.partial"):
        (backups / name).mkdir()
    (living.etc / "deploy.env").write_text("KEEP_BACKUPS=3\n")
    assert living.deploy(living.revision("two"), stop_of=living.first).returncode == 0
    newest, rest = backup_names(backups)[-2], backup_names(backups)[:-2]
    assert (backups / newest / "arteriole" / "admin.token").is_file()
    assert (rest, backup_names(backups)[-1]) == (earlier[-2:], "of-a-person")


def test_a_nightly_backup_has_state_and_keys_and_an_old_one_goes(living):
    nightly = living.at("mnt/backup")
    for name in ("20260101T023000Z-1", "20260102T023000Z-1", "photographs"):
        (nightly / name).mkdir(parents=True)
    (living.etc / "deploy.env").write_text(f"NIGHTLY={nightly}\nKEEP_NIGHTS=2\n")
    (living.etc / "cluster_key").write_text("a-key")
    done = living.script(ROOT / "deploy" / "nightly.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    left, made, others = backup_names(nightly)
    assert (left, others) == ("20260102T023000Z-1", "photographs")
    for name in (
        "arteriole/runfolder/runfolder.sqlite",
        "st2solo/st2solo.sqlite",
        "etc/cluster_key",
    ):
        assert (nightly / made / name).is_file()
    assert (nightly / made).stat().st_mode & 0o777 == 0o700


def lacks_state(living):
    shutil.rmtree(living.state)


def has_an_empty_state(living):
    living.store.unlink()


def has_an_empty_orchestrator(living):
    (living.solo_state / "st2solo.sqlite").unlink()


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lacks_state, "there is no state at {state}: docker-compose wants the word solo"),
        (has_an_empty_state, "/arteriole, so this is no backup"),
        (has_an_empty_orchestrator, "/st2solo, so this is no backup"),
    ],
)
def test_a_night_without_a_store_is_no_backup_and_removes_none(living, made, told):
    nightly = living.at("var/backups/arteriole-nightly")
    (nightly / "20260101T023000Z-1").mkdir(parents=True)
    (living.etc / "deploy.env").write_text("KEEP_NIGHTS=1\n")
    made(living)
    done = living.script(ROOT / "deploy" / "nightly.sh")
    assert done.returncode == 1 and told.format(state=living.state) in done.stderr, done.stderr
    assert [name for name in backup_names(nightly) if not name.endswith(".partial")] == [
        "20260101T023000Z-1"
    ]


def test_a_folder_for_backups_that_is_not_mounted_is_not_made(living):
    nightly = living.at("mnt/backup/arteriole")
    (living.etc / "deploy.env").write_text(f"NIGHTLY={nightly}\n")
    done = living.script(ROOT / "deploy" / "nightly.sh")
    assert done.returncode == 1 and "is it mounted?" in done.stderr and str(nightly) in done.stderr
    assert not nightly.exists()


def test_backups_behind_a_link_are_counted_too(living):
    disk, link = living.at("mnt/disk"), living.at("mnt/backup")
    (disk / "20260101T023000Z-1").mkdir(parents=True)
    link.symlink_to(disk)
    (living.etc / "deploy.env").write_text(f"NIGHTLY={link}\nKEEP_NIGHTS=1\n")
    assert living.script(ROOT / "deploy" / "nightly.sh").returncode == 0
    assert len(backup_names(disk)) == 1 and "20260101T023000Z-1" not in backup_names(disk)


@pytest.mark.parametrize("name", ["KEEP_NIGHTS", "KEEP_BACKUPS", "KEEP_RELEASES"])
def test_how_many_are_kept_is_a_number(living, name):
    nightly = living.at("var/backups/arteriole-nightly")
    (nightly / "20260101T023000Z-1").mkdir(parents=True)
    for count in ("all", "0", "-1", "''", "14d", "08", "99999999999999999999"):
        (living.etc / "deploy.env").write_text(f"{name}={count}\n")
        living.told()
        for script in (
            ROOT / "deploy" / "nightly.sh",
            living.first / "deploy" / "codedeploy" / "application_stop.sh",
        ):
            done = living.script(script)
            assert done.returncode == 1 and f"expected {name} from 1 to 9999" in done.stderr, count
        assert living.told() == []
    assert backup_names(nightly) == ["20260101T023000Z-1"]


@pytest.mark.parametrize(
    ("profile", "parts"),
    [
        ("solo", ["arteriole", "env", "etc", "st2solo"]),
        ("stackstorm", ["arteriole", "env", "etc", "mongo.archive.gz", "st2-keys.tar"]),
    ],
)
def test_a_nightly_backup_of_containers_is_whole_or_not_there(root, profile, parts):
    project = root.folder / "project"
    shutil.copytree(ROOT / "deploy", project / "deploy")
    (project / ".env").write_text(f"RUN_UID={os.getuid()}\n")
    compose = root.folder / "bin" / "docker-compose"
    compose.write_text(FAKE_COMPOSE)
    compose.chmod(0o755)
    script, nightly = project / "deploy" / "nightly.sh", root.at("var/backups/arteriole-nightly")
    assert root.script(script, profile, FAKE_CODE="1").returncode != 0
    assert [path.suffix for path in nightly.iterdir()] == [".partial"]
    done = root.script(script, profile, FAKE_FILE="admin.token")
    assert done.returncode == 1 and "this is no backup" in done.stderr
    assert [path.suffix for path in nightly.iterdir()] == [".partial"]
    done = root.script(script, profile)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = nightly.iterdir()
    assert backup_names(made) == parts and made.stat().st_mode & 0o777 == 0o700
    asked = "\n".join(root.told())
    assert f"--profile {profile} run" in asked and "--password" not in asked


def test_a_night_without_a_backup_removes_none(living):
    nightly = living.at("var/backups/arteriole-nightly")
    (nightly / "20260101T023000Z-1").mkdir(parents=True)
    (living.etc / "deploy.env").write_text("KEEP_NIGHTS=1\n")
    living.store.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    assert living.script(ROOT / "deploy" / "nightly.sh").returncode != 0
    assert "20260101T023000Z-1" in backup_names(nightly)


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_hardened(unit):
    lines = (ROOT / "deploy" / "systemd" / unit).read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    assert settings["User"] == "arteriole"
    wanted = {
        "NoNewPrivileges": "true", "ProtectSystem": "strict", "ProtectHome": "true",
        "CapabilityBoundingSet": "", "RestrictSUIDSGID": "true",
        # of what goes on while its unit is stopped systemd would take it away
        "PrivateTmp": "true" if unit == "st2solo.service" else None,
    }  # fmt: skip
    assert {name: settings.get(name) for name in wanted} == wanted


def exposure(folder, *words):
    """What systemd itself finds of the unit below `folder`: its findings, a line each."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "arteriole.service"],
        env={**os.environ, "SYSTEMD_UNIT_PATH": str(folder), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return [line for line in done.stdout.splitlines() if any(word in line for word in words)]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not there")
def test_apptainers_drop_in_opens_what_it_says_and_no_privilege(tmp_path):
    shutil.copy(ROOT / "deploy" / "systemd" / "arteriole.service", tmp_path)
    asked = ("RestrictNamespaces=~", "=~@mount", "PrivateDevices=")
    assert {line[0] for line in exposure(tmp_path, *asked)} == {"✓"}
    (tmp_path / "arteriole.service.d").mkdir()
    drop_in = ROOT / "deploy" / "systemd" / "apptainer.conf"
    shutil.copy(drop_in, tmp_path / "arteriole.service.d")
    assert {line[0] for line in exposure(tmp_path, *asked)} == {"✗"}
    kept = exposure(
        tmp_path, "NoNewPrivileges=", "ProtectSystem=", "=~@module", "CapabilityBounding"
    )
    assert len(kept) > 5 and {line[0] for line in kept} == {"✓"}


def test_jobs_outlive_their_service():
    assert "KillMode=process" in (ROOT / "deploy/systemd/arteriole.service").read_text()


# deploy/backup.py, while the store is being written


def run_backup(*words):
    return subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "backup.py"), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_backup_is_whole_while_the_store_is_written(tmp_path):
    state = tmp_path / "state"
    (state / "jobs" / "1").mkdir(parents=True)
    (state / "jobs" / "1" / "result.json").write_text("{}")
    (state / "in-use").touch()
    left, pack = "work", "installed_packs/1"
    for name in (f"{left}/a", f"{pack}/lab/{left}/a", f"{pack}/virtualenvs/lab/a"):
        (state / name).parent.mkdir(parents=True)
        (state / name).touch()
    with closing(sqlite3.connect(state / "a.sqlite", isolation_level=None)) as store:
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("CREATE TABLE t (n)")
        store.execute("INSERT INTO t VALUES (1)")
        store.execute("BEGIN IMMEDIATE")
        store.execute("INSERT INTO t VALUES (2)")
        assert run_backup(state, tmp_path / "to").returncode == 0
        store.execute("COMMIT")
    with closing(sqlite3.connect(tmp_path / "to" / "a.sqlite")) as copied:
        assert copied.execute("SELECT n FROM t").fetchall() == [(1,)]
    found = [p for p in (tmp_path / "to").rglob("*") if p.is_file()]
    assert sorted(p.relative_to(tmp_path / "to").as_posix() for p in found) == [
        "a.sqlite",
        f"{pack}/lab/{left}/a",
        "jobs/1/result.json",
    ]
    again = run_backup(state, tmp_path / "to")
    assert again.returncode == 1 and "is there already" in again.stderr


def test_a_store_that_is_not_whole_makes_no_backup(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "a.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    done = run_backup(tmp_path / "state", tmp_path / "to")
    assert done.returncode == 1 and not (tmp_path / "to").exists()
