"""What bwa, samtools and bcftools find in FASTQs is what was planted; each difference is told."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import ConversionRequest, find
from arteriole.simulator.defaults import calling_plan, default_plan
from arteriole.simulator.fastq import expected_files
from arteriole.simulator.instruments import Kind
from arteriole.simulator.judge import judge
from arteriole.simulator.sequencer import write_run
from arteriole.simulator.truth import Truth, TruthError, read_truth
from arteriole.simulator.variants import differences

TOOLS = ("bwa", "samtools", "bcftools")
MISSING = ", ".join(tool for tool in TOOLS if shutil.which(tool) is None)
needs_tools = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}")


def run(*command: object) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Converted:
    truth: Truth
    fastq: Path
    home: Path

    def reads(self, place: int) -> list[Path]:
        """One file a read of the sample at `place`, of all lanes."""
        files = [file for lane in self.truth.lanes for file in expected_files(self.truth, lane)]
        found = []
        for read in (1, 2):
            parts = [self.fastq / f.path for f in files if (f.sample, f.read) == (place, read)]
            found.append(self.home / f"{place}_R{read}.fastq.gz")
            found[-1].write_bytes(b"".join(part.read_bytes() for part in parts))
        return found

    def call(self, place: int) -> Path:
        """The variants that are called of the sample at `place`."""
        reference, (sam, bam, pileup, vcf) = (
            self.home / "reference.fa",
            (self.home / f"{place}.{end}" for end in ("sam", "bam", "bcf", "vcf.gz")),
        )
        if not reference.exists():
            shutil.copy(self.truth.reference, reference)
            run("bwa", "index", reference)
        run("bwa", "mem", "-o", sam, reference, *self.reads(place))
        run("samtools", "sort", "-o", bam, sam)
        run("samtools", "index", bam)
        run("bcftools", "mpileup", "-f", reference, "-O", "b", "-o", pileup, bam)
        run("bcftools", "call", "-mv", "--ploidy", "1", "-O", "z", "-o", vcf, pileup)
        return vcf


@pytest.fixture(scope="module", params=[Kind.HISEQ4000, Kind.NOVASEQ6000], ids=lambda k: k.value)
def converted(request, tmp_path_factory) -> Converted:
    home = tmp_path_factory.mktemp("called")
    folder = write_run(calling_plan(kind=request.param), home, truth=home / "truth")
    (home / "fastq").mkdir()
    conversion = ConversionRequest(folder, folder / "SampleSheet.csv", home / "fastq")
    find("builtin").convert(conversion, lambda done, total: None)
    return Converted(read_truth(home / "truth"), home / "fastq", home)


@needs_tools
def test_what_is_called_is_what_was_planted(converted):
    samples = converted.truth.samples
    for place, sample in enumerate(samples):
        vcf = converted.call(place)
        assert differences(converted.truth, sample.id, vcf) == []
        other = samples[place - 1].id
        assert len(differences(converted.truth, other, vcf)) == 21  # 12 surplus, 12 missing


@needs_tools
def test_bcftools_reads_the_vcf_of_the_truth(converted):
    sample = converted.truth.samples[0].id
    vcf = converted.truth.directory / f"{sample}.vcf"
    rows = run("bcftools", "query", "-f", "%CHROM %POS %REF %ALT [%GT]\n", vcf).splitlines()
    planted = converted.truth.variants_of(sample)
    assert rows == [f"{v.chrom} {v.pos} {v.ref} {v.alt} 1" for v in planted] and len(rows) == 12
    assert run("bcftools", "query", "-l", vcf) == f"{sample}\n"
    run("bcftools", "norm", "-c", "e", "-f", converted.truth.reference, vcf)


def test_every_record_of_the_fastqs_is_still_proved(converted):
    verdict = judge(converted.truth.directory, converted.fastq)
    assert verdict.differences == () and verdict.records > 6000


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> Truth:
    folder = tmp_path_factory.mktemp("truth")
    write_run(calling_plan(depth=0.1, read_cycles=(8,)), folder, truth=folder / "truth")
    return read_truth(folder / "truth")


@pytest.fixture
def vcf(truth, tmp_path) -> Path:
    """Of the first sample, as the truth has it: four lines of header, twelve variants."""
    sample = truth.samples[0].id
    return Path(shutil.copy(truth.directory / f"{sample}.vcf", tmp_path / "x.vcf"))


def told(truth: Truth, vcf: Path) -> list[str]:
    return differences(truth, truth.samples[0].id, vcf)


def test_the_truth_has_no_difference_to_itself(truth, vcf):
    assert told(truth, vcf) == []


def missing(lines):
    del lines[7]


def surplus(lines):
    lines.insert(7, "genome\t9\t.\tA\tG\t.\tPASS\t.\tGT\t1\n")


def twice(lines):
    lines.insert(7, lines[7])


def heterozygous(lines):
    lines[7] = lines[7].replace("GT\t1", "GT\t0/1")


def filtered(lines):
    lines[7] = lines[7].replace("PASS", "LowQual")


def another_chromosome(lines):
    lines[7] = lines[7].replace("genome", "other")


def cut_off(lines):
    lines[-1] = lines[-1][:-1]


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        (missing, ["{} is missing"]),
        (filtered, ["{} is missing"]),
        (surplus, ["line 8: genome:9 A>G is surplus"]),
        (twice, ["line 9: {} stands there twice"]),
        (heterozygous, ["line 8: {} is not all that the sample has there"]),
        (another_chromosome, ["line 8: {other} is surplus", "{} is missing"]),
        (cut_off, ["line 16 is cut off, or too long"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_difference_is_told(truth, vcf, change, sentences):
    lines = vcf.read_text().splitlines(keepends=True)
    variant = str(truth.variants_of(truth.samples[0].id)[3])
    change(lines)
    vcf.write_text("".join(lines))
    other = variant.replace("genome", "other")
    wanted = [sentence.format(variant, other=other) for sentence in sentences]
    assert told(truth, vcf) == [f"x.vcf: {sentence}" for sentence in wanted]


def test_a_vcf_without_variants_lacks_all(truth, vcf):
    vcf.write_text("".join(vcf.read_text().splitlines(keepends=True)[:4]))
    assert len(told(truth, vcf)) == 12


def test_what_is_told_is_bounded(truth, vcf):
    rows = [f"genome\t{pos}\t.\tA\tG\t.\t.\t.\tGT\t1\n" for pos in range(1, 100)]
    vcf.write_text(vcf.read_text() + "".join(rows))
    assert len(told(truth, vcf)) == 21 and told(truth, vcf)[-1] == "x.vcf: 79 further differences"


def test_a_vcf_that_is_not_there_is_a_difference(truth, tmp_path):
    assert "cannot be read" in told(truth, tmp_path / "none.vcf")[0]


def test_a_sample_that_is_not_there_is_refused(truth, vcf):
    with pytest.raises(TruthError, match="has no sample 'nobody'"):
        differences(truth, "nobody", vcf)


def test_a_run_without_variants_has_the_truth_that_it_had(tmp_path):
    write_run(default_plan(clusters=5, read_cycles=(8,)), tmp_path, truth=tmp_path / "truth")
    found = read_truth(tmp_path / "truth")
    assert "variants" not in json.loads((tmp_path / "truth" / "truth.json").read_text())
    assert not list((tmp_path / "truth").glob("*.vcf"))
    assert found.variants_of(found.samples[0].id) == ()


@pytest.mark.parametrize("damage", [[], {"NA12878_L2600001": [{"pos": 3}]}, {"a": 7}])
def test_damaged_variants_of_a_truth_are_refused(tmp_path, damage):
    write_run(default_plan(clusters=5, read_cycles=(8,)), tmp_path, truth=tmp_path / "truth")
    path = tmp_path / "truth" / "truth.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"variants": damage}))
    with pytest.raises(TruthError, match="expected the truth of a simulated run"):
        read_truth(tmp_path / "truth")
