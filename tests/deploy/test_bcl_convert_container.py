"""BCL Convert in a container of a real Docker engine, with a stand-in (`make docker-test`)."""

import importlib.util
import os
import subprocess
import sys

import pytest

from arteriole.bcl2fastq.converters import ConversionRequest, find
from arteriole.bcl2fastq.tool_settings import ToolSettings
from demo.machine import ROOT
from tests.deploy.base_image import base_image, engine, run

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(engine()), reason=engine()),
]

UNIT = ROOT / "services" / "arteriole" / "tests" / "unit" / "bcl2fastq"
SHEET = "[Data]\nSample_ID,Sample_Project,index\nS1,P1,ACGT\nS2,,TTTT\n"


@pytest.fixture
def run_dir(tmp_path):
    spec = importlib.util.spec_from_file_location("tiny_sequencer", UNIT / "conftest.py")
    tiny = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tiny
    spec.loader.exec_module(tiny)
    made = tiny.TinyRun(tmp_path / "r1", reads=((4, "N"), (4, "Y")))
    made.clusters[1, 1101] = [tiny.Cluster(tiny.calls(b)) for b in ("GGGGACGT", "AAAATTTT")]
    made.clusters[1, 1102] = [tiny.Cluster(tiny.calls("CCCCGGGG"))]
    made.write(SHEET)
    return made.folder


@pytest.fixture
def image(tmp_path):
    """An image with the stand-in as `bcl-convert`, which logs as the real one does beside it."""
    folder = tmp_path / "image"
    (folder / "bin").mkdir(parents=True)
    run("cp", UNIT / "fakes" / "fake_bcl_convert.py", folder)
    (folder / "bin" / "bcl-convert").write_text(
        "#!/bin/sh\n"
        '[ "$*" = --version ] && { echo "bcl-convert Version 00.000.000.4.2.7"; exit; }\n'
        "date >/var/log/bcl-convert/log || exit 9\n"
        'exec python3 /fake/fake_bcl_convert.py "$@"\n'
    )
    (folder / "bin" / "bcl-convert").chmod(0o755)
    (folder / "Dockerfile").write_text(
        f"FROM {base_image()}\nCOPY . /fake\nENV PATH=/fake/bin:/usr/bin:/bin\n"
    )
    tag = f"arteriole-test-bcl-convert:{os.getpid()}"
    run("docker", "build", "--quiet", "--tag", tag, folder)
    yield tag
    subprocess.run(["docker", "rmi", "--force", tag], capture_output=True, check=False)


def test_a_container_gives_what_the_builtin_converter_gives(image, run_dir, tmp_path):
    before = sorted(run_dir.rglob("*"))
    found = {}
    tool = ToolSettings(version="4.2.7", program="bcl-convert", image=image, memory_gb=1)
    for name, converter in (("ours", find("builtin")), ("theirs", find("bclconvert", tool))):
        (tmp_path / name).mkdir()
        key = f"arteriole-convert-test-{os.getpid()}"
        request = ConversionRequest(run_dir, run_dir / "SampleSheet.csv", tmp_path / name, key=key)
        result = converter.convert(request, lambda done, total: None)
        found[name] = result.samples, [file.path for file in result.files]
    assert found["ours"] == found["theirs"]
    assert (tmp_path / "theirs" / "bcl-convert.log").is_file()
    assert (tmp_path / "theirs" / "Reports" / "fastq_list.csv").stat().st_uid == os.getuid()
    assert sorted(run_dir.rglob("*")) == before
    assert run("docker", "ps", "--all", "--quiet", "--filter", f"name={key}") == ""
