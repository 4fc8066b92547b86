"""docker-compose.yml: every profile is taken, and keeps to what is promised of it."""

import os
import re
import shutil
import subprocess
from importlib import resources

import pytest
import yaml

from arteriole.settings import SERVICES as SERVICES_OF_OURS
from arteriole.settings import Settings
from demo.machine import ROOT
from tests.deploy.compose import COMPOSE, variables

PROFILES = ("solo", "stackstorm", "chatops", "tls", "smoke")
#: The processes of StackStorm 3.9, each an image of that name.
PROCESSES = {
    "st2api", "st2auth", "st2stream", "st2rulesengine", "st2workflowengine", "st2actionrunner",
    "st2notifier", "st2sensorcontainer", "st2timersengine", "st2garbagecollector", "st2scheduler",
}  # fmt: skip
TEXT = COMPOSE.read_text(encoding="utf-8")
SERVICES = yaml.safe_load(TEXT)["services"]
ONCE = {name for name, one in SERVICES.items() if one.get("restart") == "no"}
#: Whose images have a check of their own, or whose purpose is to end.
UNCHECKED = ONCE
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
#: What the services are given as shipped.
SHIPPED = (ROOT / "deploy/compose/arteriole.yaml").read_text(encoding="utf-8")
#: Folders that a site may name; else they are volumes.
MAY_BE_NAMED = {"RESTORE_DIR": "restored", "SHEETS_DIR": "sheets", "METADATA_DIR": "metadata"}


def as_shipped(text):
    """With the defaults of its variables."""
    return re.sub(r"\$\{[A-Z0-9_]+:-([^}]*)\}", r"\1", text)


def mounts(service):
    """`{where it is in the container: (what is there, may it be written)}`, as shipped."""
    found = {}
    for one in SERVICES[service].get("volumes", ()):
        if isinstance(one, str):
            source, target, *more = as_shipped(one).split(":")
            found[target] = source, "ro" not in more
        else:
            found[one["target"]] = one["source"], not one.get("read_only", False)
    return found


def tools():
    """What there is of Debian's docker-compose and the plugin of Docker's own command."""
    found = [["docker-compose"]] if shutil.which("docker-compose") else []
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if plugin.returncode == 0:
            found.append(["docker", "compose"])
    return found


TOOLS = tools()
needs_compose = pytest.mark.skipif(not TOOLS, reason="docker-compose is not installed")


