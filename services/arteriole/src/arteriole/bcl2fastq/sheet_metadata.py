"""The site's metadata that sheets are compared with: tables in a folder.

They may be those of the metadata service; columns that say nothing of a sheet are passed over.
"""

import csv
import io
import stat
from collections.abc import Iterator
from pathlib import Path

from arteriole.illumina import run_file
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.sheet_text import plain
from arteriole.illumina.site_metadata import Expected, SiteMetadata

FILES, SIZE_LIMIT, ROWS = 1000, 10_000_000, 100_000
_COLUMNS = {
    **dict.fromkeys(("sample", "sampleid"), "sample_id"),
    **dict.fromkeys(("project", "projectid", "sampleproject"), "project"),
    **dict.fromkeys(("flowcell", "flowcellid", "fcid"), "flow_cell"),
    "lane": "lane",
    **dict.fromkeys(("index", "i7"), "index"),
    **dict.fromkeys(("index2", "i5"), "index2"),
}


class _Refused(Exception):
    """A table is not as expected: file, line and what."""


def read(folder: Path) -> SiteMetadata:
    """All tables (*.csv) of `folder`; of a sample the newest file that has it counts.

    What cannot be read is told as trouble, since it might know any sample.
    """
    samples: dict[str, tuple[Expected, ...]] = {}
    try:
        for path in _files(folder):
            rows: dict[str, list[Expected]] = {}
            for row in _table(path):
                rows.setdefault(row.sample_id, []).append(row)
            samples |= {name: tuple(found) for name, found in rows.items()}
    except (_Refused, RunDataError) as err:
        return SiteMetadata(trouble=str(err))
    except OSError as err:
        return SiteMetadata(trouble=f"{folder}: {err.strerror or err}")
    return SiteMetadata(samples)


def _files(folder: Path) -> list[Path]:
    """The oldest first."""
    found = [
        (path.lstat(), path)
        for path in folder.iterdir()
        if path.name.lower().endswith(".csv") and not path.name.startswith((".", "~"))
    ]
    if len(found) > FILES:
        raise _Refused(f"{folder}: expected at most {FILES} tables, found {len(found)}")
    for what, path in found:
        if not stat.S_ISREG(what.st_mode):
            raise _Refused(f"{path.name}: expected a file, found a link or a folder")
    found.sort(key=lambda one: (one[0].st_mtime_ns, one[1].name))
    return [path for _, path in found]


def _table(path: Path) -> Iterator[Expected]:
    try:
        text = run_file.read(path, SIZE_LIMIT).decode("utf-8-sig")
        first = text[: text.find("\n")] if "\n" in text else text
        delimiter = ";" if first.count(";") > first.count(",") else ","
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        names = [_COLUMNS.get(plain(name), "") for name in next(lines, [])]
        used = [name for name in names if name]
        if "sample_id" not in used or len(set(used)) < len(used):
            raise _Refused(f"{path.name}: expected one column sample, and no other column twice")
        for count, cells in enumerate(lines):
            if count >= ROWS:
                raise _Refused(f"{path.name}: expected at most {ROWS} rows, found more")
            if any(cell.strip() for cell in cells):
                yield _expected(dict(zip(names, cells, strict=False)), f"{path.name}",
                                lines.line_num)  # fmt: skip
    except (UnicodeDecodeError, csv.Error) as err:
        raise _Refused(f"{path.name}: expected CSV in UTF-8: {err}") from err


def _expected(values: dict[str, str], file: str, line: int) -> Expected:
    said = {name: cell.strip() for name, cell in values.items() if name}
    where, lane = f"{file} line {line}", said.pop("lane", "")
    if not said.get("sample_id"):
        raise _Refused(f"{where}: expected the name of a sample, found none")
    if lane and not (lane.isascii() and lane.isdecimal() and len(lane) < 4):
        raise _Refused(f"{where}: expected the number of a lane, found {lane[:20]!r}")
    return Expected(**said, lane=int(lane) if lane else None, where=where)
