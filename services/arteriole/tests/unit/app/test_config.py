"""arteriole.yaml: what is wrong is told with file and line, or with the variable."""

import re

import pytest

from arteriole.app.config import ConfigError, load
from arteriole.settings import Auth, Settings

GOOD = """\
state_dir: /var/lib/arteriole
runfolder:
  port: 8280
  monitored_directories:
    - /data/runs
"""


def read(tmp_path, text, environment=None):
    path = tmp_path / "arteriole.yaml"
    path.write_text(text)
    return load(path, Settings, environment or {})


def test_a_good_file(tmp_path):
    settings = read(tmp_path, GOOD)
    assert settings.runfolder.port == 8280
    assert settings.auth is Auth.TOKENS
    assert settings.bcl2fastq is None


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD + "  prot: 1\n", 6, "runfolder.prot: Extra inputs"),
        (GOOD + "nonsense: 1\n", 6, "nonsense: Extra inputs"),
        (GOOD.replace("8280", "99999"), 3, "runfolder.port: Input should be less than"),
        (GOOD.replace("8280", "'no'"), 3, "runfolder.port: Input should be a valid integer"),
        (GOOD.replace("/data/runs", "runs"), 5, "must be an absolute path"),
        (GOOD.replace("/data/runs", "/data/../runs"), 5, "must be an absolute path"),
        (GOOD.replace("    - /data/runs\n", "    []\n"), 4, "monitored_directories: List should"),
        ("runfolder: {port: 1}\n", 1, "state_dir: Field required"),
        (GOOD + "transfer:\n  port: 1\n", 6, "transfer.fastq_root: Field required"),
        (GOOD.replace("/var", "var"), 1, "state_dir: Value error, must be an absolute path"),
        (GOOD + "auth: none\nhost: 0.0.0.0\n", 1, "auth: none is allowed on 127.0.0.1 only"),
        (GOOD + "host: [\n", 7, "not YAML"),
        (GOOD + "\thost: x\n", 6, "not YAML"),
        (
            GOOD + "bcl2fastq:\n  run_roots: [/r]\n  fastq_root: /f\n  converter: bclconvert\n",
            9,
            "there is no converter 'bclconvert'; known are: builtin",
        ),
        (
            GOOD + "bcl2fastq:\n  run_roots: [r]\n  fastq_root: /f\n  converter: builtin\n",
            7,
            "bcl2fastq.run_roots.0: Value error, expected an absolute path",
        ),
        ("- a\n- b\n", 1, "expected keys with values, found list"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path, text, line, says):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    first = str(error.value).splitlines()[0]
    assert first.startswith(f"{tmp_path}/arteriole.yaml:{line}: ")
    assert says in first


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mode: act\nmode: observe\n", "2: mode is given twice"),
        ("runfolder:\n  port: 1\n  port: 2\n", "3: port is given twice"),
        ("a: [{b: 1, b: 2}]\n", "1: b is given twice"),
    ],
)
def test_a_key_that_is_given_twice_is_refused(tmp_path, text, told):
    with pytest.raises(ConfigError, match=re.escape(f"arteriole.yaml:{told}")):
        read(tmp_path, text)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: 2001-99-99\n", b"a: \x00\n", b"&a [*a"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "arteriole.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}:"):
        load(path, Settings, {})


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no\.yaml") as error:
        load(tmp_path / "no.yaml", Settings, {})
    assert "--config" in error.value.hint


def test_variables_override_the_file_and_others_are_left_alone(tmp_path):
    environment = {
        "ARTERIOLE_RUNFOLDER__PORT": "8281",
        "ARTERIOLE_RUNFOLDER__MONITORED_DIRECTORIES": "[/a, /b]",
        "ARTERIOLE_HOST": "127.0.0.2",
        "ARTERIOLE_TOKEN": "x",
        "ARTERIOLE_URL": "x",
        "ARTERIOLE_CONFIG": "x",
        "PATH": "/bin",
    }
    settings = read(tmp_path, GOOD, environment)
    assert settings.runfolder.port == 8281
    assert [str(path) for path in settings.runfolder.monitored_directories] == ["/a", "/b"]
    assert settings.host == "127.0.0.2"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARTERIOLE_RUNFOLDER__PORT", "x"),
        ("ARTERIOLE_RUNFOLDER__PROT", "1"),
        ("ARTERIOLE_RUNFOLDER__PORT__X", "1"),
        ("ARTERIOLE_HOST", "["),
        ("ARTERIOLE_HOST", "2001-99-99"),
        ("ARTERIOLE_SOMETHING", "1"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path, name, value):
    with pytest.raises(ConfigError, match=f"^{name}: "):
        read(tmp_path, GOOD, {name: value})
