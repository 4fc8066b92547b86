"""The Python environments of packs: whether one is needed, and how it is made."""

import asyncio
import subprocess
import sys
import zipfile

import pytest

from st2solo.environments import Environments, PackEnvironmentError

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
    assert environments.python_of("demo") == python
    assert str(environments.python_of("other")) == sys.executable


def _wheel(folder, version):
    """A distribution with one module, as a file that pip can install without a network."""
    path = folder / f"tiny_thing-{version}-py3-none-any.whl"
    info = f"tiny_thing-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny_thing.py", f"VERSION = {version!r}\n")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-thing\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def _version(environments):
    python = str(environments.python_of("demo"))
    code = "import tiny_thing; print(tiny_thing.VERSION)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


def test_it_is_made_once_and_again_when_the_requirements_change(tmp_path):
    environments = Environments(tmp_path / "own")
    requirements = tmp_path / "requirements.txt"
    for version in ("1.0", "2.0"):
        requirements.write_text(f"{_wheel(tmp_path, version)}\n")
        assert environments.lacks("demo", tmp_path)
        asyncio.run(environments.make("demo", tmp_path))
        assert not environments.lacks("demo", tmp_path)
        assert _version(environments) == version
    python = str(environments.python_of("demo"))
    assert subprocess.run([python, "-c", "import orquesta"], check=False).returncode == 0


def test_one_that_cannot_be_made_is_not_used(tmp_path):
    (tmp_path / "requirements.txt").write_text(f"{tmp_path}/absent-1.0-py3-none-any.whl\n")
    environments = Environments(tmp_path / "own")
    with pytest.raises(PackEnvironmentError, match="could not be made"):
        asyncio.run(environments.make("demo", tmp_path))
    assert environments.lacks("demo", tmp_path)
    assert str(environments.python_of("demo")) == sys.executable
