"""What may stand below bcl2fastq.qc; what may not is told with its line."""

import pytest

from arteriole.app.config import ConfigError, load
from arteriole.bcl2fastq.qc.settings import Consequence, Limits, QcSettings
from arteriole.settings import Settings

HEAD = """\
state_dir: /var/lib/arteriole
bcl2fastq:
  run_roots: [/data/incoming]
  fastq_root: /data/fastq
  converter: builtin
  qc:
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "arteriole.yaml"
        path.write_text(HEAD + text)
        return load(path, Settings, {}).bcl2fastq.qc

    return read


def test_a_project_inherits_what_it_does_not_say(read):
    qc = read(
        "    default: {few_reads: {below: 1000}, phix: {below: 1, consequence: hold}}\n"
        "    projects:\n"
        "      Trio: {few_reads: {below: 5000000, consequence: fail}, undetermined: null}\n"
    )
    trio, other = qc.of("Trio"), qc.of("Other")
    assert trio.few_reads == Limits(below=5_000_000, consequence=Consequence.FAIL)
    assert (trio.undetermined, trio.phix) == (None, other.phix)
    assert other.few_reads == Limits(below=1000)
    assert QcSettings.model_validate(qc.model_dump(mode="json", exclude_unset=True)) == qc
    again = QcSettings.model_validate(qc.model_dump(mode="json", exclude_unset=True))
    assert again.of("Trio") == trio


@pytest.mark.parametrize(
    ("name", "is_control"),
    [("NTC", True), ("PRJ230001_NTC_1", True), ("NTC2", True), ("MONTCALM", False), ("ntc", False)],
)
def test_a_control_by_its_name(name, is_control):
    assert QcSettings().is_control(name) is is_control
    assert not QcSettings(controls=None).is_control(name)
    assert QcSettings(controls="(?i)ntc$").is_control(name) is name.lower().endswith("ntc")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("    controls: '('\n", r":7: .*qc\.controls: expected a regular expression"),
        ("    default:\n      q30: {below: 101}\n", r":8: .*q30: expected a percentage"),
        ("    default:\n      q30: {above: 80}\n", r":8: .*q30: expected below alone, found above"),
        ("    default:\n      phix: {}\n", r":8: .*phix: expected below or above with a figure"),
        ("    default:\n      phix: {below: x}\n", r":8: .*phix\.below: expected a number"),
        ("    default:\n      phix: {below: true}\n", r":8: .*phix\.below: expected a number"),
        ("    default:\n      phix: {below: -1}\n", r":8: .*phix\.below: expected at least 0"),
        (
            "    default:\n      density: {below: 9, above: 1}\n",
            r":8: .*below to be less than above",
        ),
        ("    default:\n      undetermind: null\n", r":8: .*is undetermined meant"),
        (
            "    projects:\n      Trio:\n        empty_sample: stop\n",
            r":9: .*Trio\.empty_sample: expected 'warn', 'hold' or 'fail'",
        ),
        (
            "    projects:\n      Trio:\n        few_reads: {below: 1, consequence: halt}\n",
            r":9: .*few_reads\.consequence: expected 'warn', 'hold' or 'fail'",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(read, text, told):
    with pytest.raises(ConfigError, match=r"arteriole\.yaml" + told):
        read(text)