@needs_compose
@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_taken(profile, tmp_path):
    for tool in TOOLS:
        done = subprocess.run(
            [*tool, "--file", str(COMPOSE), "--profile", profile, "config", "--quiet"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@needs_compose
def test_a_folder_that_is_not_named_is_asked_for(tmp_path):
    given = variables(tmp_path)
    del given["FASTQ_DIR"]
    done = subprocess.run(
        [*TOOLS[0], "--file", str(COMPOSE), "config", "--quiet"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **given},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0 and "the folder for FASTQs" in done.stderr


def test_every_service_belongs_to_a_profile():
    assert {p for one in SERVICES.values() for p in one["profiles"]} == set(PROFILES)


def test_stackstorm_is_one_process_a_container():
    assert {name for name in SERVICES if name in PROCESSES} == PROCESSES
    for name in PROCESSES:
        assert SERVICES[name]["image"].endswith(f"{name}:${{ST2_VERSION:-3.9}}")
        assert SERVICES[name]["command"][-1] == name


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))
def test_what_stays_up_is_checked_restarted_and_its_log_is_bounded(name):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["logging"]["options"]["max-size"]
    assert service["init"] is True


def test_only_the_proxy_is_published_to_others():
    published = {n: port for n, one in SERVICES.items() for port in one.get("ports", ())}
    assert {name for name, port in published.items() if not port.startswith("127.0.0.1:")} == {
        "proxy"
    }
    assert SERVICES["proxy"]["ports"] == ["80:80", "443:443"]


def test_databases_reach_nothing_outside():
    networks = yaml.safe_load(TEXT)["networks"]
    assert networks["data"] == networks["private"] == {"internal": True}
    for name in ("mongo", "rabbitmq", "redis"):
        assert SERVICES[name]["networks"] == ["data"]


def test_what_must_last_is_in_named_volumes():
    """Every place where an image keeps data: otherwise it would end with its container."""
    kept = [
        ("services", "/var/lib/arteriole"),
        ("services", "/data/restored"),
        ("services", "/data/sheets"),
        ("st2solo", "/var/lib/st2solo"),
        ("mongo", "/data/db"),
        ("rabbitmq", "/var/lib/rabbitmq"),
        ("redis", "/data"),
        ("proxy", "/data"),
        ("st2api", "/opt/stackstorm/packs"),
        ("st2actionrunner", "/opt/stackstorm/virtualenvs"),
        ("st2sensorcontainer", "/opt/stackstorm/configs"),
        ("st2auth", "/etc/st2/keys"),
    ]
    named = set(yaml.safe_load(TEXT)["volumes"])
    for service, target in kept:
        assert mounts(service)[target][0] in named, (service, target)
    assert named <= {source for name in SERVICES for source, _ in mounts(name).values()}


def test_packs_that_an_image_has_no_more_go_from_the_volume(tmp_path):
    """Else a site's pack would be registered beside `umccr`, and both claim every run."""
    for name in ("image/arteria", "image/mysite", "volume/arteria/old", "volume/umccr"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "pack.yaml").touch()
    entry = re.findall(r"ENTRYPOINT \[(.+)\]", (ROOT / "docker/packs/Dockerfile").read_text())
    assert entry == ['"sh", "/copy.sh"']
    (first, second, *more) = SERVICES["packs"]["command"]
    assert (first, second) == ("/export", "/packs")

    def copied(*words):
        script = str(ROOT / "docker/packs/copy.sh")
        folders = [str(tmp_path / "image"), str(tmp_path / "volume")]
        subprocess.run(["sh", script, *folders, *words], check=True, capture_output=True)
        return sorted(p.relative_to(tmp_path / "volume").as_posix()
                      for p in (tmp_path / "volume").rglob("pack.yaml"))  # fmt: skip

    assert copied() == ["arteria/pack.yaml", "mysite/pack.yaml", "umccr/pack.yaml"]
    assert copied(*more) == ["arteria/pack.yaml", "mysite/pack.yaml"]


def test_the_folder_of_the_packs_configurations_is_mounted_as_a_whole():
    """Whatever the site's pack is called; StackStorm's own files stay in their volume."""
    folder = ("./deploy/compose/packs", False)
    for service in ("st2solo", "st2solo-prepare"):
        assert mounts(service)["/etc/st2solo/configs"] == folder
    there = mounts("st2-content")
    assert there["/opt/stackstorm/configs.arteriole"] == folder
    assert there["/opt/stackstorm/configs"] == ("st2-configs", True)
    assert [target for target in there if target.endswith(".yaml")] == []


def ready(service, on):
    return SERVICES[service]["depends_on"][on]["condition"]


def test_environments_of_packs_come_before_content_and_the_token_before_the_sensor():
    assert ready("st2-content", "packs") == "service_completed_successfully"
    for name in PROCESSES:
        assert ready(name, "st2-content") == "service_completed_successfully"
    assert ready("st2sensorcontainer", "st2-handover") == "service_completed_successfully"
    assert ready("st2solo", "st2solo-prepare") == "service_completed_successfully"


def test_no_secret_stands_in_the_file_and_no_tag_is_loose():
    assert not re.findall(r"(?i)(password|token|secret|key):? *[=:] *[A-Za-z0-9+/]{16,}", TEXT)
    for name, service in SERVICES.items():
        tag = service["image"].rpartition(":")[2]
        assert "latest" not in tag and tag, name
        for key, value in service.get("environment", {}).items():
            assert not re.search("PASS|TOKEN|KEY", key) or key.endswith(("_FILE", "_VARIABLE")), (
                value
            )


def test_the_example_names_every_variable():
    used = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", TEXT))
    told = set(re.findall(r"(?m)^(?:# )?([A-Z0-9_]+)=", EXAMPLE))
    assert used == told


def test_the_example_gives_the_defaults():
    defaults = dict(re.findall(r"\$\{([A-Z0-9_]+):-([^}]*)\}", TEXT))
    told = dict(re.findall(r"(?m)^# ([A-Z0-9_]+)=(.*)$", EXAMPLE))
    files = {"SERVICES_CONFIG", "SOLO_CONFIG", "PACK_CONFIGS_DIR", "SITE_DIR", "CHAT_TOKEN_FILE"}
    needless = files | {"ST2_API_KEY_FILE", "DOMAIN", "ST2_DOMAIN", "ACME_EMAIL", *MAY_BE_NAMED}
    differing = {n: (v, told.get(n)) for n, v in defaults.items() if n in told and v != told[n]}
    assert differing.keys() <= needless


# What the services' configuration says is there.


def with_its_comments():
    """The shipped configuration with all that stands in comments taken as said."""
    lines = SHIPPED.splitlines()
    keys = re.compile(r"( *)# ( *(?:\w+: ?.*|\w+:|- .*))")
    return Settings.model_validate(
        yaml.safe_load("\n".join(keys.sub(r"\1\2", line) if keys.fullmatch(line) else line
                                 for line in lines))
    )  # fmt: skip


def test_every_folder_of_the_services_is_mounted_and_can_be_written_where_they_write():
    there, settings = mounts("services"), with_its_comments()
    assert settings.transfer and settings.metadata and settings.bcl2fastq.sheet_folder
    assert set(re.findall(r"/data/\w+|/etc/arteriole/site", SHIPPED)) <= there.keys()
    for name, path in settings.written_roots().items():
        written = not name.startswith("runfolder.monitored_directories")
        assert there[str(path)][1] is written, name
    assert there[str(settings.bcl2fastq.sheet_folder)][1] is True


def test_what_is_archived_can_be_brought_back_as_shipped():
    """Else the drill of every week fails with restore.not_set."""
    archive = Settings.model_validate(yaml.safe_load(SHIPPED)).archive
    assert mounts("services")[str(archive.restore_root)] == ("restored", True)


DOCKERFILE = (ROOT / "docker/services/Dockerfile").read_text(encoding="utf-8")


def test_the_image_exposes_the_port_of_each_service_and_no_other():
    (exposed,) = re.findall(r"(?m)^EXPOSE (.+)$", DOCKERFILE)
    sections = [Settings.__annotations__[name].__args__[0] for name in SERVICES_OF_OURS]
    assert exposed.split() == sorted(str(one.model_fields["port"].default) for one in sections)


def test_the_image_gives_its_empty_volumes_to_its_user():
    made = re.findall(r"install -d -m \d+ -o \$\{UID\} -g \$\{GID\} (.+?)(?: \\)?\n", DOCKERFILE)
    folders = {folder for line in made for folder in line.split()}
    named = yaml.safe_load(TEXT)["volumes"].keys()
    assert {t for t, (source, _) in mounts("services").items() if source in named} == folders


@needs_compose
def test_a_folder_that_is_named_takes_the_place_of_its_volume(tmp_path):
    given = {name: str(tmp_path / name) for name in MAY_BE_NAMED}
    done = subprocess.run(
        [*TOOLS[0], "--file", str(COMPOSE), "--profile", "solo", "config"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables(tmp_path), **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name, volume in MAY_BE_NAMED.items():
        assert f"{given[name]}:/data/{volume}" in done.stdout or (
            f"source: {given[name]}" in done.stdout
        )


def test_it_is_told_that_a_folder_which_is_named_has_to_be_there():
    """Docker would make it, as root's: no form of compose takes a folder or a volume otherwise."""
    _, words = EXAMPLE.partition("# RESTORE_DIR=")[0].rsplit("\n\n", 1)
    assert "begins with / or ./ and is there before" in words
    install = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    (line,) = [line for line in install.splitlines() if "chown 10001:10001 FASTQ_DIR" in line]
    assert "RESTORE_DIR" in line and "SHEETS_DIR" in line


# The page for sample sheets

CADDYFILE = (ROOT / "deploy/tls/Caddyfile").read_text(encoding="utf-8")


def test_the_image_brings_the_runbook_to_where_the_sources_look_for_it():
    (place,) = re.findall(r"(?m)^COPY services/arteriole (\S+)$", DOCKERFILE)
    link = (ROOT / "services/arteriole/src/arteriole/app/page/runbook").readlink()
    led = os.path.normpath(f"{place}/src/arteriole/app/page/{link}")
    assert f"COPY docs/runbook {led}\n" in DOCKERFILE
    assert "!docs/runbook\n" in (ROOT / ".dockerignore").read_text(encoding="utf-8")


def test_the_page_for_sample_sheets_is_published_as_that_of_runs_is():
    assert [as_shipped(port) for port in SERVICES["services"]["ports"]] == [
        "127.0.0.1:8180:8180",
        "127.0.0.1:8181:8181",
    ]
    settings = Settings.model_validate(yaml.safe_load(SHIPPED))
    assert (settings.runfolder.port, settings.bcl2fastq.port) == (8180, 8181)


def names_in(package):
    return {file.name for file in resources.files(package).iterdir() if file.is_file()}


def test_the_proxy_sends_what_that_page_needs_to_its_service_and_nothing_else():
    own = {n for n in names_in("arteriole.bcl2fastq.page") if n.endswith((".css", ".js"))}
    assert not own & (names_in("arteriole.runfolder.page") | names_in("arteriole.app.page"))
    script = resources.files("arteriole.bcl2fastq.page").joinpath("sheet.js").read_text()
    asked = set(re.findall(r'ask\("[A-Z]+", "([^"]+)"', script))
    assert asked
    (sent,) = re.findall(r"(?m)^\t@sheets path (.+)$", CADDYFILE)
    assert set(sent.split()) == {
        "/samplesheet",
        *(f"/static/{name}" for name in own),
        *(f"/api/1.0/{path}" for path in asked),
    }
    assert "\treverse_proxy @sheets services:8181\n" in CADDYFILE


def test_the_proxy_of_the_bundle_is_as_careful_and_sends_the_same():
    theirs = (ROOT / "deploy/tls/bundle.Caddyfile").read_text(encoding="utf-8")
    for block in (r"\t@sheets .*\n", r"\t@inside .*\n.*\n", r"\theader \{\n(?:\t\t.*\n)+\t\}\n"):
        (ours,) = re.findall(block, CADDYFILE)
        assert ours in theirs, ours
