"""What is fetched for `st2 pack install`, and what is refused, from real git repositories."""

import json
import os
import subprocess
import sys

import pytest

from st2solo.errors import InvalidError, St2SoloError
from st2solo.pack_files import download, fits
from st2solo.pack_repository import Source

_PACK = "name: hello\ndescription: d\nversion: {version}\nauthor: a\nemail: a@example.org\n"
_EXECUTION = f"{1:024x}"


class Repository:
    """A git repository, and what is downloaded from it."""

    def __init__(self, folder):
        self.folder, self.to = folder / "repository", folder / "installed"
        self.folder.mkdir()
        self.git("init", "--quiet", "--initial-branch", "trunk")
        self.commit(**{"pack.yaml": _PACK.format(version="1.0.0")})

    def git(self, *arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ["git", *who, "-C", self.folder, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, **files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "x")
        return self.git("rev-parse", "HEAD")

    def download(self, *sources, **order):
        return download(
            {
                "folder": str(self.to),
                "execution": _EXECUTION,
                "packs": sources or [f"file://{self.folder}"],
                "fixed": {"core": "/st2solo/core_pack"},
                "registered": ["core", "other"],
                "force": False,
                "skip_dependencies": False,
                **order,
            }
        )


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_the_files_of_a_commit_are_there_and_nothing_else(repository):
    commit = repository.commit(**{"actions/a.yaml": "name: a\nrunner_type: noop\n"})
    (repository.folder / "actions" / "b.yaml").write_text("not committed")
    (repository.to / f"{_EXECUTION}.7").mkdir(parents=True)  # of an attempt that was killed
    done = repository.download()
    (found,) = done["packs"]
    assert found == {
        "pack": "hello",
        "folder": f"{_EXECUTION}.0",
        "source": f"file://{repository.folder}",
        "revision": commit,
    }
    files = {str(p.relative_to(repository.to)) for p in repository.to.rglob("*") if p.is_file()}
    assert files == {f"{_EXECUTION}.0/hello/{name}" for name in ("pack.yaml", "actions/a.yaml")}


@pytest.mark.parametrize(
    ("revision", "version"),
    [
        ("", "3.0.0"),
        ("=trunk", "3.0.0"),
        ("=v1.0.0", "1.0.0"),
        ("=1.0.0", "1.0.0"),
        ("=feature/x", "2.0.0"),
        ("={commit}", "1.0.0"),
    ],
)
def test_a_revision_is_a_branch_a_tag_or_a_commit(repository, revision, version):
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "v1.0.0")
    repository.git("checkout", "--quiet", "-b", "feature/x")
    repository.commit(**{"pack.yaml": _PACK.format(version="2.0.0")})
    repository.git("checkout", "--quiet", "trunk")
    repository.commit(**{"pack.yaml": _PACK.format(version="3.0.0")})
    repository.download(f"file://{repository.folder}{revision.format(commit=first)}")
    text = (repository.to / f"{_EXECUTION}.0" / "hello" / "pack.yaml").read_text()
    assert f"version: {version}" in text


def test_nothing_of_the_repository_is_run(repository, tmp_path, monkeypatch):
    """Hooks of it, of a template of the user, filters and submodules."""
    ran = tmp_path / "ran"
    template = tmp_path / "template" / "hooks"
    template.mkdir(parents=True)
    for hooks in (template, repository.folder / ".git" / "hooks"):
        for name in ("post-checkout", "reference-transaction"):
            (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {ran}\n")
            (hooks / name).chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "other").mkdir()
    other = Repository(tmp_path / "other")
    allowed = ("-c", "protocol.file.allow=always", "-c", "core.hooksPath=/dev/null")
    repository.git(*allowed, "submodule", "--quiet", "add", str(other.folder), "sub")
    repository.git("-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--message", "sub")
    (tmp_path / ".gitconfig").write_text(f"[init]\n\ttemplateDir = {template.parent}\n")
    done = repository.download()
    assert done["warnings"] == [f"file://{repository.folder}: the submodule sub is left out"]
    assert list((repository.to / f"{_EXECUTION}.0" / "hello" / "sub").iterdir()) == []
    assert not ran.exists()


