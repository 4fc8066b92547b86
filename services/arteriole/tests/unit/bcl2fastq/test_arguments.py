"""bcl2fastq's options as words: which converter takes which, and what they come to."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from arteriole.bcl2fastq import arguments
from arteriole.bcl2fastq.arguments import TABLE
from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, Options
from arteriole.bcl2fastq.kind import Bcl2fastqKind, ConvertRequest
from arteriole.bcl2fastq.settings import Bcl2fastqSettings

DOCS = Path(__file__).parents[5] / "docs"
CONVERTERS = ("builtin", "bcl2fastq", "bclconvert", "picard")
REQUEST = ConversionRequest(Path("run"), Path("sheet"), Path("out"))
VALUES = {
    "barcode-mismatches": "0,2",
    "tiles": "s_1,s_[2-4]_1101",
    "use-bases-mask": "y*,i8n*,n*,y*",
    "adapter-stringency": "0.8",
}


def value_of(option: arguments.Option) -> list[str]:
    if option.value is None:
        return []
    return [VALUES.get(option.name, "5")]


@pytest.mark.parametrize("converter", CONVERTERS)
@pytest.mark.parametrize("option", TABLE, ids=lambda option: option.name)
def test_each_option_is_taken_or_refused_by_name(option: arguments.Option, converter: str) -> None:
    words = [f"--{option.name}", *value_of(option)]
    if converter in option.taken:
        assert arguments.parse(words, converter) == [(option.name, "".join(words[1:]))]
        assert arguments.parse(["=".join(words)], converter) == arguments.parse(words, converter)
        return
    with pytest.raises(ConversionError, match=f"^--{option.name} is not for the") as refused:
        arguments.parse(words, converter)
    assert refused.value.code == "convert.option" and option.else_ in refused.value.hint


def test_the_table_in_the_docs_is_this_one() -> None:
    text = (DOCS / "conversion.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `--")]
    for option, row in zip(TABLE, rows, strict=True):
        name, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        assert name.split("`")[1] == f"--{option.name}"
        taken = {c for c, cell in zip(CONVERTERS, cells, strict=False)
                 if cell == "taken"}  # fmt: skip
        assert taken == option.taken, option.name


def test_what_the_words_come_to() -> None:
    words = [
        *("--no-lane-splitting", "--create-fastq-for-index-reads", "--tiles", "s_2"),
        *(
            "--tiles=s_1,s_3",
            "--use-bases-mask",
            "y*,i*,i*,y*",
            "--use-bases-mask",
            "1:y*,n*,n*,y*",
        ),
        *("--use-bases-mask", "y*,i8,i8,y*", "--barcode-mismatches", "0", "--with-failed-reads"),
        *("--mask-short-adapter-reads", "22", "--minimum-trimmed-read-length=8"),
        "--ignore-missing-controls",
    ]
    asked = arguments.applied(REQUEST, words, "builtin")
    assert asked.options == Options(
        no_lane_splitting=True,
        create_fastq_for_index_reads=True,
        tiles=("s_1", "s_3"),
        use_bases_mask=("y*,i8,i8,y*", "1:y*,n*,n*,y*"),
        minimum_trimmed_read_length=8,
        mask_short_adapter_reads=22,
    )
    assert (asked.barcode_mismatches, asked.include_non_pf) == ((0, 0), True)
    passed_on = arguments.applied(REQUEST, ["--fastq-compression-level", "9"], "bcl2fastq")
    assert passed_on.options.words == ("--fastq-compression-level", "9")
    assert arguments.applied(REQUEST, [], "builtin") == REQUEST


@pytest.mark.parametrize(
    "words",
    [
        ["-o", "x"],
        ["--tiles"],
        ["--tiles", "--no-lane-splitting"],
        ["--tiles", "s_(1|2)"],
        ["--tiles", "s_1;reboot"],
        ["--no-lane-splitting", "yes"],
        ["--no-lane-splitting=yes"],
        ["--no-lane-split"],
        ["--barcode-mismatches", "3"],
        ["--barcode-mismatches", "1,1,1"],
        ["--use-bases-mask", "y*;i*"],
        ["--use-bases-mask", "$(id)"],
        ["--mask-short-adapter-reads", "-1"],
        ["--mask-short-adapter-reads", "²"],
        ["--output-dir", "/etc"],
        ["reboot"],
        [""],
    ],
)
def test_nothing_else_is_understood(words: list[str]) -> None:
    with pytest.raises(ConversionError) as refused:
        arguments.parse(words, "builtin")
    assert refused.value.code == "convert.option" and refused.value.hint


def settings(tmp_path: Path, words: list[str]) -> Bcl2fastqSettings:
    (tmp_path / "runs" / "r1").mkdir(parents=True, exist_ok=True)
    return Bcl2fastqSettings(
        run_roots=[tmp_path / "runs"],
        fastq_root=tmp_path / "fastq",
        converter="builtin",
        additional_args=words,
    )


def test_those_of_a_request_come_after_those_of_the_configuration(tmp_path: Path) -> None:
    kind = Bcl2fastqKind(settings(tmp_path, ["--tiles", "s_1"]))
    request = ConvertRequest(additional_args=["--no-lane-splitting"])
    expected = ["--tiles", "s_1", "--no-lane-splitting"]
    assert kind.parameters("r1", request)["additional_args"] == expected
    assert ConvertRequest(additional_args=[]).asked() == ConvertRequest().asked()
    with pytest.raises(ConversionError, match="--adapter-stringency is not for"):
        kind.parameters("r1", ConvertRequest(additional_args=["--adapter-stringency", "0.5"]))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--tiles"], "write tiles such as s_1"),
        (["--loading-threads", "4"], "set bcl2fastq.threads"),
        (["--barcode-mismatches", "0"], "expected barcode_mismatches in the place"),
    ],
)
def test_a_wrong_option_stops_the_start(tmp_path: Path, words: list[str], found: str) -> None:
    with pytest.raises(ValidationError, match=found):
        settings(tmp_path, words)
