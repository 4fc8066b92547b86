"""The destination that a job's parameters name."""

from pathlib import Path
from typing import Any

from arteriole.archive.archive import Destination
from arteriole.archive.crypt4gh.journal import Journals
from arteriole.archive.directory import DirectoryDestination
from arteriole.archive.settings import ArchiveDestination, S3Settings, StorageClass
from arteriole.checksum.digests import digest_text


def destination_parameters(settings: ArchiveDestination) -> dict[str, Any]:
    """NB: they are stored, so they hold where credentials are, never what they are."""
    if settings.s3 is not None:
        return {"s3": settings.s3.model_dump(mode="json")}
    return {"directory": str(settings.directory)}


def open_destination(parameters: dict[str, Any]) -> Destination:
    """From what `destination_parameters` made; ArchiveError if it cannot be used."""
    if "s3" not in parameters:
        return DirectoryDestination(Path(parameters["directory"]), _memory(parameters))
    from arteriole.archive.s3_destination import S3Destination  # boto3 is slow to import

    settings = S3Settings.model_validate(parameters["s3"])
    storage_class = parameters.get("storage_class")
    return S3Destination(
        settings,
        parameters["threads"],
        None if storage_class is None else StorageClass(storage_class),
        None if settings.crypt4gh is None else _journals(parameters),
    )


def _memory(parameters: dict[str, Any]) -> Path:
    name = digest_text(parameters["name"].encode())[:12]
    return Path(parameters["manifest_root"]) / ".archives" / name


def _journals(parameters: dict[str, Any]) -> Journals:
    return Journals(Path(parameters["manifest_root"]), parameters["name"])
