"""The results of an attempt: a folder `<unit>/` each, which is complete when it has that name."""

from dataclasses import dataclass
from pathlib import Path

from arteriole.app.names import is_identifier
from arteriole.checksum.errors import ChecksumError, listed
from arteriole.checksum.listing import FoundFile, list_files

#: The folder of the manifests of results, beside those of the data.
RESULTS = "results"


class UnitError(ChecksumError):
    """There is something among the results that is no unit of them."""

    code = "results.unit"


@dataclass(frozen=True)
class Unit:
    """A finished folder of an analysis, such as `bcbio.GROUP`."""

    name: str
    folder: Path
    files: list[FoundFile]

    @property
    def size(self) -> int:
        return sum(found.size for found in self.files)


def list_units(folder: Path) -> list[Unit]:
    """The finished units in `folder`, by name; what starts with a dot is not finished.

    Raises:
        UnitError: a unit without a file, or something that is not a folder named by an identifier.
        ChecksumError: as `list_files` has it.
    """
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    foreign = [name for name in names if not _is_unit(folder / name)]
    if foreign:
        raise UnitError(
            f"expected folders named by A-Z a-z 0-9 . _ - in {folder}, found {listed(foreign)!r}",
            hint="move it away, or rename it; what is not finished begins with a dot",
        )
    units = [Unit(name, folder / name, list_files(folder / name)) for name in names]
    empty = [unit.name for unit in units if not unit.files]
    if empty:
        raise UnitError(
            f"no file in {listed(empty)} of {folder}",
            hint="an analysis left nothing: find out why, remove the folder, then analyse again",
        )
    return units


def require_units(folder: Path) -> list[Unit]:
    """The finished units in `folder`; UnitError if there are none."""
    units = list_units(folder)
    if not units:
        raise UnitError(
            f"expected a folder for each result in {folder}, found none",
            code="results.none",
            hint="has the analysis ended? what is not finished begins with a dot",
        )
    return units


def _is_unit(path: Path) -> bool:
    return is_identifier(path.name) and path.is_dir() and not path.is_symlink()
