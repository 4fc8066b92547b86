"""Manifest.tsv of an analysis that the instrument has made, read as what a stranger wrote.

Each line is a path relative to the folder of the analysis, a tab, and the file's CRC-32 as eight
hexadecimal digits; there is no header and no size (the real one of a NovaSeq X with DRAGEN 4.3.16
in github.com/gmc-norr/cleve, testdata/dragen_manifest.tsv; miso-lims/runscanner, BCLConvert.java).
That it is the CRC-32 of gzip shows in that manifest: it has d538c831 for the jszip.min.js of
JSZip 3.10.1, which is public, and zeros for files that are empty.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from arteriole.illumina import run_file
from arteriole.illumina.errors import RunDataError

NAME = "Manifest.tsv"
#: A real one with 38 samples has 121 kB.
SIZE_LIMIT = 64 * 1024 * 1024
_PATH = re.compile(r"[^\x00-\x1f\x7f-\x9f\\/]+(/[^\x00-\x1f\x7f-\x9f\\/]+)*")
_CRC = re.compile(r"[0-9a-f]{8}")
_HINT = "copy the folder of the analysis from the instrument again"


class ManifestError(RunDataError):
    """The manifest of an analysis is not as expected."""

    code = "ingest.manifest"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files` has the CRC-32 of each by its path in the analysis; `data` is the manifest itself."""

    files: dict[str, int]
    data: bytes

    @staticmethod
    def read(analysis: Path) -> "Manifest":
        """That of an analysis.

        Raises:
            ManifestError: it is not as expected; with code run.unreadable, it cannot be read.
        """
        try:
            data = run_file.read(analysis / NAME, SIZE_LIMIT)
        except RunDataError as err:
            code = err.code if err.code == run_file.UNREADABLE else ManifestError.code
            raise ManifestError(str(err), hint=err.hint or _HINT, code=code) from err
        return Manifest(_parsed(data), data)


def _parsed(data: bytes) -> dict[str, int]:
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as err:
        raise ManifestError(f"{NAME}: byte {err.start} is not UTF-8", hint=_HINT) from err
    if lines.pop():
        raise ManifestError(f"{NAME}: its last line has no end, so it is cut short", hint=_HINT)
    files: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        path, _, crc = line.removesuffix("\r").partition("\t")
        if not (_PATH.fullmatch(path) and _CRC.fullmatch(crc)):
            raise ManifestError(
                f"{NAME}, line {number}: expected a relative path, a tab and 8 hexadecimal digits,"
                f" found {line[:80]!r}",
                hint=_HINT,
            )
        if not {".", ".."}.isdisjoint(path.split("/")):
            raise ManifestError(f"{NAME}, line {number}: a path with . or ..", hint=_HINT)
        if files.setdefault(path, int(crc, 16)) != int(crc, 16):
            raise ManifestError(
                f"{NAME}, line {number}: the path stands there twice, with another digest",
                hint=_HINT,
            )
    return files