#: Files of a commit, and words of why it is refused.
_REFUSED = [
    ({"pack.yaml": "name: hello\n"}, "pack.yaml:1: 'description' is a required property"),
    ({"pack.yaml": _PACK.format(version="1.0.0") + "ref: a-b\n"}, "a-b"),
    ({"pack.yaml": _PACK.format(version="1.0.0").replace("hello", "core")}, "/st2solo/core_pack"),
    ({"pack.yaml": _PACK.format(version="1.0.0").replace("hello", "virtualenvs")}, "virtualenvs"),
    ({"pack.yaml": _PACK.format(version="1.0.0") + "stackstorm_version: '>=4.0.0'\n"}, "--force"),
    ({"pack.yaml": _PACK.format(version="1.0.0") + "dependencies: [absent=1.0]\n"}, "absent"),
    ({"actions/a.yaml": "name: a\nrunner_type: winrm-cmd\n"}, "actions/a.yaml:2: runner_type"),
    (
        {
            "actions/a.yaml": "name: a\nrunner_type: noop\n",
            "actions/b.yaml": "name: b\nrunner_type: action-chain\nentry_point: b.yaml\n",
        },
        "actions/b.yaml:2: runner_type",
    ),
    ({"actions/a.yaml": "name: [\n"}, "actions/a.yaml:2: not valid YAML"),
    ({"big": "x" * 2000}, "bytes; at most 1000"),
    ({f"files/{number}": "" for number in range(5)}, "files; at most 5"),
]


@pytest.mark.parametrize(("files", "told"), _REFUSED, ids=[told for _, told in _REFUSED])
def test_refused_and_nothing_is_left(repository, files, told, monkeypatch):
    monkeypatch.setattr("st2solo.pack_repository._MOST_BYTES", 1000)
    monkeypatch.setattr("st2solo.pack_repository._MOST_FILES", 5)
    repository.commit(**files)
    with pytest.raises(St2SoloError) as caught:
        repository.download()
    assert told in str(caught.value)
    assert list(repository.to.iterdir()) == []


def test_links_out_of_the_pack_are_refused(repository):
    (repository.folder / "here").symlink_to("pack.yaml")
    repository.commit()
    repository.download()
    (repository.folder / "there").symlink_to("/etc/passwd")
    repository.commit()
    with pytest.raises(InvalidError, match="there is a link out of the pack"):
        repository.download()


def test_what_is_no_repository_with_a_pack_is_refused(repository, tmp_path):
    for source, told in (
        (f"file://{tmp_path}/absent", "expected a folder"),
        (f"file://{tmp_path}", "git clone"),
        (f"file://{repository.folder}=none", '"none" is no branch, tag or commit'),
    ):
        with pytest.raises(InvalidError, match=told):
            repository.download(source)
    (repository.folder / "pack.yaml").rename(repository.folder / "other.yaml")
    repository.commit()
    with pytest.raises(InvalidError, match="at the root of"):
        repository.download()
    repository.git("tag", "first", "HEAD~1")
    first = f"file://{repository.folder}=first"
    with pytest.raises(InvalidError, match="and in another"):
        repository.download(first, first)


def test_what_is_asked_for_is_taken(repository):
    more = "stackstorm_version: '>=4.0.0'\ndependencies: [absent, other]\n"
    repository.commit(**{"pack.yaml": _PACK.format(version="1.0.0") + more})
    done = repository.download(force=True, skip_dependencies=True)
    assert [pack["pack"] for pack in done["packs"]] == ["hello"]


@pytest.mark.parametrize(
    "text",
    [
        *("demo", "https://example.org/demo.git", "git@example.org:demo.git", "owner/demo"),
        *("file://relative", "/srv/demo", "", "file:///srv/<% st2kv('system.x') %>"),
        *("file:///srv/{{ x }}", "file:///srv/demo=--upload-pack=x", "file:///srv/demo="),
        *("file:///srv/demo=a..b", "file:///srv/a\nb", "ssh://file:///srv/demo"),
    ],
)
def test_no_source(text):
    with pytest.raises(InvalidError):
        Source.of(text)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (">=3.0.0", True),
        (">=3.0.0, <4.0.0", True),
        ("=3.9.0", True),
        ("<<3.9.0", False),
        (">3.9.0", False),
        (">=3.0.0, <3.9.0", False),
        ("<=3.9.0,", True),
    ],
)
def test_versions_of_stackstorm(wanted, expected):
    assert fits(wanted) is expected


def test_git_may_not_fill_the_disk(repository, tmp_path):
    """Not with a history that is larger than any that a pack has, either."""
    (repository.folder / "noise").write_bytes(os.urandom(100_000))
    repository.commit()
    (repository.folder / "noise").unlink()
    repository.commit()
    order = {"step": "download", "folder": str(repository.to), "execution": _EXECUTION}
    order |= {"packs": [f"file://{repository.folder}"], "fixed": {}, "registered": []}
    order |= {"force": False, "skip_dependencies": False, "result_path": str(tmp_path / "result")}
    code = "from st2solo import pack_files; pack_files._LARGEST_FILE = 50_000; pack_files.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(order), capture_output=True, text=True
    )
    assert done.returncode == 1 and "git clone" in done.stderr, done.stderr
    assert list(repository.to.iterdir()) == [] and not (tmp_path / "result").exists()


def test_a_machine_without_git_is_told(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InvalidError, match="git, which is not on this machine"):
        repository.download()
