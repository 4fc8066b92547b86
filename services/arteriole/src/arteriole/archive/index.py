"""index.json of an archive in a bucket: what lies where, a line each."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arteriole.archive.archive import Parcel
from arteriole.archive.errors import ArchiveError
from arteriole.archive.holding import HeldFile, Holding
from arteriole.checksum.digests import FileDigest

NAME = "index.json"
#: Of archive.json; archives of format 1 have no bundles, and do not name it.
FORMAT = 2
#: Of those whose content, index and manifests are encrypted, which are the same otherwise.
SEALED = 3


@dataclass(frozen=True)
class _Line:
    """Of a file; `offset` is that of its content in the bundle `key`."""

    name: str
    key: str
    size: int
    md5: str
    blake3: str
    mtime_ns: int
    offset: int | None = None


class IndexedFile(BaseModel):
    """Without `offset` the content lies on its own, at its digest."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    key: str
    size: int = Field(ge=0)
    mtime_ns: int = Field(gt=-(1 << 64), lt=1 << 64)
    offset: int | None = Field(default=None, ge=0)


class IndexedBundle(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    key: str = Field(pattern=r"/bundles/[0-9a-f]{64}\.tar(\.c4gh)?$")
    size: int = Field(ge=0)
    md5: str
    blake3: str

    @property
    def digest(self) -> FileDigest:
        return FileDigest(self.key, self.size, self.md5, self.blake3)


class Index(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    #: Of results, where archive.json does not say it.
    unit: str = ""
    bundles: list[IndexedBundle] = Field(default_factory=list)
    files: list[IndexedFile]


def write_index(
    holding: Holding,
    parcels: list[Parcel],
    digests: Mapping[str, FileDigest],
    own: Callable[[HeldFile], str],
    unit: str = "",
) -> bytes:
    """`digests` are those of the bundles by place; `own` the place of a file on its own.

    Raises:
        ArchiveError: it could not be read again.
    """
    within = {
        file.name: (parcel.place, offset)
        for parcel in parcels
        for file, offset in zip(parcel.files, parcel.offsets, strict=False)
    }
    bundles = [
        json.dumps({"key": one.name, "size": one.size, "md5": one.md5, "blake3": one.blake3})
        for one in (digests[parcel.place] for parcel in parcels if parcel.is_bundle)
    ]
    files = [_line(file, *within.get(file.name, (own(file), None))) for file in holding.files]
    head = f'"unit": {json.dumps(unit)},\n' if unit else ""
    lists = f'"bundles": [\n{_lines(bundles)}],\n"files": [\n{_lines(files)}]'
    data = f"{{{head}{lists}}}\n".encode()
    try:
        Index.model_validate_json(data)
    except ValidationError as err:
        raise ArchiveError(
            f"{NAME} could not be read again once it is written: {err}",
            hint="nothing was published: correct what the message names, then retry",
        ) from err
    return data


def _lines(lines: list[str]) -> str:
    return ",\n".join(lines) + "\n" if lines else ""


def _line(file: HeldFile, key: str, offset: int | None) -> str:
    line = _Line(
        name=file.name,
        key=key,
        size=file.digest.size,
        md5=file.digest.md5,
        blake3=file.digest.blake3,
        mtime_ns=file.found.mtime_ns,
        offset=offset,
    )
    return json.dumps({name: value for name, value in asdict(line).items() if value is not None})
