"""attempt.json: the digests that the converter took while it wrote the FASTQs."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from arteriole.checksum.digests import FileDigest
from arteriole.checksum.errors import ChecksumError, listed

NAME = "attempt.json"


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    path: str
    size: int
    md5: str
    blake3: str


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    files: list[_File]


def require_as_written(folder: Path, digests: list[FileDigest]) -> int:
    """Compare with attempt.json in `folder`; the number of files that it vouches for, or 0.

    Raises:
        ChecksumError: names the files that differ, are missing, or are FASTQs that the converter
            did not write.
    """
    path = folder / NAME
    if not path.exists():
        return 0
    try:
        record = _Record.model_validate_json(path.read_bytes())
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ChecksumError(
            f"{path}: {field or 'the file'}: {first['msg']}", code="checksum.record"
        ) from err
    found = {digest.name: digest for digest in digests}
    recorded = {
        file.path: FileDigest(**file.model_dump(exclude={"path"}), name=file.path)
        for file in record.files
    }
    missing = sorted(recorded.keys() - found.keys())
    changed = sorted(n for n in recorded.keys() & found.keys() if recorded[n] != found[n])
    foreign = sorted(
        n for n in found.keys() - recorded.keys() if n.endswith((".fastq.gz", ".fastq"))
    )
    problems = [
        f"{what}: {listed(names)}"
        for what, names in (
            ("not as they were written", changed),
            ("missing", missing),
            ("not written by the conversion", foreign),
        )
        if names
    ]
    if problems:
        raise ChecksumError(
            f"{folder} is not what {NAME} recorded; {'; '.join(problems)}",
            code="checksum.not_as_written",
            hint="the disk or a person changed the FASTQs: redo the run from convert",
        )
    return len(recorded)
