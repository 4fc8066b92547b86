"""Where Picard is found, and what is told when it fails."""

import os
import zipfile
from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import ConversionError, find, names
from arteriole.bcl2fastq.converters.picard import tool
from arteriole.bcl2fastq.converters.picard.tool import Picard


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def jar(path: Path, manifest: str = "Implementation-Version: 2.27.5\r\n") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("META-INF/MANIFEST.MF", manifest)
    return path


def test_it_is_found_by_name():
    assert "picard" in names()
    assert find("picard").name == "picard"


def test_java_and_jar_are_found_where_the_environment_says(tmp_path):
    java = executable(tmp_path / "jdk" / "bin" / "java", "exit 0")
    there = jar(tmp_path / "my.jar")
    environment = {"JAVA_HOME": str(tmp_path / "jdk"), "PICARD_JAR": str(there), "PATH": ""}
    found = Picard.find(environment)
    assert (found.java, found.jar, found.version) == (java, there, "2.27.5")
    on_path = {"PATH": str(java.parent), "PICARD_JAR": str(there)}
    assert Picard.find(on_path).java == java


@pytest.mark.parametrize(
    ("java", "named", "message"),
    [
        (False, "picard.jar", "there is no `java`"),
        (True, "absent.jar", "Picard is not installed: there is no .*absent.jar"),
        (True, "", "Picard is not installed: there is no .*known.jar"),
    ],
)
def test_what_is_missing_is_named(tmp_path, monkeypatch, java, named, message):
    monkeypatch.setattr(tool, "JARS", (tmp_path / "known.jar",))
    jar(tmp_path / "picard.jar")
    if java:
        executable(tmp_path / "bin" / "java", "exit 0")
    environment = {"PATH": str(tmp_path / "bin")}
    if named:
        environment["PICARD_JAR"] = str(tmp_path / named)
    with pytest.raises(ConversionError, match=message) as missing:
        Picard.find(environment)
    assert missing.value.code == "tool.missing"
    assert "default-jre-headless, picard-tools and libcommons-lang-java" in missing.value.hint


@pytest.mark.parametrize("content", [None, b"", b"no zip"])
def test_a_jar_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "picard.jar"
    if content is None:
        zipfile.ZipFile(path, "w").close()
    else:
        path.write_bytes(content)
    with pytest.raises(ConversionError, match="is no Picard jar"):
        _ = Picard(Path("java"), path).version


def test_the_version_of_what_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PICARD_JAR", str(tmp_path / "absent.jar"))
    assert find("picard").version == "not installed"


def test_commons_lang_is_on_the_class_path_where_it_lies_beside_the_jar(tmp_path):
    picard = Picard(Path("/bin/java"), jar(tmp_path / "picard.jar"))
    alone = picard.command(["Tool"], tmp_path)
    beside = jar(tmp_path / "commons-lang.jar")
    both = picard.command(["Tool"], tmp_path)
    place = alone.index("-cp") + 1
    assert alone[place] == str(picard.jar)
    assert both[place] == f"{picard.jar}:{beside}"
    assert both[place + 1 :] == [tool.MAIN_CLASS, "Tool", "--TMP_DIR", str(tmp_path)]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            'echo "Exception in thread \\"main\\" a.B: outer"; echo " at x"; exit 1',
            "Picard ended with 1: a.B: outer",
        ),
        (
            'echo "Exception in thread \\"main\\" a.B: o"; echo "Caused by: c.D: inner"; exit 1',
            "Picard ended with 1: c.D: inner",
        ),
        ('echo "Error: no class" >&2; exit 3', "Picard ended with 3: no class"),
        ("echo last words; echo; exit 2", "Picard ended with 2: last words"),
        ("exit 2", "Picard ended with 2: it said nothing"),
        ("kill -9 $$", "Picard ended with -9: it said nothing"),
    ],
)
def test_the_reason_of_a_failure_is_told(tmp_path, script, message):
    command = [str(executable(tmp_path / "java", script))]
    with pytest.raises(ConversionError) as failed:
        tool.run(command, tmp_path / "log")
    assert (str(failed.value), failed.value.code) == (message, "convert.picard_failed")


def test_one_that_does_not_end_is_stopped(tmp_path):
    command = [str(executable(tmp_path / "java", "exec sleep 1000"))]
    with pytest.raises(ConversionError, match="had not ended after 0 s") as stopped:
        tool.run(command, tmp_path / "log", timeout=0.2)
    assert stopped.value.code == "tool.timeout"


def test_a_java_that_cannot_be_run(tmp_path):
    with pytest.raises(ConversionError, match=r"cannot run .*absent: No such file") as missing:
        tool.run([str(tmp_path / "absent")], tmp_path / "log")
    assert missing.value.code == "tool.missing"


def test_it_inherits_what_is_inheritable_only(tmp_path):
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    other = os.open(tmp_path / "other", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)
    try:
        script = f"[ -e /proc/self/fd/{lock} ] && [ ! -e /proc/self/fd/{other} ]"
        tool.run([str(executable(tmp_path / "java", script))], tmp_path / "log")
    finally:
        os.close(lock)
        os.close(other)


def test_it_stays_in_the_process_group_of_the_job(tmp_path):
    script = f"cut -d' ' -f5 /proc/$$/stat > '{tmp_path}/group'"
    tool.run([str(executable(tmp_path / "java", script))], tmp_path / "log")
    assert int((tmp_path / "group").read_text()) == os.getpgrp()
