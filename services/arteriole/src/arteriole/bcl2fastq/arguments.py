"""bcl2fastq's own options, asked for as words: `["--no-lane-splitting", "--tiles", "s_1"]`.

They come from `additional_args` of the configuration and of a request, and are what Arteria's
bcl2fastq service was given. TABLE lists every option of bcl2fastq 2.20 (bcl2fastq2 software guide
v2.20, "Command line options", which is also what `bcl2fastq --help` prints), and says which
converter takes it; whatever is not in it is refused, and so is what a converter does not take.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest
from arteriole.illumina import tile_choice
from arteriole.illumina.tile_choice import TileChoiceError

CODE = "convert.option"
_MASK = re.compile(r"(\d{1,2}:)?[YyIiNn0-9*, ]{1,400}", re.ASCII)
_TRIMS = "trims no adapters"
_OWN = "compresses in its own way"
_PATH = "folders are the configuration's"
_THREADS = "set bcl2fastq.threads"
_WAIVER = "a person waives that with `ignore`, and the attempt is degraded"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of bcl2fastq.

    Attributes:
        value: what follows it: a number from `value[0]` to `value[1]`, or what is named.
        taken: the converters that do it.
        else_: why others do not, or what to do instead.
    """

    name: str
    value: str | tuple[int, int] | None = None
    taken: frozenset[str] = frozenset()
    else_: str = ""


_BOTH = frozenset({"builtin", "bcl2fastq"})
_ALL = _BOTH | {"picard"}
_EACH = _ALL | {"bclconvert"}
_TOOL = frozenset({"bcl2fastq"})

TABLE = (
    Option("barcode-mismatches", "0, 1 or 2, or two of them with a comma between", _EACH),
    Option("create-fastq-for-index-reads", None, _BOTH),
    Option("no-lane-splitting", None, _BOTH),
    Option("tiles", "tiles", _BOTH),
    Option("use-bases-mask", "a mask", _BOTH),
    Option("mask-short-adapter-reads", (0, 1000), _BOTH),
    Option("minimum-trimmed-read-length", (0, 1000), _BOTH),
    Option("ignore-missing-controls", None, _BOTH),
    Option("with-failed-reads", None, _ALL - _TOOL, "set bcl2fastq.include_non_pf: false"),
    Option("adapter-stringency", "a fraction", _TOOL, _TRIMS),
    Option("find-adapters-with-sliding-window", None, _TOOL, _TRIMS),
    Option("write-fastq-reverse-complement", None, _TOOL, "writes reads as they were read"),
    Option("fastq-compression-level", (1, 9), _TOOL, _OWN),
    Option("no-bgzf-compression", None, _TOOL, _OWN),
    Option("ignore-missing-bcls", None, else_=_WAIVER),
    Option("ignore-missing-filter", None, else_=_WAIVER),
    Option("ignore-missing-positions", None, else_=_WAIVER),
    Option("loading-threads", (1, 256), else_=_THREADS),
    Option("processing-threads", (1, 256), else_=_THREADS),
    Option("writing-threads", (0, 256), else_=_THREADS),
    Option("min-log-level", "a level", else_="the log is kept as it is"),
    Option("runfolder-dir", "a path", else_=_PATH),
    Option("input-dir", "a path", else_=_PATH),
    Option("intensities-dir", "a path", else_=_PATH),
    Option("output-dir", "a path", else_=_PATH),
    Option("interop-dir", "a path", else_=_PATH),
    Option("stats-dir", "a path", else_=_PATH),
    Option("reports-dir", "a path", else_=_PATH),
    Option("sample-sheet", "a path", else_="send the sheet as `sheet`"),
    Option("help", None, else_="it asks for no conversion"),
    Option("version", None, else_="it asks for no conversion"),
)
_BY_NAME = {f"--{option.name}": option for option in TABLE}


def parse(words: Sequence[str], converter: str) -> list[tuple[str, str]]:
    """(option without dashes, value) of each, once it is known that the converter takes it.

    Raises:
        ConversionError: names the word, and what was expected.
    """
    found: list[tuple[str, str]] = []
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        option = _BY_NAME.get(name)
        if option is None:
            raise _refused(f"{word[:60]!r} is no option of bcl2fastq 2.20", "leave it out")
        if converter not in option.taken:
            why = option.else_ or "it is not done there"
            raise _refused(f"{name} is not for the converter {converter}", f"leave it out: {why}")
        if option.value is None:
            if equals:
                raise _refused(f"{name} takes no value", f"write {name} alone")
            value = ""
        elif not equals:
            value = next(rest, "")
        _require_value(option, value)
        found.append((option.name, value))
    return found


def applied(request: ConversionRequest, words: Sequence[str], converter: str) -> ConversionRequest:
    """The request with what the words ask for; of an option that is said twice the last counts.

    Raises:
        ConversionError: see `parse`.
    """
    options = request.options
    tiles: list[str] = []
    masks: dict[str, str] = {}
    passed_on: dict[str, list[str]] = {}
    for name, value in parse(words, converter):
        match name:
            case "barcode-mismatches":
                counts = [int(count) for count in value.split(",")]
                request = replace(request, barcode_mismatches=(counts[0], counts[-1]))
            case "with-failed-reads":
                request = replace(request, include_non_pf=True)
            case "create-fastq-for-index-reads":
                options = replace(options, create_fastq_for_index_reads=True)
            case "no-lane-splitting":
                options = replace(options, no_lane_splitting=True)
            case "mask-short-adapter-reads":
                options = replace(options, mask_short_adapter_reads=int(value))
            case "minimum-trimmed-read-length":
                options = replace(options, minimum_trimmed_read_length=int(value))
            case "tiles":
                tiles = value.split(",")
            case "use-bases-mask":
                lane = value.partition(":")[0] if ":" in value else ""
                masks[lane] = value
            case "ignore-missing-controls":
                pass  # nothing has asked for control files since 2.20
            case _:
                passed_on[name] = [f"--{name}", *([value] if value else [])]
    return replace(
        request,
        options=replace(
            options,
            tiles=tuple(tiles),
            use_bases_mask=tuple(masks.values()),
            words=tuple(word for pair in passed_on.values() for word in pair),
        ),
    )


def _require_value(option: Option, value: str) -> None:
    match option.value:
        case None:
            return
        case (least, most):
            fits = value.isascii() and value.isdecimal() and len(value) < 5
            fits = fits and least <= int(value) <= most
            expected = f"a number from {least} to {most}"
        case "tiles":
            expected, fits = "tiles such as s_1 or s_[2-4]", True
            try:
                for one in value.split(","):
                    tile_choice.parse(one)
            except TileChoiceError as err:
                raise _refused(f"--tiles: {err}", f"write {expected}") from err
        case "a mask":
            expected = "a mask such as y*,i8n*,n*,y*"
            fits = _MASK.fullmatch(value) is not None
        case "a fraction":
            expected = "a fraction such as 0.9"
            fits = re.fullmatch(r"0(\.\d{1,6})?|1(\.0{1,6})?", value, re.ASCII) is not None
        case text:
            expected = str(text)
            fits = re.fullmatch("[012](,[012])?", value, re.ASCII) is not None
    if not fits:
        raise _refused(f"--{option.name}: expected {expected}, found {value[:40]!r}", "correct it")


def _refused(message: str, hint: str) -> ConversionError:
    return ConversionError(message, hint=hint, field="additional_args", code=CODE)
