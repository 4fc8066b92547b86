"""The judge finds every single change."""

import gzip
import shutil

import pytest

from arteriole.simulator.judge import NothingToJudgeError, judge
from arteriole.simulator.truth import TruthError

ONE = "Controls/NA12892_S3_L001_R1_001.fastq.gz"
OTHER = "Controls/NA24385_S4_L001_R1_001.fastq.gz"
NESTED = "Trio/NA12878_L2600001/NA12878_S1_L002_R2_001.fastq.gz"
NOBODY = "Undetermined_S0_L001_R1_001.fastq.gz"


@pytest.fixture
def case(converted, tmp_path):
    truth, fastq = converted
    return truth, shutil.copytree(fastq, tmp_path / "fastq")


def lines_of(path):
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def write(path, lines):
    path.write_bytes(gzip.compress(b"".join(lines), 1))


def test_all_well(converted):
    verdict = judge(*converted)
    assert verdict.differences == ()
    assert (verdict.samples, verdict.files) == (4, 20)
    assert verdict.records > 600


def base(lines):
    lines[5] = (b"A" if lines[5][:1] != b"A" else b"C") + lines[5][1:]


def quality(lines):
    lines[7] = (b"!" if lines[7][:1] != b"!" else b'"') + lines[7][1:]


def plus(lines):
    lines[6] = b"+x\n"


def short(lines):
    lines[5], lines[7] = lines[5][1:], lines[7][1:]


def carriage_return(lines):
    lines[5] = lines[5][:-1] + b"\r\n"


def x_coordinate(lines):
    head, _, tail = lines[4].partition(b" ")
    lines[4] = head + b"0 " + tail


def comment(lines):
    lines[4] = lines[4].replace(b":N:0:", b":Y:0:")


def index(lines):
    lines[4] = lines[4].replace(b"+", b"")


def order(lines):
    lines[4:12] = lines[8:12] + lines[4:8]


def first_missing(lines):
    del lines[:4]


def last_missing(lines):
    del lines[-4:]


def twice(lines):
    lines[8:8] = lines[4:8]


def last_twice(lines):
    lines += lines[-4:]


def blank_end(lines):
    lines.append(b"\n")


def no_last_line_end(lines):
    lines[-1] = lines[-1][:-1]


def empty(lines):
    lines.clear()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (base, "line 5: bases of @"),
        (quality, "line 5: qualities of @"),
        (plus, "line 5: plus of @"),
        (short, "line 5: bases of @"),
        (carriage_return, "line 5: bases of @"),
        (x_coordinate, "is missing"),
        (comment, "surplus record"),
        (index, "is missing"),
        (order, "line 5: out of order"),
        (first_missing, "is missing"),
        (last_missing, "1 records are missing at the end"),
        (twice, "line 9: surplus record"),
        (last_twice, "surplus record"),
        (blank_end, "the record is cut off"),
        (no_last_line_end, "the record is cut off"),
        (empty, "records are missing at the end"),
    ],
)
@pytest.mark.parametrize("path", [ONE, NESTED, NOBODY])
def test_a_change_in_a_file(case, path, change, sentence):
    truth, fastq = case
    lines = lines_of(fastq / path)
    change(lines)
    write(fastq / path, lines)
    differences = judge(truth, fastq).differences
    assert differences
    assert all(difference.startswith(f"{path}: ") for difference in differences)
    assert any(sentence in difference for difference in differences)


def test_every_byte_counts(case):
    """Each byte of a short file is changed in turn; none may pass."""
    truth, fastq = case
    content = b"".join(lines_of(fastq / NOBODY))
    for at in [*range(0, len(content), 97), len(content) - 1]:
        changed = bytes([content[at] ^ 1])
        write(fastq / NOBODY, [content[:at], changed, content[at + 1 :]])
        assert judge(truth, fastq).differences, f"byte {at} was changed unseen"


def missing_file(fastq):
    (fastq / ONE).unlink()


