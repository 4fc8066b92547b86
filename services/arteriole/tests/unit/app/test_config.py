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


#: Every service, each with a port of its own by default.
ALL = """\
state_dir: /var/lib/arteriole
mode: act
runfolder:
  monitored_directories: [/data/runs]
bcl2fastq:
  run_roots: [/data/runs]
  fastq_root: /data/fastq
  converter: builtin
  barcode_mismatches: [1, 1]
checksum: {run_roots: [/data/runs], fastq_root: /data/fastq, manifest_root: /data/md5}
transfer:
  fastq_root: /data/fastq
  manifest_root: /data/md5
  destinations:
    cluster: {path: /proj/in}
"""
UNKNOWN = "there is no such key"
RUNS, MISMATCHES = "[/data/runs]\nbcl", "[1, 1]"


def runfolder(line):
    """A line put into its section."""
    return RUNS, f"[/data/runs]\n  {line}\nbcl", 5


#: What is put in the place of what, the line that is named, and what is said of it.
SLIPS = [
    # a key that nobody knows
    ("  converter", "  thread: 1\n  converter", 8,
     f"bcl2fastq.thread: {UNKNOWN}; is threads meant?"),
    ("mode:", "nonsense: 1\nmode:", 2,
     f"nonsense: {UNKNOWN}; known are state_dir, host, auth, mode, runfolder,"),
    ("mode:", "staet_dir: /x\nmode:", 2, f"staet_dir: {UNKNOWN}; is state_dir meant?"),
    ("/proj/in", "/proj/in, hots: a", 15,
     f"transfer.destinations.cluster.hots: {UNKNOWN}; is host meant?"),
    # a wrong type
    (*runfolder("port: 'no'"),
     "runfolder.port: expected a whole number, found 'no'"),
    (*runfolder("port: 1.5"), "runfolder.port: expected a whole number, found 1.5"),
    (*runfolder("port: [1]"),
     "runfolder.port: expected a whole number, found a list"),
    (*runfolder("port:"), "runfolder.port: expected a whole number, found nothing"),
    (*runfolder("scan_interval: soon"),
     "runfolder.scan_interval: expected a number, found 'soon'"),
    (*runfolder("stalled_after: .nan"), "runfolder.stalled_after: expected more"),
    (*runfolder("adopt_existing: maybe"),
     "runfolder.adopt_existing: expected true or false, found 'maybe'"),
    ("[/data/runs]\nbcl", "/data/runs\nbcl", 4,
     "runfolder.monitored_directories: expected a list, found '/data/runs'"),
    ("runfolder:\n  monitored_directories: [/data/runs]", "runfolder: /data/runs", 3,
     "runfolder: expected keys with values, found '/data/runs'"),
    ("    cluster: {path: /proj/in}", "    - cluster", 14,
     "transfer.destinations: expected keys with values, found a list"),
    ("/var/lib/arteriole", "7", 1, "state_dir: expected a path, found 7"),
    ("builtin", "{a: 1}", 8, "bcl2fastq.converter: expected text, found keys with values"),
    # a number out of its range
    (*runfolder("port: 99999"), "runfolder.port: expected at most 65535, found 99999"),
    (*runfolder("port: -1"), "runfolder.port: expected at least 0, found -1"),
    (*runfolder("scan_interval: 0"),
     "runfolder.scan_interval: expected more than 0, found 0"),
    (MISMATCHES, "[1, 3]", 9, "bcl2fastq.barcode_mismatches.1: expected at most 2, found 3"),
    # too few, too many
    (RUNS, "[]\nbcl", 4,
     "runfolder.monitored_directories: expected a list of at least 1, found one of 0"),
    (MISMATCHES, "[1]", 9, "bcl2fastq.barcode_mismatches.1: expected a value, found none"),
    (MISMATCHES, "[1, 1, 1]", 9,
     "bcl2fastq.barcode_mismatches: expected a list of at most 2, found one of 3"),
    # a key that is missing: the line of what lacks it
    ("state_dir: /var/lib/arteriole\n", "", 1,
     "state_dir: expected a value, found none: this key is required"),
    ("  fastq_root: /data/fastq\n  conv", "  conv", 5, "bcl2fastq.fastq_root: expected a value"),
    (", manifest_root: /data/md5}", "}", 10, "checksum.manifest_root: expected a value"),
    # a bad path
    ("/var/lib/arteriole", "var/lib", 1,
     "state_dir: expected an absolute path without '..', found 'var/lib'"),
    (RUNS, "[runs]\nbcl", 4,
     "runfolder.monitored_directories.0: expected an absolute path without '..', found 'runs'"),
    (RUNS, "[/data/../runs]\nbcl", 4,
     "expected an absolute path without '..', found '/data/../runs'"),
    ("  fastq_root: /data/fastq\n  conv", "  fastq_root: fastq\n  conv", 7,
     "bcl2fastq.fastq_root: expected an absolute path without '..', found 'fastq'"),
    ("/proj/in", "/proj/$in", 15, "expected an absolute path of A-Z a-z 0-9"),
    ("mode:", "observe: {others: [/x]}\nmode:", 2,
     "observe.others.0: expected an absolute path with {run}"),
    # a word that is none of those known
    ("act", "atc", 2, "mode: expected 'observe' or 'act', found 'atc'"),
    ("builtin", "bcl-convert", 8,
     "bcl2fastq.converter: expected one of bcl2fastq, bclconvert, builtin, ingest, picard;"
     " found 'bcl-convert'"),
    (*runfolder("readiness: marked"),
     "runfolder.readiness: expected 'marker' or 'evidence', found 'marked'"),
    ("mode:", "chat: {users: {jane: admin}}\nmode:", 2,
     "chat.users.jane: expected 'reader' or 'operator', found 'admin'"),
    ("mode:", "chat: {users: {ja ne: reader}}\nmode:", 2,
     "chat.users.ja ne: expected a name of A-Z a-z 0-9 . _ -, found 'ja ne'"),
    # what does not go together
    ("mode:", "auth: none\nhost: 0.0.0.0\nmode:", 2,
     "auth: expected tokens where host is 0.0.0.0, found none: 127.0.0.1 alone is open"
     " (host: {path}:3)"),
    ("/proj/in", "/proj/in, host: a", 15,
     "transfer.destinations.cluster: expected user, identity_file, known_hosts beside host, found"),
    ("/proj/in", "/proj/in, user: a", 15, "expected host beside user, found none"),
    ("cluster:", "a b:", 15, "transfer.destinations.a b: the name must be 1 to 200 of A-Z"),
    ("  converter", "  port: 8180\n  converter", 8,
     "bcl2fastq.port: expected a port of its own, found 8180, which runfolder has too"
     " (runfolder.port: {path}:3)"),  # its section: the port is the usual one
    ("/data/md5}", "/data/md5, port: 9}\narchive: {run_roots: [/r], fastq_root: /f,"
     " manifest_root: /m,\n  port: 9}", 12,
     "archive.port: expected a port of its own, found 9, which checksum has too"
     " (checksum.port: {path}:10)"),
    # no YAML
    ("mode: act", "mode: [", 4, "not YAML"),
    ("mode: act", "\tmode: x", 2, "not YAML"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("put_for", "put", "line", "says"), SLIPS, ids=lambda value: str(value)[:40]
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path, put_for, put, line, says):
    assert ALL.count(put_for) == 1
    with pytest.raises(ConfigError) as error:
        read(tmp_path, ALL.replace(put_for, put))
    path = f"{tmp_path}/arteriole.yaml"
    told = str(error.value).splitlines()[0]
    assert told.startswith(f"{path}:{line}: ")
    assert says.replace("{path}", path) in told
    for word in ("Input should", "Value error", "Extra inputs", "Field required", "pydantic"):
        assert word not in str(error.value)


def test_every_slip_is_told_at_once(tmp_path):
    text = ALL.replace("act", "atc").replace("builtin", "x").replace("/var", "var")
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    lines = str(error.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "8"]


@pytest.mark.parametrize("text", ["- a\n- b\n", "a\n", "7\n"])
def test_a_file_of_another_form(tmp_path, text):
    with pytest.raises(
        ConfigError, match=r"yaml:1: expected keys with values, found (a list|'a'|7)"
    ):
        read(tmp_path, text)


def test_several_services_may_leave_their_port_to_the_kernel(tmp_path):
    text = ALL.replace("  converter", "  port: 0\n  converter")
    text = text.replace("runfolder:", "runfolder:\n  port: 0")
    assert read(tmp_path, text).bcl2fastq.port == 0


@pytest.mark.parametrize(("host", "is_open"), [("localhost", True), ("::1", True), ("db", False)])
def test_without_tokens_a_host_of_this_machine_alone(tmp_path, host, is_open):
    text = f"{ALL}auth: none\nhost: '{host}'\n"
    if is_open:
        assert read(tmp_path, text).host == host
    else:
        with pytest.raises(ConfigError, match="expected tokens where host is db"):
            read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mode: act\nmode: observe\n", "2: mode is given twice"),
        ("runfolder:\n  port: 1\n  port: 2\n", "3: port is given twice"),
        ("a: [{b: 1, b: 2}]\n", "1: b is given twice"),
        ("host: a\nchat: &a [*a]\n", "2: expected a value, found one that holds itself"),
        ("chat: &a\n  users: {a: [*a]}\n", "1: expected a value, found one that holds itself"),
    ],
)
def test_what_yaml_would_take_is_refused(tmp_path, text, told):
    with pytest.raises(ConfigError, match=re.escape(f"arteriole.yaml:{told}")):
        read(tmp_path, text)


def test_aliases_are_looked_at_once(tmp_path):
    """Written out, they are a billion."""
    lines = [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(ConfigError, match=rf"arteriole\.yaml:1: x0: {UNKNOWN}"):
        read(tmp_path, "\n".join(["x0: &x0 [a]", *lines]))


@pytest.mark.parametrize("port", ["18:00", "0x10", "0o10"])
def test_a_number_is_decimal(tmp_path, port):
    told = rf"yaml:3: runfolder\.port: expected a whole number, found '{port}'"
    with pytest.raises(ConfigError, match=told):
        read(tmp_path, GOOD.replace("8280", port))
    with pytest.raises(ConfigError, match=r"^ARTERIOLE_RUNFOLDER__PORT: "):
        read(tmp_path, GOOD, {"ARTERIOLE_RUNFOLDER__PORT": port})


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: 2001-99-99\n", b"a: \x00\n", b"&a [*a"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "arteriole.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}:"):
        load(path, Settings, {})


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no\.yaml: expected a file .*: No such file") as error:
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
