"""deploy/terraform: its files are read, and what they use is there; its disk script with fakes.

Without AWS and its provider nothing is planned or applied here.
"""

import json
import os
import re
import shutil
import subprocess

import hcl2
import pytest

from demo.machine import ROOT

FOLDER = ROOT / "deploy" / "terraform"
FILES = sorted(FOLDER.glob("*.tf"))
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
PARSED = [hcl2.loads(path.read_text(encoding="utf-8")) for path in FILES]
TEMPLATE = (FOLDER / "user_data.sh.tftpl").read_text(encoding="utf-8")


def blocks(kind):
    """`{name: body}` of the blocks of a kind with one label, `{type.name: body}` of two."""
    found = {}
    for document in PARSED:
        for block in document.get(kind, ()):
            for label, body in block.items():
                if kind in ("resource", "data"):
                    found |= {f"{label.strip(chr(34))}.{n.strip(chr(34))}": b
                              for n, b in body.items() if not n.startswith("__")}  # fmt: skip
                else:
                    found[label.strip('"')] = body
    return found


VARIABLES = blocks("variable")
RESOURCES = blocks("resource")


def one(name):
    return RESOURCES[name]


def test_every_variable_that_is_used_is_declared_and_every_one_declared_is_used():
    assert set(re.findall(r"\bvar\.([a-z_]+)", TEXT)) == set(VARIABLES)
    assert all(body.get("description") and body.get("type") for body in VARIABLES.values())


def test_every_resource_that_is_named_is_there():
    named = set(re.findall(r"(?<![\w.\"])(aws_[a-z0-9_]+\.[a-z_]+)", TEXT))
    assert named <= RESOURCES.keys()
    data = set(re.findall(r"\bdata\.(aws_[a-z0-9_]+\.[a-z_]+)", TEXT))
    assert data == blocks("data").keys()


def test_versions_are_pinned():
    (terraform,) = [document["terraform"][0] for document in PARSED if "terraform" in document]
    assert "< 2.0.0" in terraform["required_version"]
    version = terraform["required_providers"][0]["aws"]["version"].strip('"')
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_no_secret_stands_there():
    whole = TEXT + TEMPLATE
    assert not re.search(r"AKIA[0-9A-Z]{16}", whole)
    assert not re.search(r'(?i)(password|secret|token|private_key)\s*=\s*"[^"$]', whole)
    assert not re.search(r"\b\d{12}\b", whole), "an account's number"


def test_the_group_is_of_one():
    group = one("aws_autoscaling_group.this")
    assert [group[key] for key in ("min_size", "max_size", "desired_capacity")] == [1, 1, 1]


def test_nothing_but_443_is_open():
    rules = {n: b for n, b in RESOURCES.items() if "ingress" in n}
    assert [(rule["from_port"], rule["to_port"]) for rule in rules.values()] == [(443, 443)]
    assert "ingress" not in one("aws_security_group.this")
    assert "default" not in VARIABLES["https_cidrs"], "who may come in is said by the site"
    assert VARIABLES["public_address"]["default"] is False


def test_the_data_volume_outlives_everything():
    volume = one("aws_ebs_volume.data")
    assert volume["lifecycle"][0]["prevent_destroy"] is True
    assert volume["encrypted"] is True


def test_rights_are_narrow():
    policy = blocks("data")["aws_iam_policy_document.machine"]
    wide = [s for s in policy["statement"] if '"*"' in json.dumps(s["resources"]).replace("\\", "")]
    assert [s["sid"].strip('"') for s in wide] == ["FindDataVolume"]
    assert not re.search(r'"(s3|ec2|iam):\*"', TEXT)


def test_the_metadata_service_wants_a_token():
    options = one("aws_launch_template.this")["metadata_options"][0]
    assert options["http_tokens"].strip('"') == "required"


def rendered():
    """The user data as Terraform would render it, with words in place of values."""
    names = set(re.findall(r"\$\{([a-z_]+)\}", TEMPLATE))
    (given,) = re.findall(r"templatefile\([^{]*\{(.*?)\}\)", TEXT, re.DOTALL)
    assert names == set(re.findall(r"(?m)^\s+([a-z_]+)\s+=", given))
    return re.sub(r"\$\{([a-z_]+)\}", r"a-\1", TEMPLATE)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_user_data_is_clean_for_shellcheck(tmp_path):
    script = tmp_path / "user_data.sh"
    script.write_text(rendered())
    done = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.docker  # with the other tests that want what not every machine has
@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not there")
def test_the_form_is_terraforms_own():
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(FOLDER)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


# configuration.sh


