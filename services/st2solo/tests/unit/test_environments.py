"""The Python environments of packs: whether one is needed, and how it is made."""

import asyncio
import subprocess
import sys
import zipfile

import pytest

from st2solo.environments import Environments
from st2solo.pack_tests import REQUIREMENTS, prepared
from st2solo.server import make_environments

_REQUIREMENTS = {
    "nothing": ("", False),
    "a comment": ("# none\n\n", False),
    "what is there": ("requests\n", False),
    "what is there, with a version": ("requests>=2.0  # old enough\n", False),
    "another version": ("requests<1.0\n", True),
    "what is not there": ("requests\nno-such-distribution\n", True),
    "for another Python": ("no-such-distribution; python_version < '3'\n", False),
    "with extras": ("requests[socks]\n", True),
    "a file": ("requests @ file:///tmp/x.whl\n", True),
    "an option": ("-r other.txt\n", True),
}


@pytest.mark.parametrize("name", _REQUIREMENTS)
def test_what_a_pack_lacks(name, tmp_path):
    text, lacks = _REQUIREMENTS[name]
    (tmp_path / "requirements.txt").write_text(text)
    assert Environments(tmp_path / "own").lacks("demo", tmp_path) is lacks


def test_a_pack_without_requirements_lacks_nothing(tmp_path):
    assert not Environments(tmp_path / "own").lacks("demo", tmp_path)


def test_an_environment_of_the_site_is_taken_as_it_is(tmp_path):
    python = tmp_path / "site" / "demo" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / "requirements.txt").write_text("no-such-distribution")
    environments = Environments(tmp_path / "own", tmp_path / "site")
    assert not environments.lacks("demo", tmp_path)
    assert environments.python_of("demo", tmp_path) == python
    assert str(environments.python_of("other", tmp_path)) == sys.executable


def _wheel(folder, name, version, **files):
    """A distribution, as a file that pip can install without a network."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files |= {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return path


def _version(environments, tmp_path):
    python = str(environments.python_of("demo", tmp_path))
    code = "import tiny_thing; print(tiny_thing.VERSION)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


#: What the pack requires hides what st2solo has; behind it are st2solo's, pytest and itself too.
_TESTS = """
import mock, semver, tiny_more, tiny_thing
from st2tests.base import BaseActionAliasTestCase


class It(BaseActionAliasTestCase):
    action_alias_name = "a"

    def test_it(self):
        self.assertEqual(semver.HERE, "pack")
        self.assertExtractedParametersMatch("a {{ x }}", "a 1", {"x": "1"})
"""


def test_it_is_made_once_and_again_when_the_requirements_change(tmp_path):
    """The tests of the pack then run in it (`st2solo test`)."""
    environments = Environments(tmp_path / "own", files=REQUIREMENTS)
    requirements, for_tests = (tmp_path / name for name in REQUIREMENTS)
    for_tests.write_text(f"{_wheel(tmp_path, 'tiny_more', '1.0', **{'tiny_more.py': ''})}\n")
    for version in ("1.0", "2.0"):
        files = {"tiny_thing.py": f"VERSION = {version!r}\n", "semver.py": "HERE = 'pack'\n"}
        requirements.write_text(f"{_wheel(tmp_path, 'tiny_thing', version, **files)}\n")
        assert environments.lacks("demo", tmp_path)
        asyncio.run(environments.make("demo", tmp_path))
        assert not environments.lacks("demo", tmp_path)
        assert _version(environments, tmp_path) == version
    python = str(environments.python_of("demo", tmp_path))
    assert subprocess.run([python, "-c", "import orquesta"], check=False).returncode == 0

    for name, text in {
        "pack.yaml": "name: demo\n",
        "aliases/a.yaml": "name: a\naction_ref: demo.a\nformats: ['a {{ x }}']\n",
        "tests/test_it.py": _TESTS,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    run = prepared(tmp_path, tmp_path / "own", ())
    assert run.argv[0] == python
    done = subprocess.run(
        run.argv, cwd=run.folder, env=run.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_only_the_tests_require_is_nothing_to_the_pack(tmp_path):
    (tmp_path / "requirements-tests.txt").write_text("no-such-distribution\n")
    assert not Environments(tmp_path / "own").lacks("demo", tmp_path)
    assert Environments(tmp_path / "own", files=REQUIREMENTS).lacks("demo", tmp_path)


def test_one_that_cannot_be_made_is_told_and_not_used(site, caplog):
    site.write("requirements.txt", f"{site.folder}/absent-1.0-py3-none-any.whl\n")
    site.registry.register(fail_on_failure=True)
    environments = Environments(site.folder / "own")
    with caplog.at_level("INFO"):
        (told,) = asyncio.run(make_environments(environments, site.registry))
    assert "of the pack demo could not be made" in told
    assert "Python environment 1 of 1" in caplog.text
    assert environments.lacks("demo", site.pack)
    assert str(environments.python_of("demo", site.pack)) == sys.executable
