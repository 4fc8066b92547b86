"""The two commands, as a person types them."""

from click.testing import CliRunner

from arteriole.simulator.command import judge, simulate
from arteriole.simulator.misdeeds import MISDEEDS
from arteriole.simulator.truth import read_truth

from .conftest import convert

RUN = "260201_K00188_0050_BHFJ5CBBXX"
SMALL = ["--clusters", "20", "--read-cycles", "10,8", "--seconds-per-cycle", "0.001"]


def test_simulate_then_judge(tmp_path):
    done = CliRunner().invoke(simulate, [str(tmp_path), "--run", RUN, *SMALL])
    assert done.exit_code == 0, done.output
    assert "cycle 34 of 34" in done.output
    truth = tmp_path / f"{RUN}.truth"
    assert str(truth) in done.output
    convert(tmp_path / RUN, tmp_path / "fastq")

    well = CliRunner().invoke(judge, [str(truth), str(tmp_path / "fastq")])
    assert (well.exit_code, well.output.split(": ")[-1]) == (0, "no differences\n")
    next((tmp_path / "fastq").rglob("*_R1_*.gz")).unlink()
    changed = CliRunner().invoke(judge, [str(truth), str(tmp_path / "fastq")])
    assert changed.exit_code == 1
    assert "missing, with" in changed.output and "1 differences" in changed.output


def test_samples_sheet_and_shape_are_taken(tmp_path):
    csv, sheet = tmp_path / "samples.csv", tmp_path / "sheet.csv"
    csv.write_text("id,name,project,lane,i7,i5\na,a,p,,ACGTACGT,\n")
    sheet.write_bytes(b"[Data]\r\n")
    arguments = ["--kind", "miseq", "--index-cycles", "8,0", "--samples", str(csv)]
    arguments += ["--sheet", str(sheet), "--truth", str(tmp_path / "t"), "--quiet", *SMALL]
    done = CliRunner().invoke(simulate, [str(tmp_path / "runs"), *arguments])
    assert done.exit_code == 0, done.output
    assert "cycle" not in done.output
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "SampleSheet.csv").read_bytes() == b"[Data]\r\n"
    assert (tmp_path / "t" / "truth.json").exists()


def test_misdeeds_and_what_a_cbcl_holds_are_taken(tmp_path):
    arguments = ["--kind", "novaseq6000", "--non-pf", "kept", "--empty-tiles", "1", "--quiet"]
    arguments += ["--misdeed", "sheet-never", "--misdeed", "copy-stalls:9", *SMALL]
    done = CliRunner().invoke(simulate, [str(tmp_path), *arguments])
    assert done.exit_code == 0, done.output
    run = tmp_path / "260114_A00834_0183_BHMTFYDRXX"
    assert not (run / "SampleSheet.csv").exists()
    cycles = {path.name for path in (run / "Data/Intensities/BaseCalls/L001").glob("C*.1")}
    assert cycles == {f"C{cycle}.1" for cycle in range(1, 10)}


def test_variants_and_the_length_of_the_genome_are_taken(tmp_path):
    arguments = ["--variants", "6", "--genome-length", "3000", "--quiet", *SMALL]
    done = CliRunner().invoke(simulate, [str(tmp_path), "--run", RUN, *arguments])
    assert done.exit_code == 0, done.output
    truth = read_truth(tmp_path / f"{RUN}.truth")
    assert [len(truth.variants_of(sample.id)) for sample in truth.samples] == [6] * 4
    assert len(b"".join(truth.reference.read_bytes().split()[1:])) == 3000


def test_the_help_names_every_misdeed():
    text = CliRunner().invoke(simulate, ["--help"]).output
    assert [name for name in MISDEEDS if f"\n    {name}" not in text] == []


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").touch()
    done = CliRunner().invoke(simulate, [str(tmp_path / "file" / "runs"), *SMALL])
    assert done.exit_code == 1 and "the run cannot be written: [Errno 20]" in done.output


def test_faults_are_told_with_their_code(tmp_path):
    for arguments, sentence in (
        (["--run", "nonsense"], "[simulator.plan]"),
        (["--samples", "nowhere.csv"], "expected a number or a CSV file"),
        (["--read-cycles", "many"], "expected cycles as 36"),
        (["--read-cycles", "0"], "expected one or two template reads"),
        (["--misdeed", "full-disk"], "[simulator.plan]"),
        (["--variants", "999"], "has no room for 999 variants"),
        (["--non-pf", "kept", "--empty-tiles", "99"], "empty tiles: 0 to 7"),
    ):
        done = CliRunner().invoke(simulate, [str(tmp_path), *arguments])
        assert done.exit_code in (1, 2) and sentence in done.output, done.output
    done = CliRunner().invoke(judge, [str(tmp_path), str(tmp_path)])
    assert done.exit_code == 1 and "[simulator.truth]" in done.output