def surplus_file(fastq):
    shutil.copy(fastq / ONE, fastq / "Controls" / "NA12892_S3_L003_R1_001.fastq.gz")


def surplus_uncompressed(fastq):
    (fastq / "extra.fastq").write_bytes(b"")


def renamed_folder(fastq):
    (fastq / "Controls").rename(fastq / "Control")


def wrong_sample(fastq):
    lines, others = lines_of(fastq / ONE), lines_of(fastq / OTHER)
    write(fastq / ONE, lines[4:])
    write(fastq / OTHER, lines[:4] + others)


def swapped_samples(fastq):
    (fastq / ONE).rename(fastq / "x")
    (fastq / OTHER).rename(fastq / ONE)
    (fastq / "x").rename(fastq / OTHER)


def cut_gzip(fastq):
    (fastq / ONE).write_bytes((fastq / ONE).read_bytes()[:-9])


def flipped_checksum(fastq):
    content = bytearray((fastq / ONE).read_bytes())
    content[-8] ^= 1
    (fastq / ONE).write_bytes(content)


def flipped_body(fastq):
    content = bytearray((fastq / ONE).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (fastq / ONE).write_bytes(content)


def garbage_behind(fastq):
    (fastq / ONE).write_bytes((fastq / ONE).read_bytes() + b"garbage")


def no_gzip(fastq):
    (fastq / ONE).write_bytes(b"".join(lines_of(fastq / ONE)))


def zero_bytes(fastq):
    (fastq / ONE).write_bytes(b"")


def dangling_link(fastq):
    (fastq / ONE).unlink()
    (fastq / ONE).symlink_to("nowhere")


@pytest.mark.parametrize(
    ("misfortune", "sentence"),
    [
        (missing_file, f"{ONE}: missing, with"),
        (surplus_file, "Controls/NA12892_S3_L003_R1_001.fastq.gz: a surplus file"),
        (surplus_uncompressed, "extra.fastq: a surplus file"),
        (renamed_folder, f"{ONE}: missing, with"),
        (wrong_sample, f"{OTHER}: line 1: surplus record"),
        (swapped_samples, f"{OTHER}: record @"),
        (cut_gzip, f"{ONE}: damaged gzip"),
        (flipped_checksum, f"{ONE}: damaged gzip"),
        (flipped_body, f"{ONE}: "),
        (garbage_behind, f"{ONE}: damaged gzip"),
        (no_gzip, f"{ONE}: damaged gzip"),
        (zero_bytes, f"{ONE}: the file has 0 bytes"),
        (dangling_link, f"{ONE}: "),
    ],
)
def test_a_misfortune_in_a_folder(case, misfortune, sentence):
    truth, fastq = case
    misfortune(fastq)
    assert any(found.startswith(sentence) for found in judge(truth, fastq).differences)


def test_many_differences_are_counted(case):
    truth, fastq = case
    lines = lines_of(fastq / ONE)
    lines[3::4] = [b"!" * (len(line) - 1) + b"\n" for line in lines[3::4]]
    write(fastq / ONE, lines)
    differences = judge(truth, fastq).differences
    assert len(differences) == 6
    assert differences[-1] == f"{ONE}: {len(lines) // 4 - 5} further differences"


def test_other_files_are_ignored(case):
    truth, fastq = case
    (fastq / "Stats").mkdir()
    (fastq / "Stats" / "Stats.json").write_text("{}")
    assert judge(truth, fastq).differences == ()


def test_what_cannot_be_judged(case, tmp_path):
    truth, fastq = case
    with pytest.raises(TruthError, match=r"truth\.json"):
        judge(tmp_path, fastq)
    with pytest.raises(NothingToJudgeError):
        judge(truth, tmp_path / "none")
    broken = shutil.copytree(truth, tmp_path / "broken")
    (broken / "L001_1101.npz").write_bytes(b"PK broken")
    with pytest.raises(TruthError, match=r"L001_1101\.npz"):
        judge(broken, fastq)