@pytest.fixture
def configured(tmp_path):
    """What is copied to a machine: its modes, and who was made the owner of what."""
    files = ["arteriole.yaml", "configs/umccr.yaml", "deploy.env", "cluster_key", "keys/centre.sec"]
    fakes = {
        "aws": f'cd "$6" && mkdir configs keys && touch {" ".join(files)}',
        "chown": 'owner=$1; shift; for one; do echo "$owner $one" >> "$FAKE/owners"; done',
    }
    for name, body in fakes.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    to = tmp_path / "etc"
    subprocess.run(
        ["sh", str(FOLDER / "configuration.sh"), "s3://bucket/config/", str(to), "arteriole"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "FAKE": str(tmp_path)},
        check=True,
        umask=0o022,
    )
    modes = {path.relative_to(to).as_posix(): path.stat().st_mode & 0o777 for path in to.rglob("*")}
    lines = [line.split() for line in (tmp_path / "owners").read_text().splitlines()]
    owners = {os.path.relpath(path, to): owner for owner, path in lines}
    return modes, owners


def test_keys_of_the_configuration_are_the_services_users_alone(configured):
    modes, owners = configured
    for name in ("cluster_key", "keys/centre.sec"):
        assert (modes[name], owners[name]) == (0o600, "arteriole:arteriole")


def test_what_root_reads_the_services_user_cannot_change(configured):
    modes, owners = configured
    for name in ("arteriole.yaml", "configs/umccr.yaml", "deploy.env"):
        assert (modes[name], owners[name]) == (0o640, "root:arteriole")
    for name in ("configs", "keys"):
        assert (modes[name], owners[name]) == (0o750, "root:arteriole")
    assert owners["."] == "root:arteriole"


# attach_volume.sh

#: Fakes: a volume whose holder and file system are in files, and no device at all.
FAKES = {
    "aws": """
case "$2" in
    describe-volumes) cat "$FAKE/holder" ;;
    attach-volume) [ ! -e "$FAKE/busy" ] || exit 1; echo "$6" > "$FAKE/holder" ;;
esac
""",
    "blkid": '[ "$2" = "$(cat "$FAKE/label")" ] && echo /dev/fake',
    "mountpoint": '[ -e "$FAKE/mounted" ]',
    "mount": 'echo "$*" >> "$FAKE/mounted"',
    "mkfs.ext4": 'touch "$FAKE/formatted"',
    "mkfs": 'touch "$FAKE/formatted"',
}


@pytest.fixture
def attach(tmp_path):
    def run(*, holder="None", label="arteriole", busy=False):
        (tmp_path / "holder").write_text(f"{holder}\n")
        (tmp_path / "label").write_text(label)
        if busy:
            (tmp_path / "busy").touch()
        for name, body in FAKES.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        (tmp_path / "fstab").touch()
        at = tmp_path / "data"
        done = subprocess.run(
            ["sh", str(FOLDER / "attach_volume.sh"), "vol-1", "i-1", "arteriole", str(at)],
            env={
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "FAKE": str(tmp_path),
                "FSTAB": str(tmp_path / "fstab"),
                "TRIES": "2",
                "PAUSE": "0",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        mounted = (tmp_path / "mounted").exists()
        assert not (tmp_path / "formatted").exists()
        return done, mounted, (tmp_path / "fstab").read_text()

    return run


def test_a_volume_with_a_file_system_is_attached_and_mounted_by_its_label(attach, tmp_path):
    done, mounted, fstab = attach()
    assert (done.returncode, mounted) == (0, True), done.stderr
    assert (tmp_path / "mounted").read_text() == f"LABEL=arteriole {tmp_path}/data\n"
    assert fstab.startswith(f"LABEL=arteriole {tmp_path}/data ")


def test_again_changes_nothing(attach):
    first = attach()
    assert attach(holder="i-1")[1:] == first[1:]


@pytest.mark.parametrize("label", ["", "another"], ids=["blank", "of something else"])
def test_a_volume_without_that_file_system_is_left_alone(attach, label):
    done, mounted, fstab = attach(label=label)
    assert (done.returncode, mounted, fstab) == (1, False, "")
    assert "mkfs.ext4 -L arteriole" in done.stderr


def test_a_volume_that_another_machine_holds_is_not_taken(attach):
    done, mounted, _ = attach(holder="i-2")
    assert (done.returncode, mounted) == (1, False) and "held by i-2" in done.stderr


def test_a_volume_that_cannot_be_attached_is_told(attach):
    done, mounted, _ = attach(busy=True)
    assert (done.returncode, mounted) == (1, False)
